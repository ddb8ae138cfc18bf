"""LLAMBO as a strategy: warm start -> candidates -> surrogate -> acquisition -> one proposal.

Each part may be another: the candidates of the numeric search, a Gaussian process as the judge, no warm start
(`composition.py` has the usual ones). A part that fails, or finds nothing new, costs this proposal only: the
fallback makes it instead, and says why.

Unlike other strategies this one does I/O: it asks a model, so it is called from a thread that may wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from typing import Protocol

from tunesmith.agent.methods.gp.acquisition import Acquisition
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.llambo.goals import weights_of, with_one_metric
from tunesmith.agent.methods.llambo.judges import judge_of
from tunesmith.agent.methods.llambo.part import silent
from tunesmith.agent.methods.random import draw
from tunesmith.agent.models import LanguageModel
from tunesmith.errors import InvalidAnswer, ModelError, PromptError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.text.cleaning import clean, error_line
from tunesmith.trial import Origin, Proposal

WHERE = "llambo"


class Source(Protocol):
    """Where candidates come from; `CandidateSampler`, `WarmStarter` and `NumericCandidates` are some."""

    def propose(self, history: History, n: int) -> list[Proposal]: ...


class LlamboStrategy(Strategy):
    """Puts the parts together; keeps of the past only what is left of a warm start.

    Args:
        space: What to search.
        seed: Of random opening trials.
        warm: Proposes the opening trials; None draws them uniformly.
        sampler: Proposes candidates.
        surrogate: Judges them: a discriminative or generative surrogate, a `GaussianProcessStrategy`, any
            `interfaces.Surrogate`, or whatever has their `judge`.
        acquisition: What a surrogate of values is judged by.
        kappa: For the acquisition `ucb`.
        fallback: Proposes where the parts cannot.
        initial: Opening trials.
        candidates: Candidates a proposal is chosen from.
        emit: Gets a Degraded for every fallback.
        model: What the sampler and the surrogate ask, for its usage; None: the tokens that candidates carry.
        metric: What prompts call the metric; None: as the history has it.
    """

    name = "llambo"

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        sampler: Source,
        surrogate: object,
        fallback: Strategy,
        warm: Source | None = None,
        acquisition: Acquisition = "log_ei",
        kappa: float = 2.0,
        initial: int = 5,
        candidates: int = 10,
        emit: Emit = silent,
        model: LanguageModel | None = None,
        metric: str | None = None,
    ) -> None:
        self.space, self.seed, self.fallback = space, seed, fallback
        self._sampler, self._warm = sampler, warm
        self._judge = judge_of(surrogate, acquisition, kappa)
        self._judged_by = getattr(surrogate, "prompt_id", None)
        self._initial, self._candidates, self._emit = initial, candidates, emit
        self._model, self._metric = model, metric
        self._opening: list[Proposal] = []

    def with_seed(self, seed: int) -> LlamboStrategy:
        """The same strategy with another seed for what is drawn; questions stay as they are."""
        other = copy(self)
        other.seed = seed
        if isinstance(self.fallback, GaussianProcessStrategy):
            other.fallback = self.fallback.with_seed(seed)
        return other

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        """As `Strategy.propose`; asks the model, and never raises for its sake."""
        if self._metric is not None and history.goals.plain:
            history = replace(history, metric=self._metric)
        chosen = history.default_first[:n]
        while len(chosen) < n:
            found = self._next(history.with_running(chosen), n - len(chosen), candidates)
            if not found:
                break
            chosen += found
        return chosen

    def _next(self, history: History, n: int, guests: Sequence[Proposal]) -> list[Proposal]:
        if self.space.cardinality is not None and len(history.taken) >= self.space.cardinality:
            return []  # all has been tried: there is nothing to ask a model for
        started, weights = len(history.not_lost), weights_of(history, self.seed)
        seen = with_one_metric(history, weights)
        if self._metric is not None and not history.goals.several:
            seen = replace(seen, metric=self._metric)
        opening = started < self._initial or not history.completed
        pool, found, cause = list(guests), list[Proposal](), "nothing new was found"
        if not opening and not seen.completed:
            # Nothing can be shown as good; the numeric strategy knows how far each trial is from the limits.
            return self._fall_back(history, n, pool, "no trial keeps every limit yet")
        with nullcontext(list[int]()) if self._model is None else self._model.tally() as spent:
            try:
                if opening:
                    found = self._open(seen, n, max(self._initial - started, 1))
                else:
                    pool = self._pool(seen, guests)
                    found = self._best(seen, n, pool)
            except (ModelError, PromptError) as error:
                cause = error_line(error)
        if len(weights) > 1 and not opening:
            found = [_of_objectives(p, weights) for p in found]
        if found and opening:
            return found  # a design carries its own share of what it cost
        if not found:
            # What was already answered still competes, under the fallback's own judgement.
            found = self._fall_back(history, n, pool, cause)
        if not found or not spent:
            return found
        # Whatever was asked was asked for the first of them.
        first = found[0]
        costs = {"calls": float(len(spent)), "tokens": float(sum(spent))}
        changes = {"details": {**first.details, **costs}, "tokens": sum(spent)}
        return [first.model_copy(update=changes), *(p.model_copy(update={"tokens": 0}) for p in found[1:])]

    def _open(self, history: History, n: int, missing: int) -> list[Proposal]:
        """Opening trials: the model's design while it lasts, or uniform draws."""
        if self._warm is None:
            drawn = draw(self.space, rng_for(self.seed, self.name, len(history)), history.taken)
            reason = "Uniform over the space: the design that the search starts from."
            return (
                [] if drawn is None else [Proposal(configuration=drawn, origin=Origin.RANDOM, reason=reason)]
            )
        # Changed in place: copies with another seed share the list, for it is one design.
        self._opening[:] = history.new(self._opening)
        if not self._opening:
            self._opening[:] = history.new(self._warm.propose(history, missing))
        found, self._opening[:] = self._opening[:n], self._opening[n:]
        return found

    def _pool(self, history: History, guests: Sequence[Proposal]) -> list[Proposal]:
        """Candidates that may run: others' and the sampler's."""
        pool = history.new([*guests, *self._sampler.propose(history, self._candidates)])
        return [p for p in pool if not self.space.problems(p.configuration)]

    def _best(self, history: History, n: int, pool: list[Proposal]) -> list[Proposal]:
        """The `n` best of one pool of candidates.

        Raises:
            ModelError: the judge failed, or could judge none.
        """
        if not pool:
            return []
        judged = self._judge.judge(history, pool)
        found = [p for p in judged if p.provenance.acquisition is not None][:n]
        if not found and self._judged_by is not None and len(pool) > 1:
            raise InvalidAnswer(f"none of the {len(pool)} candidates could be judged")
        # One candidate needs no judge; and a numeric judge without two different scores has no opinion yet.
        found = found or pool[:n]
        prompts = [p for p in (found[0].prompt_id, self._judged_by) if p]
        pooled = sum(p.tokens for p in pool)
        share = {"pool": float(len(pool))}
        return [
            p.model_copy(
                update={
                    "details": {**p.details, **share},
                    "prompt_id": " + ".join(dict.fromkeys(prompts)) or None,
                    "tokens": pooled if place == 0 else 0,
                }
            )
            for place, p in enumerate(found)
        ]

    def _fall_back(self, history: History, n: int, guests: Sequence[Proposal], cause: str) -> list[Proposal]:
        found = self.fallback.propose(history, n, guests)
        how = f"the {self.fallback.name} strategy proposes" if found else "the space has nothing new left"
        self._emit(Degraded(what="fallback", where=WHERE, cause=clean(cause, 500), continuation=how))
        words = clean(cause, 160)
        return [
            p.model_copy(
                update={"reason": f"Without the language model ({words}): {p.reason}"}
            ).with_provenance(fallback=True)
            for p in found
        ]


def _of_objectives(proposal: Proposal, weights: tuple[float, ...]) -> Proposal:
    """A proposal for several objectives: what was predicted is their weighted value, and no metric's."""
    shown = " : ".join(f"{weight:.2f}" for weight in weights)
    reason = f"For weights {shown} of the objectives: {proposal.reason}"
    return proposal.model_copy(update={"reason": reason, "expected": None, "spread": None})
