"""The main method: Bayesian optimisation with a Gaussian process and priors that fade.

    default configuration -> one uniform point -> the candidate of highest acquisition, again and again

Parts, one a file: `prior.py` (densities from names and the default), `scores.py` (metric to normal scores),
`gp_model.py` (the Gaussian process), `surrogate.py` (history in, predictions out), `posterior.py` (surrogate
and priors as one acquisition function), `acquisition.py` (log EI), `candidates.py` (its maximum),
`feasibility.py` (where trials work), `away.py` (what to try while nothing has), `limits.py` (where they keep
limits), `several.py` (several metrics), `spending.py` (costs), `calibration.py` (the spread that is shown),
`reasons.py` (the choice in words).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from copy import copy
from dataclasses import replace
from typing import Protocol

import numpy as np

from tunesmith.agent.knowledge import Card, find_cards
from tunesmith.agent.methods.gp.away import away_from_failures
from tunesmith.agent.methods.gp.calibration import spread_factor
from tunesmith.agent.methods.gp.candidates import COARSE, FINE, ORIGINS, Pool, search
from tunesmith.agent.methods.gp.feasibility import Feasibility, feasibility_of
from tunesmith.agent.methods.gp.filling import FILLING, SpaceFilling, stagnation
from tunesmith.agent.methods.gp.posterior import Posterior, posterior_at
from tunesmith.agent.methods.gp.prior import CardSource, Prior, build_prior
from tunesmith.agent.methods.gp.prior_words import stated
from tunesmith.agent.methods.gp.reasons import explain, explain_prior
from tunesmith.agent.methods.gp.recommending import recommended
from tunesmith.agent.methods.gp.replicates import Replicates
from tunesmith.agent.methods.gp.spending import Cost, Spending, spending_at
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.agent.methods.gp.trust import without_surrogate
from tunesmith.agent.methods.random import draw
from tunesmith.goals import Goal
from tunesmith.history import Array, History
from tunesmith.interfaces import Strategy
from tunesmith.noise import Noise
from tunesmith.recommendation import Recommendation
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.stated_prior import TRUST, StatedPrior
from tunesmith.trial import Configuration, Origin, Proposal, Provenance

STEPPED_FROM = 3
"""How many of the best trials get local steps."""


class CandidateExpert(Protocol):
    """A second opinion on competing candidates; `hybrid.expert.ModelExpert` is the one there is."""

    def weigh(self, pool: Pool, candidates: Sequence[Proposal], posterior: Posterior) -> Pool:
        """The pool with the candidates' scores changed, best first again."""
        ...


