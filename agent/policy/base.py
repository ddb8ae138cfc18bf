"""What a policy is built from: the contract of the members of `registry.POLICIES`.

`interfaces.Policy` says what a policy does during a run; `rules.py` is the smallest member.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.interfaces import Emit, Policy
from tunesmith.task import Task

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel


@dataclass(frozen=True)
class PolicyContext:
    """What a session gives to whatever it builds."""

    task: Task
    emit: Emit
    """Stores an event of the run; may be called from any thread."""
    model: LanguageModel | None = None
    """The language model of this session; None where there is none, or where it cannot be reached."""


@dataclass(frozen=True)
class PolicyMember:
    """A policy that can be chosen by name (`policy: NAME` in a task file)."""

    summary: str
    """What it does, in one line; shown by `tunesmith check`."""
    build: Callable[[PolicyContext], Policy]
    """Called once a session, in its main thread, before the first trial. Must work without a model."""
    uses_model: bool = False
    """Whether a session that uses it opens a language model."""
