"""When the model is asked, and which of its configurations compete.

    opening        one call before anything is known: priors for the hyperparameters, and a warm start
    candidates     one call when something has happened or enough was learned (`policy/query_schedule.py`)

The default and the first configuration of the warm start are run as they are. All others of the model compete
under the strategy's acquisition function, through the gate (`strategy.py`). Trials go on while the model
thinks, and its opening counts from when it comes, part by part where it comes in parts (`opening_parts.py`).
Without a model, or when it fails, the strategy suggests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.opening_parts import OpeningParts
from tunesmith.agent.methods.hybrid.partial import OnPart, Part
from tunesmith.agent.methods.hybrid.proposer import CANDIDATES, OPENING, Opening
from tunesmith.agent.policy.query_schedule import query_due, urgent
from tunesmith.errors import ModelError
from tunesmith.events import Degraded, Thought
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.text.cleaning import error_line
from tunesmith.tools.toolbox.advice import Advice, OnAdvice
from tunesmith.trial import Proposal

T = TypeVar("T")
OPENING_UNTIL = 10
"""From so many finished trials on candidates are asked for instead: the opening's prompt shows no more."""
OPENINGS = 2
"""How often the opening is asked for where no answer comes: shorter questions may do better."""
WARM_ASKED, WARM_LAUNCHED = 5, 1
"""Configurations asked for at the opening, and how many of them are run unjudged.

Of a model's zero-shot configurations the first brings most (SLLMBO reports the same); one instead of two
costs a good model nothing and halves what a bad one costs.
"""
ASKED = 6
"""Candidates asked for in one call; asking for more costs little beside the prompt."""
PAUSE = 3
"""After a fault the model is not asked until this many further trials have finished."""


class Proposer(Protocol):
    """A source of priors and configurations; `proposer.ModelProposer` is the one there is.

    Called from the policy's thread. A ModelError costs a pause, any other error the decision. `on_part` is
    given in a run: what it was called with counts, whatever comes after.
    """

    def opening(self, history: History, n: int, on_part: OnPart | None = None) -> Opening: ...

    def candidates(self, history: History, n: int, on_part: OnPart | None = None) -> list[Proposal]: ...


class HybridSuggester:
    """Implements `tools.toolbox.study_toolbox.Suggester`. Called from the policy's thread only.

    Args:
        strategy: Chooses; also works without a model.
        proposer: The model, or None.
        emit: Receives the model's priors and view, and the fallbacks.
        elicited: Where the model's priors are kept; the strategy's own, if it can use them.
        competing: The model's configurations from an earlier session of the run.
    """

    def __init__(
        self,
        strategy: Strategy,
        proposer: Proposer | None,
        emit: Emit,
        elicited: ElicitedPriors | None = None,
        competing: Sequence[Proposal] = (),
    ) -> None:
        self._strategy, self._proposer, self._emit, self._elicited = strategy, proposer, emit, elicited
        self._opened = elicited is not None and elicited.asked
        self._kept = list(competing)
        self._openings_left = OPENINGS
        self._asked_at: int | None = None  # number of finished trials at the last question
        self._pause_until = 0

    @property
    def left(self) -> tuple[Proposal, ...]:
        """The model's candidates that have not been suggested."""
        return tuple(self._kept)

    def __call__(self, history: History, n: int, /, on_advice: OnAdvice | None = None) -> list[Proposal]:
        """Up to `n` suggestions, best first; the model is asked only where that is due."""
        self._kept = history.new(self._kept)
        finished = len(history.finished)
        if not self._opened and self._openings_left and finished < OPENING_UNTIL:
            warm = self._open(history, on_advice)
            if warm and on_advice is None:
                return [*history.default_first, *warm][:n]
        elif query_due(finished, self._asked_at, urgent=urgent(history)):
            candidates = self._ask(CANDIDATES, history, lambda p: _candidates(p, history, on_advice))
            if candidates is not None:
                self._kept = history.new([*candidates, *self._kept])[: 2 * ASKED]
        chosen = self._strategy.propose(history, n, self._kept)
        suggested = {proposal.configuration for proposal in chosen}
        self._kept = [p for p in self._kept if p.configuration not in suggested]
        return chosen

    def _open(self, history: History, on_advice: OnAdvice | None) -> list[Proposal]:
        """The first configurations of the warm start, unjudged; the others are kept to compete."""
        parts = OpeningParts(history, self._elicited, self._emit, on_advice, launched=WARM_LAUNCHED)

        def ask(proposer: Proposer) -> Opening:
            self._openings_left -= 1
            if on_advice is None:
                return proposer.opening(history, WARM_ASKED)
            return proposer.opening(history, WARM_ASKED, parts.add_part)

        opening = self._ask(OPENING, history, ask)
        if opening is not None:
            parts.add(opening)
            if opening.view:
                self._emit(Thought(turn=0, speaker="model", text=opening.view))
        self._opened = parts.begun
        self._kept = [*parts.competing, *self._kept]
        return parts.warm

    def _ask(self, where: str, history: History, question: Callable[[Proposer], T]) -> T | None:
        """The model's answer, or None where it is not asked or fails."""
        finished = len(history.finished)
        if self._proposer is None or finished < self._pause_until:
            return None
        try:
            answer = question(self._proposer)
        except ModelError as error:
            self._pause_until = finished + PAUSE
            continuation = (
                f"the {self._strategy.name} strategy suggests alone, "
                f"and the model is not asked for {PAUSE} trials"
            )
            self._emit(
                Degraded(what="fallback", where=where, cause=error_line(error), continuation=continuation)
            )
            return None
        self._asked_at = finished
        return answer


def _candidates(proposer: Proposer, history: History, on_advice: OnAdvice | None) -> list[Proposal]:
    """The model's candidates, of which each competes as soon as it is written."""
    if on_advice is None:
        return proposer.candidates(history, ASKED)

    def add_part(part: Part) -> None:
        if isinstance(part, Proposal):
            on_advice(Advice(candidates=(part,)))

    return proposer.candidates(history, ASKED, add_part)
