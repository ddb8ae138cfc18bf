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
    from tunesmith.api import Result, tune
    from tunesmith.data_card import DataCard
    from tunesmith.errors import TunesmithError
    from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
    from tunesmith.task import Task, load_task

_HOMES = {
    "Bool": "tunesmith.space",
    "Categorical": "tunesmith.space",
    "DataCard": "tunesmith.data_card",
    "Float": "tunesmith.space",
    "Int": "tunesmith.space",
    "LlamboSampler": "tunesmith.agent.methods.llambo.sampler",
    "Ordinal": "tunesmith.space",
    "Result": "tunesmith.api",
    "Space": "tunesmith.space",
    "Task": "tunesmith.task",
    "TunesmithError": "tunesmith.errors",
    "TunesmithSampler": "tunesmith.agent.samplers.tunesmith_sampler",
    "load_task": "tunesmith.task",
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
    "Space",
    "Task",
    "TunesmithError",
    "TunesmithSampler",
    "load_task",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("tunesmith")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
