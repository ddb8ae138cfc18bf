"""`agenttts` passes what every method passes, on pipelines; on anything else it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunesmith.agent.methods.agenttts.method import METHOD, strategy_for
from tunesmith.agent.methods.base import Method
from tunesmith.errors import TaskError
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.testing.methods import MethodCases
from tunesmith.testing.studies import FINITE, SPACES, task_for

MODELS = {"small": {"parameters": 1e9}, "middle": {"parameters": 4e9}, "large": {"parameters": 3e10}}
ANSWER = {"models": MODELS, "samples": {"low": 1, "high": 200}, "temperature": {"low": 0.1, "high": 1.2}}
PIPELINES: dict[str, dict[str, Any]] = {
    "numbers": {"stages": {"answer": ANSWER}},
    "branches": {
        "stages": {
            "retrieve": {"models": MODELS, "samples": [1, 2, 4, 8, 16], "prompts": ["plain", "list"]},
            "repair": {
                "models": ["one", "two"],
                "samples": [1, 4],
                "when": "stages.py:failed",
                "rounds": [0, 1, 2],
            },
        }
    },
    "constraint": {
        "stages": {
            "plan": {"models": MODELS, "samples": [1, 2, 4, 8]},
            "answer": {"models": MODELS, "samples": {"low": 1, "high": 200}},
        },
        "item_budget": 1e11,
    },
    "front": {
        "stages": {"plan": {"models": MODELS, "samples": [1, 2, 4]}, "answer": {"models": ["one", "two"]}},
        "goal": "front",
    },
    "finite": {"stages": {"answer": {"models": MODELS, "samples": [1, 3]}}},
}


def pipeline_task(name: str, **changes: Any) -> Task:
    """A task over one of PIPELINES, whose default is a fixed draw."""
    given = {"problem": {"name": "pipeline", **PIPELINES[name]}, **changes}
    default = Task.model_validate(given).space.sample(np.random.default_rng(1))[0]
    return Task.model_validate({**given, "default": default})


class TestAgentTTS(MethodCases):
    @pytest.fixture
    def method(self) -> Method:
        return METHOD

    def task_for(self, space: Space, **changes: Any) -> Task:
        name = next((name for name, known in SPACES.items() if known == space), "finite")
        return pipeline_task(name, **changes)

    def task_with_goals(self, space: Space, several: bool, limits: bool, feasible: bool) -> Task:
        limits = {"quality": ">= 0.8" if feasible else ">= 2"}
        return pipeline_task("front", limits=limits)


@pytest.mark.parametrize("space", [*SPACES.values(), FINITE], ids=[*SPACES, "finite"])
def test_a_task_that_is_no_pipeline_is_refused_with_the_fix(space: Space) -> None:
    with pytest.raises(TaskError, match="problem: {name: pipeline"):
        strategy_for(task_for(space))
