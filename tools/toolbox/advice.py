"""What a language model has said, handed over before the policy has decided, as soon as it is of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.events import PriorsElicited
from tunesmith.trial import Proposal


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Advice:
    """A part of an answer. It takes effect as a whole, in the engine's thread, between two proposals."""

    launch: tuple[Proposal, ...] = ()
    """To run next, unjudged; the task's default goes before them unless it has had its turn."""
    candidates: tuple[Proposal, ...] = ()
    """To compete with the strategy's own proposals from then on, beside those that do already."""
    priors: PriorsElicited | None = None
    """Stored when they begin to count."""
    apply: Callable[[], None] = _nothing
    """Called at that moment: what else proposals depend on is changed there and nowhere else."""


OnAdvice = Callable[[Advice], None]
"""Called in the policy's thread; returns when it has taken effect. ToolError once the search is over."""
