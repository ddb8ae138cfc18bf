"""The published loop on a pipeline in memory, with a function as its language model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakes.small_pipeline import CAPS, empty, task, told
from tunesmith.agent.methods.agenttts.paper_method import METHOD, paper_strategy
from tunesmith.agent.methods.base import MethodContext
from tunesmith.agent.models import open_model
from tunesmith.events import Degraded, GuidelinesStated
from tunesmith.history import History
from tunesmith.task import Task


class Loop:
    """`agenttts-paper` on the task of `small_pipeline`, trial by trial.

    Args:
        answer: The language model: from messages to text.
        earlier: Events of a session before.
        settings: Changes of the preset's.
    """

    def __init__(
        self,
        answer: Callable[[list[dict[str, Any]]], str],
        earlier: Any = (),
        made: Task | None = None,
        exchanges: Any = None,
        mode: Any = "live",
        **settings: Any,
    ) -> None:
        self.task = made or task()
        self.events: list[Any] = []
        self.model = open_model(answer, CAPS, self.emit, exchanges=exchanges, mode=mode)
        context = MethodContext(
            self.task,
            self.emit,
            self.model,
            name="agenttts-paper",
            settings=METHOD.settings(**settings),
            earlier=earlier,
        )
        strategy = paper_strategy(context)
        assert strategy is not None
        self.strategy = strategy

    def emit(self, event: Any) -> Any:
        self.events.append(event)
        return event

    def run(self, most: int, history: History | None = None) -> History:
        history = empty(self.task) if history is None else history
        while len(history) < most:
            proposals = self.strategy.propose(history, 1)
            if not proposals:
                break
            history = told(self.task, history, proposals[0])
        return history

    def lost(self, what: str) -> list[Degraded]:
        return [e for e in self.events if isinstance(e, Degraded) and e.what == what]

    @property
    def rounds(self) -> list[GuidelinesStated]:
        return [e for e in self.events if isinstance(e, GuidelinesStated)]


@pytest.fixture
def loop() -> type[Loop]:
    return Loop
