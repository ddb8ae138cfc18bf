"""Opens doors to scripted servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Script
from fakes.door_house import KEY, House
from tunesmith.agent.models import OpenAICompatible
from tunesmith.budget import ModelCaps
from tunesmith.settings import ModelSettings


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts a server with a script and opens a door to it; both close with the test."""
    with ExitStack() as stack:

        def opened(
            script: Script,
            *,
            caps: ModelCaps | None = None,
            server: dict[str, Any] | None = None,
            model: str | None = "fake-model",
            **door: Any,
        ) -> House:
            running = stack.enter_context(ChatServer(script, **(server or {})))
            settings = ModelSettings(base_url=running.url, model=model, api_key=SecretStr(KEY))
            events: list[Any] = []
            door.setdefault("exchanges", tmp_path / "exchanges.jsonl")
            opened_door = OpenAICompatible(settings, caps or ModelCaps(), events.append, **door)
            stack.callback(opened_door.close)
            return House(running, opened_door, events)

        yield opened


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own pauses between attempts, a hundredth as long: only their number is of interest."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.005)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)
