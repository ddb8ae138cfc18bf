"""What can be chosen by name: ours and those of installed packages, found in the same way.

A package adds a member by an entry point in the group `tunesmith.<family>`:

    [project.entry-points."tunesmith.methods"]
    halton = "my_package:HALTON"

Nothing is imported until a member is asked for. The contract of each family is in
the `base.py` beside its members; `tunesmith.testing.<family>` has the tests that every member passes.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tunesmith.errors import UnknownName
from tunesmith.text.suggestions import did_you_mean


class Registry:
    """The members of one family by name.

    Args:
        family: Names the group of entry points, and the family in messages: `methods`.
        noun: One member, in messages: `method`.
        built_in: Ours: name -> `module:attribute`. A package cannot replace one of these.
    """

    def __init__(self, family: str, noun: str, built_in: Mapping[str, str]) -> None:
        self.family, self.noun = family, noun
        self._built_in = built_in

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        group = f"tunesmith.{self.family}"
        found = {point.name: point for point in entry_points(group=group)}
        return found | {name: EntryPoint(name, place, group) for name, place in self._built_in.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Every name: ours in their own order, then those of other packages, sorted."""
        return (*self._built_in, *sorted(self._points.keys() - self._built_in.keys()))

    @property
    def default(self) -> str:
        """The member that is used where a task names none: the first of ours."""
        return next(iter(self._built_in))

    def package_of(self, name: str) -> str | None:
        """The installed package that a member comes from; None for ours."""
        point = self._points.get(name)
        return None if point is None or point.dist is None else point.dist.name

    def get(self, name: str) -> Any:
        """The member called `name`, imported now.

        Raises:
            UnknownName: There is none, or the package that has it cannot be imported.
        """
        point = self._points.get(name)
        if point is None:
            raise UnknownName(f"{name[:100]!r} is no {self.noun}; {did_you_mean(name, self.names)}")
        if name in self._built_in:
            return getattr(importlib.import_module(point.module), point.attr)
        try:
            return point.load()
        except Exception as error:
            package = self.package_of(name) or point.module
            raise UnknownName(
                f"the {self.noun} {name!r} of the package {package} cannot be loaded "
                f"({type(error).__name__}: {error}). Mend or uninstall that package."
            ) from error


METHODS = Registry(
    "methods",
    "method",
    {
        "hybrid": "tunesmith.agent.methods.hybrid.method:METHOD",
        "numeric": "tunesmith.agent.methods.gp.method:METHOD",
        "agenttts": "tunesmith.agent.methods.agenttts.method:METHOD",
        "llambo": "tunesmith.agent.methods.llambo.method:LLAMBO",
        "llambo-paper": "tunesmith.agent.methods.llambo.method:LLAMBO_PAPER",
        "llambo-code": "tunesmith.agent.methods.llambo.method:LLAMBO_CODE",
        "agenttts-paper": "tunesmith.agent.methods.agenttts.paper_method:METHOD",
        "random": "tunesmith.agent.methods.random:METHOD",
    },
)
EXECUTORS = Registry("executors", "executor", {"local": "tunesmith.tools.execution.local:MEMBER"})
PROBLEMS = Registry(
    "problems",
    "kind of problem",
    {"training": "tunesmith.problem:Training", "pipeline": "tunesmith.pipeline.kind:Pipeline"},
)
POLICIES = Registry(
    "policies",
    "policy",
    {
        "rules": "tunesmith.agent.policy.rules:MEMBER",
        "agent": "tunesmith.agent.policy.turn_schedule:MEMBER",
    },
)
LANGUAGE_MODELS = Registry(
    "language_models",
    "kind of language model",
    {
        "openai": "tunesmith.agent.models.openai_compatible:OpenAICompatible",
        "function": "tunesmith.agent.models.function:from_settings",
    },
)
"""Builders: from `ModelSettings` to a `tunesmith.agent.models.Provider`."""
SINKS = Registry(
    "sinks",
    "sink",
    {"jsonl": "tunesmith.tools.sinks.jsonl:JsonLines", "report": "tunesmith.tools.sinks.report:Report"},
)
TOOLS = Registry(
    "tools",
    "tool",
    {
        "describe_task": "tunesmith.tools.toolbox.describe_task:describe_task",
        "history": "tunesmith.tools.toolbox.history:history",
        "learning_curve": "tunesmith.tools.toolbox.learning_curve:learning_curve",
        "suggest": "tunesmith.tools.toolbox.suggest:suggest",
        "launch_trials": "tunesmith.tools.toolbox.launch_trials:launch_trials",
        "finish": "tunesmith.tools.toolbox.finish:finish",
        "decide": "tunesmith.tools.toolbox.decide:decide",
    },
)

FAMILIES = (METHODS, EXECUTORS, PROBLEMS, POLICIES, LANGUAGE_MODELS, SINKS, TOOLS)
"""Every family, in the order in which `tunesmith check` lists them."""
