"""Doors to scripted models, for LLAMBO's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Script
from fakes.door_house import KEY, House
from tunesmith.agent.models import OpenAICompatible
from tunesmith.budget import ModelCaps
from tunesmith.settings import ModelSettings

NO_CAPS = ModelCaps(calls=None, tokens=None, dollars=None)


@pytest.fixture
def open_model() -> Iterator[Callable[..., House]]:
    """Starts a server with a script and opens a door to it, without caps unless given."""
    with ExitStack() as stack:

        def opened(script: Script, *, caps: ModelCaps = NO_CAPS, server: Any = None, **door: Any) -> House:
            running = stack.enter_context(ChatServer(script, **(server or {})))
            settings = ModelSettings(base_url=running.url, model="fake-model", api_key=SecretStr(KEY))
            events: list[Any] = []
            door.setdefault("mode", "live")
            opened_door = OpenAICompatible(settings, caps, events.append, max_retries=0, **door)
            stack.callback(opened_door.close)
            return House(running, opened_door, events)

        yield opened
