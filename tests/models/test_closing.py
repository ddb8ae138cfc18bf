"""Closing a model while a call is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fakes.chat_server import hanging
from fakes.served_model import ServedModel
from tunesmith.errors import ModelUnavailable

Open = Callable[..., ServedModel]


def test_closing_breaks_off_a_call_that_would_hang_and_its_cost_is_counted(serve: Open) -> None:
    served = serve([hanging()], timeout_s=3000)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            served.ask()
        except ModelUnavailable as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not served.server.chats:
        time.sleep(0.01)
    served.model.close()
    thread.join()  # the server still hangs
    assert len(raised) == 1
    assert [call.ok for call in served.calls] == [False]
    assert len(served.server.chats) == 1, "asked again after the end"
