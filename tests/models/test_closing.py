"""Closing the model while somebody waits behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from fakes.chat_server import answer, hanging
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


def test_behind_a_closed_door_nothing_is_asked(serve: Open) -> None:
    served = serve([answer({"lr": 0.01, "layers": 2})])
    served.ask()
    served.model.close()
    with pytest.raises(ModelUnavailable, match="the run has ended"):
        served.ask()
    with pytest.raises(ModelUnavailable, match="the run has ended"):
        served.say()
    assert len(served.server.chats) == 1
