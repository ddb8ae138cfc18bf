"""The model as an adviser: asked seldom, its word weighed by the strategy.

    opening        one call before anything is known: its view, a prior for each hyperparameter, a warm start
    candidates     one call when something has happened or enough was learned (`cadence.py`)

The default and the first configuration of the warm start are suggested as they are. Everything else the model
proposes competes under the strategy's acquisition function, through the gate (`hybrid_strategy.py`).
Without a model, or when it fails, the strategy goes on alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tunesmith.agent.methods.hybrid.cadence import urgent, worth_asking
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.opening import WHERE, Opening
from tunesmith.errors import ModelError
from tunesmith.events import Degraded, PriorsElicited, Thought
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Configuration, Origin, Proposal

T = TypeVar("T")
WARM_TRIALS = 4
"""Finished trials below which the model may still open the run."""
WARM_ASKED, WARM_LAUNCHED = 5, 1
"""Configurations asked for at the opening, and how many of them are run unjudged.

Of a model's zero-shot configurations the first is what brings most (SLLMBO's records say so too); one
instead of two costs a good model nothing and halves what a bad one costs.
"""
CANDIDATES = 6
"""Candidates asked for in one call; asking for more costs little beside the prompt."""
REST = 3
"""After a fault the model is left alone until this many further trials have finished."""


class Proposer(Protocol):
    """A language model as a source of configurations; `ModelProposer` is the one there is."""

    def warm_start(self, history: History, n: int) -> list[Proposal]: ...

    def candidates(self, history: History, n: int) -> list[Proposal]: ...


class Adviser(Protocol):
    """One that also says what it believes."""

    def opening(self, history: History, n: int) -> Opening: ...

    def candidates(self, history: History, n: int) -> list[Proposal]: ...


class HybridSuggester:
    """Implements `tools.toolbox.study_toolbox.Suggester`. Called from the head's thread only.

    Args:
        strategy: Decides; also works alone.
        proposer: The model, or None.
        emit: Takes the model's beliefs and view, and the fallbacks.
        stated: Where the model's priors are kept; the strategy's own, if it can use them.
    """

    def __init__(
        self,
        strategy: Strategy,
        proposer: Adviser | None,
        emit: Emit,
        stated: ElicitedPriors | None = None,
    ) -> None:
        self._strategy, self._proposer, self._emit, self._stated = strategy, proposer, emit, stated
        self._opened = stated is not None and stated.asked
        self._kept: tuple[Proposal, ...] = ()
        self._asked_at: int | None = None  # number of finished trials at the last question
        self._rest_until = 0

    @property
    def left(self) -> tuple[Proposal, ...]:
        """The model's candidates that have not been suggested."""
        return self._kept

    def __call__(self, history: History, n: int, /) -> list[Proposal]:
        """Up to `n` suggestions, best first; the model is asked only where that is due."""
        self._kept = _new(self._kept, history)
        finished = len(history.finished)
        if not self._opened and finished < WARM_TRIALS:
            warm = self._open(history)
            if warm:
                return [*self._default(history), *warm][:n]
        elif worth_asking(finished, self._asked_at, urgent=urgent(history)):
            found = self._ask("llambo.candidates", history, lambda p: p.candidates(history, CANDIDATES))
            if found is not None:
                self._kept = _new((*found, *self._kept), history)[: 2 * CANDIDATES]
        chosen = self._strategy.propose(history, n, self._kept)
        taken = {proposal.configuration for proposal in chosen}
        self._kept = tuple(p for p in self._kept if p.configuration not in taken)
        return chosen

    def _open(self, history: History) -> list[Proposal]:
        """What the model would start from, unjudged; the rest of it is kept to compete."""
        said = self._ask(WHERE, history, lambda p: p.opening(history, WARM_ASKED))
        if said is None:
            return []
        self._opened = True
        if self._stated is not None:
            self._stated.state(said.beliefs)
        self._emit(PriorsElicited(beliefs=said.beliefs, prompt_id=said.prompt_id))
        if said.view:
            self._emit(Thought(turn=0, speaker="model", text=said.view))
        proposals = _new(said.proposals, history)
        # A zero-shot configuration that has to compete is no warm start any more.
        self._kept = tuple(p.with_provenance(stage=None) for p in proposals[WARM_LAUNCHED:])
        return list(proposals[:WARM_LAUNCHED])

    def _ask(self, where: str, history: History, question: Callable[[Adviser], T]) -> T | None:
        """The model's answer, or None where it is not asked or fails."""
        finished = len(history.finished)
        if self._proposer is None or finished < self._rest_until:
            return None
        try:
            answer = question(self._proposer)
        except ModelError as error:
            self._rest_until = finished + REST
            self._emit(
                Degraded(
                    what="fallback",
                    where=where,
                    cause=error_line(error),
                    continuation=f"the {self._strategy.name} strategy suggests alone, "
                    f"and the model is left alone for {REST} trials",
                )
            )
            return None
        self._asked_at = finished
        return answer

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
