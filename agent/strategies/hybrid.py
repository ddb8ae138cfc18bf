"""The model proposes, the strategy decides: suggestions with both having had a say.

While hardly anything is known, the model's warm start is suggested as it is, after the default
configuration. From then on the model's candidates compete with the strategy's own under the strategy's one
acquisition function, and only its choice is suggested. Without a model, or when the model fails, the
strategy goes on alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tunesmith.errors import ModelError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.trial import Configuration, Origin, Proposal

WARM_TRIALS = 4
"""Finished trials below which the model is asked for a warm start instead of candidates."""
CANDIDATES = 6
"""Candidates asked for in one call; asking for more costs little beside the prompt."""
REST = 3
"""After a fault the model is left alone until this many further trials have finished."""


class Proposer(Protocol):
    """A language model as a source of configurations; `llambo.LlamboProposer` is the one there is."""

    def warm_start(self, history: History, n: int) -> list[Proposal]: ...

    def candidates(self, history: History, n: int) -> list[Proposal]: ...


class HybridSuggester:
    """Implements `tools.toolbox.Suggester`. Called from the head's thread only.

    Args:
        strategy: Decides; also works alone.
        proposer: The model, or None.
        emit: Takes the fallbacks.
        warm_trials: Finished trials below which a warm start is asked for.
    """

    def __init__(
        self, strategy: Strategy, proposer: Proposer | None, emit: Emit, *, warm_trials: int = WARM_TRIALS
    ) -> None:
        self._strategy, self._proposer, self._emit = strategy, proposer, emit
        self._warm_trials = warm_trials
        self._kept: tuple[Proposal, ...] = ()
        self._asked_at: int | None = None  # number of finished trials at the last question
        self._rest_until = 0

    @property
    def left(self) -> tuple[Proposal, ...]:
        """The model's candidates that have not been suggested."""
        return self._kept

    def __call__(self, history: History, n: int, /) -> list[Proposal]:
        """Up to `n` suggestions, best first; the model is asked once for each new state of the history."""
        warm = len(history.finished) < self._warm_trials
        self._kept = _new(self._kept, history)
        fresh = self._ask(history, warm, n)
        if fresh is not None:
            self._kept = _new((*fresh, *self._kept), history)[: 2 * CANDIDATES]
        if warm and self._kept:
            chosen = [*self._default(history), *self._kept][:n]
        else:
            chosen = self._strategy.propose(history, n, self._kept)
        taken = {proposal.configuration for proposal in chosen}
        self._kept = tuple(p for p in self._kept if p.configuration not in taken)
        return chosen

    def _ask(self, history: History, warm: bool, n: int) -> list[Proposal] | None:
        """The model's new proposals, or None where it is not asked or fails."""
        finished = len(history.finished)
        if self._proposer is None or finished < self._rest_until:
            return None
        if self._asked_at == finished:
            return None  # nothing was learned since; what it said then is still on the table
        where = "llambo.warm_start" if warm else "llambo.candidates"
        try:
            if warm:
                found = self._proposer.warm_start(history, max(n, self._warm_trials))
            else:
                found = self._proposer.candidates(history, CANDIDATES)
        except ModelError as error:
            self._rest_until = finished + REST
            self._emit(
                Degraded(
                    what="fallback",
                    where=where,
                    cause=f"{type(error).__name__}: {error}"[:500],
                    continuation=f"the {self._strategy.name} strategy suggests alone, "
                    f"and the model is left alone for {REST} trials",
                )
            )
            return None
        self._asked_at = finished
        return found

    def _default(self, history: History) -> list[Proposal]:
        """The default configuration while it has not been tried: the baseline goes first."""
        if history.default is None:
            return []
        reason = "The task's own default: everything else is compared with it."
        default = Proposal(configuration=history.default, origin=Origin.DEFAULT, reason=reason)
        return list(_new((default,), history))


def _new(proposals: Sequence[Proposal], history: History) -> tuple[Proposal, ...]:
    """Without what is running or done, and each configuration once."""
    kept: dict[Configuration, Proposal] = {}
    for proposal in proposals:
        if proposal.configuration.digest not in history.taken:
            kept.setdefault(proposal.configuration, proposal)
    return tuple(kept.values())
