"""Opens language models on scripted servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Script
from fakes.served_model import KEY, ServedModel
from tunesmith.agent.models import open_model
from tunesmith.budget import ModelCaps
from tunesmith.settings import ModelSettings


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServedModel]]:
    """Starts a server with a script and opens a model on it; both close with the test."""
    with ExitStack() as stack:

        def served(
            script: Script,
            *,
            caps: ModelCaps | None = None,
            server: dict[str, Any] | None = None,
            model: str | None = "fake-model",
            **options: Any,
        ) -> ServedModel:
            running = stack.enter_context(ChatServer(script, **(server or {})))
            settings = ModelSettings(base_url=running.url, model=model, api_key=SecretStr(KEY))
            events: list[Any] = []
            options.setdefault("exchanges", tmp_path / "exchanges.jsonl")
            opened = open_model(settings, caps or ModelCaps(), events.append, **options)
            stack.callback(opened.close)
            return ServedModel(running, opened, events)

        yield served


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between attempts, a hundredth as long: only their number is of interest."""
    monkeypatch.setattr("tunesmith.agent.models.exchange.FIRST_PAUSE_S", 0.005)
    monkeypatch.setattr("tunesmith.agent.models.exchange.LONGEST_PAUSE_S", 0.02)