class GaussianProcessStrategy(Strategy):
    """Proposes by expected improvement of a Gaussian process, tilted by priors while data agree with them.

    With neither a default nor a known name it is a plain Gaussian process. A batch is built one by one, each
    proposal counting as running for the next.

    Args:
        space: What to search.
        seed: The same seed and history give the same proposals, bit for bit.
        words: About the model and data; decides which context of a prior card fits.
        priors: Whether priors (by name, and around the default) take part at all.
        cards: Where priors by name come from: the cards that ship with Tunesmith unless given;
            `knowledge.cards_for(card)` for the same with a data card's figures.
        noise: What is known of the metric's noise; see `replicates.py` for what follows from it.
        trials: The budget; 0 where it is not known: then no trial is repeated, and costs are saved for more.
        cost: What a configuration costs; it counts where the history says what the next trial may cost.
    """

    name = "gaussian_process"

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        words: str = "",
        priors: bool = True,
        cards: CardSource = find_cards,
        noise: Noise | None = None,
        trials: int = 0,
        cost: Cost | None = None,
    ) -> None:
        self.space, self.seed, self.words, self.priors, self.cards = space, seed, words, priors, cards
        self.replicates, self.cost, self.trials = Replicates(noise, trials), cost, trials
        self._fit_seed = seed  # stays, so that copies with other seeds can share what is fitted
        self._elicited: Mapping[str, Card] = {}
        self._expert: CandidateExpert | None = None
        self._prior: tuple[str, Prior] | None = None
        self._surrogates: dict[bool, GaussianProcessSurrogate] = {}
        self._of_others: dict[tuple[str, bool], GaussianProcessSurrogate] = {}
        self._filling = SpaceFilling(space, seed)

    def with_seed(self, seed: int) -> GaussianProcessStrategy:
        """The same strategy with another seed, sharing what is already computed."""
        other = copy(self)
        other.seed = seed
        return other

    def with_advice(
        self, elicited: Mapping[str, Card], expert: CandidateExpert | None
    ) -> GaussianProcessStrategy:
        """The same strategy with priors elicited for this task and a second opinion on candidates.

        Shares what is already computed. Without either it is this strategy, bit for bit.
        """
        other = copy(self)
        if elicited != self._elicited:
            other._elicited, other._prior = dict(elicited), None
        other._expert = expert
        return other

    @one_thread
    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        rng = rng_for(self.seed, self.name, len(history), len(history.pending))
        prior = self.prior(history)
        posterior = self._posterior(history, prior)
        if posterior is None:
            prior = without_surrogate(prior, history)
        legal = [c for c in candidates if not self.space.problems(c.configuration)]
        proposals = history.default_first or self.replicates.due(history, posterior)
        if (spending := spending_at(self.space, self.cost, history, self.trials)) is not None:
            proposals = [p for p in proposals if spending.allows(p.configuration)]
        while len(proposals) < n:
            spending = spending_at(self.space, self.cost, history, self.trials, proposals)
            taken = history.taken | {p.configuration.digest for p in proposals}
            competing = [c for c in legal if c.configuration.digest not in taken]
            if spending is not None:
                competing = [c for c in competing if spending.allows(c.configuration)]
                posterior = None if posterior is None else replace(posterior, spending=spending)
            proposal = None
            pending = self._rows(
                [t.configuration for t in history.pending] + [p.configuration for p in proposals]
            )
            now = history.with_running(proposals)
            feasibility = feasibility_of(self.space, history)
            if feasibility is not None and not history.completed:
                proposal = away_from_failures(
                    self.space, prior, feasibility, history, competing, pending, rng, taken
                )
            elif not (self._expert is not None and competing) and self._filling.due(now):
                proposal = self._fill(now, posterior, feasibility, pending, taken)
            elif posterior is None:
                started = len(history) + len(proposals)
                proposal = self._from_nothing(prior, competing, started, rng, taken, spending)
            else:
                proposal = self._search(history, posterior, competing, pending, rng, taken)
            if spending is not None and proposal is not None and not spending.allows(proposal.configuration):
                proposal = None
                if posterior is not None:
                    proposal = self._search(history, posterior, competing, pending, rng, taken)
            if proposal is None:
                drawn = draw(self.space, rng, taken) if spending is None else spending.draw(rng, taken)
                if drawn is None:
                    break
                first = "a first look away from what was expected to be good"
                why = first if posterior is None else "nothing else that is new was found"
                reason = f"Uniform over the space: {why}."
                proposal = Proposal(configuration=drawn, origin=Origin.RANDOM, reason=reason)
            proposals.append(proposal)
        return proposals

    @one_thread
    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Others' proposals with `expected`, `spread` and `provenance.acquisition` filled in, best first.

        Those already tried, or too dear, come last, without an acquisition. Before there are two different
        scores nothing can be judged, and they come back as they are.
        """
        posterior = self._posterior(history, self.prior(history))
        if posterior is None or not proposals:
            return list(proposals)
        if (spending := spending_at(self.space, self.cost, history, self.trials)) is not None:
            posterior = replace(posterior, spending=spending)
        rows = self._rows([p.configuration for p in proposals])
        score = posterior.acquisition(rows, self._fantasies(history.encoded(history.pending)[0]))
        expected, spread = posterior.fitted.metric(*posterior.predict(rows))
        factor = spread_factor(history)
        judged = []
        for i, proposal in enumerate(proposals):
            shown, widened = _shown(history, float(expected[i]), float(spread[i]), factor)
            changes = {"expected": float(expected[i]), "spread": shown}
            proposal = proposal.model_copy(update=changes).with_provenance(spread_factor=widened)
            if proposal.configuration.digest not in history.taken and np.isfinite(score[i]):
                proposal = proposal.with_provenance(acquisition=float(score[i]))
            judged.append(proposal)
        return best_first(judged)

    @one_thread
    def recommend(self, history: History) -> Recommendation | None:
        posterior = None if self.replicates.noise == "none" else self._posterior(history, self.prior(history))
        return super().recommend(history) if posterior is None else recommended(history, posterior)

    def stated_priors(self, default: Configuration | None) -> tuple[StatedPrior, ...]:
        return stated(self.prior(History(self.space, "", "maximize", default=default)))

    def prior(self, history: History) -> Prior:
        """The prior over the space, with the history's default; empty when priors are off."""
        digest = history.default.digest if history.default is not None else ""
        if self._prior is None or self._prior[0] != digest:
            prior = build_prior(
                self.space,
                default=history.default if self.priors else None,
                words=self.words,
                cards=self.cards if self.priors else None,
                elicited=self._elicited if self.priors else {},
            )
            self._prior = (digest, prior)
        return self._prior[1]

    def _fill(
        self,
        history: History,
        posterior: Posterior | None,
        feasibility: Feasibility | None,
        pending: Array,
        taken: Set[str],
    ) -> Proposal | None:
        """The next point of the space-filling share; None where the space is filled."""
        alone = None if posterior is None else replace(posterior, strength=0.0, feasibility=None)
        point = self._filling.next(
            history,
            taken,
            log_works=None if feasibility is None else feasibility.merit,
            improvement=None if alone is None else lambda rows: alone.acquisition(rows, pending),
        )
        if point is None:
            return None
        since = stagnation(history)
        why = "all results so far are equal" if since is None else f"{since} trials brought nothing better"
        if self._filling.early(history):
            why = f"{len(self.space)} parameters and few trials"
            if history.limits and not history.feasible:
                why = "no trial keeps the limits yet"
        reason = f"Away from all that was tried: {why}, so a share of the trials fills the space."
        provenance = Provenance(stage=FILLING)
        return Proposal(configuration=point, origin=Origin.RANDOM, reason=reason, provenance=provenance)

    def _posterior(self, history: History, prior: Prior) -> Posterior | None:
        if len(history.informative) < 2:
            return None
        warped = prior.informative
        if warped not in self._surrogates:
            self._surrogates[warped] = GaussianProcessSurrogate(
                self.space, self._fit_seed, warped=warped, noise=self.replicates.noise
            )
        further = [self._further(goal, warped) for goal in history.others]
        return posterior_at(self._surrogates[warped], prior, history, further)

    def _further(self, goal: Goal, warped: bool) -> GaussianProcessSurrogate:
        """The surrogate of a further objective; of its noise nothing is stated, but repeats may show it."""
        key = (goal.metric, warped)
        if key not in self._of_others:
            noise = self.replicates.noise if isinstance(self.replicates.noise, str) else None
            self._of_others[key] = GaussianProcessSurrogate(
                self.space, self._fit_seed, warped=warped, noise=noise
            )
        return self._of_others[key]

    def _from_nothing(
        self,
        prior: Prior,
        competing: list[Proposal],
        started: int,
        rng: np.random.Generator,
        taken: frozenset[str],
        spending: Spending | None,
    ) -> Proposal | None:
        """A proposal while there is nothing to fit: a candidate, the prior's mode, or a draw from the prior.

        None for the second trial, which is to be a uniform point, and where the prior gives nothing new.
        """
        if competing:
            return competing[0]
        if not prior.informative or started == 1:
            return None
        for attempt in range(20):
            mode = started == 0 and attempt == 0
            row = prior.mode(rng) if mode else prior.sample(rng, 1)[0]
            row = self.space.round(row[None])
            if not self.space.feasible(row)[0]:
                continue
            configuration = self.space.decode(row[0])
            if spending is not None and not spending.is_ample(configuration):
                continue
            if configuration.digest not in taken:
                reason = explain_prior(prior, configuration, mode=mode)
                return Proposal(configuration=configuration, origin=Origin.PRIOR, reason=reason)
        return None

    def _search(
        self,
        history: History,
        posterior: Posterior,
        competing: list[Proposal],
        pending: Array,
        rng: np.random.Generator,
        taken: frozenset[str],
    ) -> Proposal | None:
        """The candidate of highest acquisition; None where the search finds nothing new."""
        fantasies = self._fantasies(pending)
        pool = search(
            self.space,
            posterior.prior,
            lambda rows: posterior.acquisition(rows, fantasies),
            posterior.best_rows(history, STEPPED_FROM),
            self._rows([candidate.configuration for candidate in competing]),
            np.vstack([history.encoded(history.informative)[0], pending]),
            rng,
            # Costs are asked for one configuration at a time, which takes as long as all else together.
            COARSE if history.goals.plain or posterior.spending is not None else FINE,
        )
        if self._expert is not None and competing:
            pool = self._expert.weigh(pool, competing, posterior)
        for i in range(len(pool)):
            if pool.scores[i] == -np.inf:
                break  # too dear
            configuration = self.space.decode(pool.rows[i])
            if configuration.digest not in taken:
                return self._proposal(history, posterior, pool, i, configuration, competing)
        return None

    def _proposal(
        self,
        history: History,
        posterior: Posterior,
        pool: Pool,
        index: int,
        configuration: Configuration,
        competing: list[Proposal],
    ) -> Proposal:
        row = self.space.encode(configuration)[0]
        expected, spread = (float(v[0]) for v in posterior.fitted.metric(*posterior.predict(row[None])))
        spread, factor = _shown(history, expected, spread, spread_factor(history))
        ancestor = competing[pool.ancestors[index]] if pool.ancestors[index] >= 0 else None
        origin = ORIGINS[pool.origins[index]] if ancestor is None else ancestor.origin
        reason, evidence = explain(history, posterior, configuration, row, expected, spread, origin, ancestor)
        return Proposal(
            configuration=configuration,
            origin=origin,
            reason=reason,
            evidence=evidence,
            expected=expected,
            spread=spread,
            prompt_id=None if ancestor is None else ancestor.prompt_id,
            tokens=0 if ancestor is None else ancestor.tokens,
            provenance=Provenance(
                acquisition=float(pool.scores[index]),
                prior_weight=posterior.prior_weight,
                spread_factor=factor,
            ),
            details={
                "trust": posterior.trust,
                "candidates": float(len(pool)),
                **{f"{TRUST}{source}": t for source, t in posterior.prior.source_trusts.items()},
            },
        )

    def _fantasies(self, pending: Array) -> Array:
        """Pending rows that take variance away; in a finite space excluding them is enough."""
        return pending if self.space.cardinality is None else pending[:0]

    def _rows(self, configurations: Sequence[Configuration]) -> Array:
        if not configurations:
            return np.empty((0, self.space.dimensions))
        return np.stack([self.space.encode(c)[0] for c in configurations])


def _shown(history: History, expected: float, spread: float, factor: float) -> tuple[float, float]:
    """The spread that is shown, as wide as the metric's range allows, and the factor it then contains."""
    shown = history.metric_range.spread(expected, factor * spread)
    return shown, shown / spread if spread > 0 else factor


def best_first(judged: list[Proposal]) -> list[Proposal]:
    """By acquisition value, ties in their order; those that were not judged come last."""

    def value(proposal: Proposal) -> float:
        acquisition = proposal.provenance.acquisition
        return -np.inf if acquisition is None else acquisition

    return sorted(judged, key=value, reverse=True)
