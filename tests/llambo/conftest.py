"""Scripted models for LLAMBO's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Script
from fakes.served_model import KEY, ServedModel
from tunesmith.agent.models import open_model
from tunesmith.budget import ModelCaps
from tunesmith.settings import ModelSettings

NO_CAPS = ModelCaps(calls=None, tokens=None, dollars=None)


@pytest.fixture
def serve() -> Iterator[Callable[..., ServedModel]]:
    """Starts a server with a script and opens a model on it, without caps unless given."""
    with ExitStack() as stack:

        def served(
            script: Script, *, caps: ModelCaps = NO_CAPS, server: Any = None, **options: Any
        ) -> ServedModel:
            running = stack.enter_context(ChatServer(script, **(server or {})))
            settings = ModelSettings(base_url=running.url, model="fake-model", api_key=SecretStr(KEY))
            events: list[Any] = []
            options.setdefault("mode", "live")
            opened = open_model(settings, caps, events.append, max_retries=0, **options)
            stack.callback(opened.close)
            return ServedModel(running, opened, events)

        yield served
