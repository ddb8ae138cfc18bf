"""What every tool of the agent passes. Inherit `ToolCases` and give it the fixture `tool`.

class TestMine(ToolCases):
    @pytest.fixture
    def tool(self):
        return my_package.my_tool
"""

from __future__ import annotations

from inspect import getdoc
from typing import Any

import pytest

from tunesmith.budget import Budget, Spend
from tunesmith.errors import ToolError
from tunesmith.history import History
from tunesmith.interfaces import Briefing
from tunesmith.task import Task
from tunesmith.testing.studies import SPACES, empty_history, grown, task_for, task_with_goals
from tunesmith.tools.toolbox.advice import OnAdvice
from tunesmith.tools.toolbox.base import Tool, Turn, arguments_model
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import Proposal

LIMIT = 10_000
"""Characters of a result."""


class _NoSuggestions:
    left = ()

    def __call__(self, history: History, n: int, /, on_advice: OnAdvice | None = None) -> list[Proposal]:
        return []


class ToolCases:
    """Inherit, and add the fixture `tool`; override `arguments` for a tool that requires some."""

    @pytest.fixture
    def arguments(self) -> dict[str, Any]:
        """Legal arguments by name."""
        return {}

    @pytest.mark.parametrize("space", SPACES)
    def test_a_model_can_read_what_it_does_and_takes(
        self, tool: Tool, arguments: dict[str, Any], space: str
    ) -> None:
        assert getdoc(tool)
        model = arguments_model("Arguments", tool, SPACES[space])
        model.model_validate(arguments)
        assert model.model_json_schema()["additionalProperties"] is False

    @pytest.mark.parametrize("trials", [0, 5, 1000])
    def test_the_result_is_text_of_bounded_size_or_a_refusal(
        self, tool: Tool, arguments: dict[str, Any], trials: int
    ) -> None:
        _called(tool, arguments, task_for(SPACES["branches"]), trials)

    @pytest.mark.parametrize("bound", [-1.0, 0.5], ids=["none is feasible", "some are feasible"])
    def test_so_it_is_with_several_metrics_limits_and_costs(
        self, tool: Tool, arguments: dict[str, Any], bound: float
    ) -> None:
        _called(tool, arguments, task_with_goals(SPACES["branches"], bound=bound), 200)


def _called(tool: Tool, arguments: dict[str, Any], task: Task, trials: int) -> None:
    history = grown(task, trials) if trials else empty_history(task)
    about = Briefing(task, history, Budget(trials=2000), Spend(trials=trials), ("start",))
    toolbox = StudyToolbox(about, suggest=_NoSuggestions(), launch=lambda proposals: [])
    given = arguments_model("Arguments", tool, task.space, task.goals).model_validate(arguments)
    values = {name: getattr(given, name) for name in type(given).model_fields}
    try:
        assert 0 < len(tool(Turn(about, toolbox), **values)) <= LIMIT
    except ToolError as error:
        assert 0 < len(str(error)) <= LIMIT
