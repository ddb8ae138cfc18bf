"""Tunesmith: an agent tunes, statistics decides.

    import tunesmith
    result = tunesmith.tune(train, space, metric="val_accuracy", direction="maximize", trials=16)

Public names load on first use, so that `import tunesmith` costs nothing.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.agent.methods.llambo.sampler import LlamboSampler
    from tunesmith.agent.samplers.tunesmith_sampler import TunesmithSampler
    from tunesmith.api import Result, stop, tune
    from tunesmith.api.beliefs import beliefs_of
    from tunesmith.data_card import DataCard
    from tunesmith.errors import RunFailed, TunesmithError
    from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
    from tunesmith.task import Task, load_task
    from tunesmith.tools.execution.handle import TrialHandle as Trial

    __version__: str

_HOMES = {
    "Bool": "tunesmith.space",
    "Categorical": "tunesmith.space",
    "DataCard": "tunesmith.data_card",
    "Float": "tunesmith.space",
    "Int": "tunesmith.space",
    "LlamboSampler": "tunesmith.agent.methods.llambo.sampler",
    "Ordinal": "tunesmith.space",
    "Result": "tunesmith.api",
    "RunFailed": "tunesmith.errors",
    "Space": "tunesmith.space",
    "Task": "tunesmith.task",
    "Trial": "tunesmith.tools.execution.handle:TrialHandle",
    "TunesmithError": "tunesmith.errors",
    "TunesmithSampler": "tunesmith.agent.samplers.tunesmith_sampler",
    "beliefs_of": "tunesmith.api.beliefs",
    "load_task": "tunesmith.task",
    "stop": "tunesmith.api",
    "tune": "tunesmith.api",
}

__all__ = [
    "Bool",
    "Categorical",
    "DataCard",
    "Float",
    "Int",
    "LlamboSampler",
    "Ordinal",
    "Result",
    "RunFailed",
    "Space",
    "Task",
    "Trial",
    "TunesmithError",
    "TunesmithSampler",
    "beliefs_of",
    "load_task",
    "stop",
    "tune",
]


if not TYPE_CHECKING:  # else every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return metadata.version("tunesmith")
        if name not in _HOMES:
            raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
        home, _, called = _HOMES[name].partition(":")
        return getattr(import_module(home), called or name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
