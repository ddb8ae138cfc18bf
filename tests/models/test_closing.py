"""Closing the door while somebody waits behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from fakes.chat_server import answer, hanging
from fakes.door_house import House
from tunesmith.errors import ModelUnavailable

Open = Callable[..., House]


def test_closing_breaks_off_a_call_that_would_hang_and_its_cost_is_counted(open_house: Open) -> None:
    house = open_house([hanging()], timeout_s=60)
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            house.ask()
        except ModelUnavailable as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not house.server.chats:
        time.sleep(0.01)
    time.sleep(0.1)
    began = time.monotonic()
    house.door.close()
    thread.join(10)
    assert not thread.is_alive() and time.monotonic() - began < 5
    assert len(raised) == 1
    assert [call.ok for call in house.calls] == [False]
    assert len(house.server.chats) == 1, "asked again after the end"


def test_behind_a_closed_door_nothing_is_asked(open_house: Open) -> None:
    house = open_house([answer({"lr": 0.01, "layers": 2})])
    house.ask()
    house.door.close()
    with pytest.raises(ModelUnavailable, match="the run has ended"):
        house.ask()
    with pytest.raises(ModelUnavailable, match="the run has ended"):
        house.door.chat_model()
    assert len(house.server.chats) == 1
