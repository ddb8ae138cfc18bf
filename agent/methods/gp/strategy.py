"""The main strategy: Bayesian optimisation with a Gaussian process and priors that fade.

    default configuration -> one uniform point -> the candidate of highest acquisition, again and again

Parts, one a file: `prior.py` (densities from names and the default), `scores.py` (metric to normal
scores), `process.py` (the Gaussian process), `surrogate.py` (history in, predictions out), `trust.py` (how
far data bear the priors out), `acquisition.py` (log EI), `belief.py` (both as one function), `calibration.py`
(honest spreads), `candidates.py` (its maximum), `reasons.py` (the choice in words).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Protocol

import numpy as np

from tunesmith.agent.knowledge import Card, find_card
from tunesmith.agent.methods.gp.belief import Belief, believe
from tunesmith.agent.methods.gp.calibration import spread_factor
from tunesmith.agent.methods.gp.candidates import ORIGINS, Pool, search
from tunesmith.agent.methods.gp.prior import CardSource, Prior, build_prior
from tunesmith.agent.methods.gp.reasons import explain, explain_prior
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate, informative
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.agent.methods.random import draw, tried
from tunesmith.history import Array, History
from tunesmith.interfaces import Strategy
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.trial import Configuration, Origin, Proposal, Provenance, TrialState

STEPPED_FROM = 3
"""How many of the best trials get local steps."""


class GuestExpert(Protocol):
    """A second opinion on guests, from whoever suggested them; `expert.ModelExpert` is the one there is."""

    def weigh(self, pool: Pool, guests: Sequence[Proposal], belief: Belief) -> Pool:
        """The pool with the guests' scores changed, best first again."""
        ...


class GaussianProcessStrategy(Strategy):
    """Proposes by expected improvement of a Gaussian process, tilted by priors while they prove right.

    With neither a default nor a known name it is a plain Gaussian process. A batch is built one by one, each
    proposal counting as running for the next.

    Args:
        space: What to search.
        seed: The same seed and history give the same proposals, bit for bit.
        words: About the model and data; decides which context of a prior card fits.
        priors: Whether priors (by name, and around the default) take part at all.
        cards: Where priors by name come from: the cards that ship with Tunesmith unless given;
            `knowledge.cards_for(card)` for the same with a data card's figures.
    """

    name = "gaussian_process"

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        words: str = "",
        priors: bool = True,
        cards: CardSource = find_card,
    ) -> None:
        self.space, self.seed, self.words, self.priors, self.cards = space, seed, words, priors, cards
        self._fit_seed = seed  # stays, so that copies with other seeds can share what is fitted
        self._stated: Mapping[str, Card] = {}
        self._expert: GuestExpert | None = None
        self._prior: tuple[str, Prior] | None = None
        self._surrogates: dict[bool, GaussianProcessSurrogate] = {}

    def with_seed(self, seed: int) -> GaussianProcessStrategy:
        """The same strategy with another seed, sharing what is already computed."""
        other = copy(self)
        other.seed = seed
        return other

    def advised(self, stated: Mapping[str, Card], expert: GuestExpert | None) -> GaussianProcessStrategy:
        """The same strategy with beliefs stated for this task and a second opinion on guests.

        Shares what is already computed. Without either it is this strategy, bit for bit.
        """
        other = copy(self)
        if stated != self._stated:
            other._stated, other._prior = dict(stated), None
        other._expert = expert
        return other

    @one_thread
    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        rng = rng_for(self.seed, self.name, len(history), len(history.pending))
        prior = self.prior(history)
        belief = self._believe(history, prior)
        taken = tried(history)
        running = history.encoded(history.pending)[0]
        fit = [c for c in candidates if not self.space.problems(c.configuration)]
        proposals: list[Proposal] = []
        while len(proposals) < n:
            guests = [c for c in fit if c.configuration.digest not in taken]
            asked = len(history) + len(proposals)
            if history.default is not None and history.default.digest not in taken:
                reason = "The default configuration comes first: it is what everything else is compared with."
                proposal = Proposal(configuration=history.default, origin=Origin.DEFAULT, reason=reason)
            elif belief is None:
                found = self._from_nothing(history, prior, guests, asked, rng, taken)
                if found is None:
                    break
                proposal = found
            else:
                chosen = self._search(history, belief, guests, running, rng, taken)
                if chosen is None:
                    break
                proposal = chosen
            taken.add(proposal.configuration.digest)
            running = np.vstack([running, self.space.encode(proposal.configuration)[0]])
            proposals.append(proposal)
        return proposals

    @one_thread
    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Others' proposals with `expected`, `spread` and `provenance.acquisition` filled in, best first.

        Those already tried come last, without an acquisition. Before there are two different scores
        nothing can be judged, and they come back as they are.
        """
        belief = self._believe(history, self.prior(history))
        if belief is None or not proposals:
            return list(proposals)
        taken = tried(history)
        rows = np.stack([self.space.encode(p.configuration)[0] for p in proposals])
        score = belief.acquisition(rows, self._fantasies(history.encoded(history.pending)[0]))
        expected, spread = belief.fitted.metric(*belief.predict(rows))
        factor = spread_factor(history)
        judged = []
        for i, proposal in enumerate(proposals):
            changes = {"expected": float(expected[i]), "spread": factor * float(spread[i])}
            proposal = proposal.model_copy(update=changes).with_provenance(spread_factor=factor)
            if proposal.configuration.digest not in taken:
                proposal = proposal.with_provenance(acquisition=float(score[i]))
            judged.append(proposal)
        return best_first(judged)

    def prior(self, history: History) -> Prior:
        """The prior over the space, with the history's default; empty when priors are off."""
        digest = history.default.digest if history.default is not None else ""
        known = self._prior
        if known is None or known[0] != digest:
            default = history.default if self.priors else None
            cards = self.cards if self.priors else None
            prior = build_prior(
                self.space,
                default=default,
                words=self.words,
                cards=cards,
                stated=self._stated if self.priors else None,
            )
            self._prior = known = (digest, prior)
        return known[1]

    def _believe(self, history: History, prior: Prior) -> Belief | None:
        if len(informative(history)) < 2:
            return None
        warped = prior.informative
        if warped not in self._surrogates:
            self._surrogates[warped] = GaussianProcessSurrogate(self.space, self._fit_seed, warped=warped)
        return believe(self._surrogates[warped], prior, history)

    def _from_nothing(
        self,
        history: History,
        prior: Prior,
        guests: list[Proposal],
        asked: int,
        rng: np.random.Generator,
        taken: set[str],
    ) -> Proposal | None:
        """A proposal while there is nothing to fit: a guest, the prior's mode, one uniform point, draws."""
        if guests:
            return guests[0]
        named = prior.informative and (asked != 1)
        if named:
            for attempt in range(20):
                mode = asked == 0 and attempt == 0
                row = prior.mode(rng) if mode else prior.sample(rng, 1)[0]
                row = self.space.round(row[None])
                if not self.space.feasible(row)[0]:
                    continue
                configuration = self.space.decode(row[0])
                if configuration.digest not in taken:
                    reason = explain_prior(prior, configuration, mode=mode)
                    return Proposal(configuration=configuration, origin=Origin.PRIOR, reason=reason)
        drawn = draw(self.space, rng, taken)
        if drawn is None:
            return None
        reason = "Uniform over the space: a first look away from what was expected to be good."
        return Proposal(configuration=drawn, origin=Origin.RANDOM, reason=reason)

    def _search(
        self,
        history: History,
        belief: Belief,
        guests: list[Proposal],
        running: Array,
        rng: np.random.Generator,
        taken: set[str],
    ) -> Proposal | None:
        """The candidate of highest acquisition."""
        fantasies = self._fantasies(running)
        done = tuple(t for t in history.finished if t.state is not TrialState.LOST)
        pool = search(
            self.space,
            belief.prior,
            lambda rows: belief.acquisition(rows, fantasies),
            belief.best_rows(history, STEPPED_FROM),
            self._rows([guest.configuration for guest in guests]),
            np.vstack([history.encoded(done)[0], running]),
            rng,
        )
        if self._expert is not None and guests:
            pool = self._expert.weigh(pool, guests, belief)
        for i in range(len(pool)):
            configuration = self.space.decode(pool.rows[i])
            if configuration.digest not in taken:
                return self._proposal(history, belief, pool, i, configuration, guests)
        drawn = draw(self.space, rng, taken)
        if drawn is None:
            return None
        reason = "Uniform over the space: nothing else that is new was found."
        return Proposal(configuration=drawn, origin=Origin.RANDOM, reason=reason)

    def _proposal(
        self,
        history: History,
        belief: Belief,
        pool: Pool,
        index: int,
        configuration: Configuration,
        guests: list[Proposal],
    ) -> Proposal:
        row = self.space.encode(configuration)[0]
        expected, spread = (float(v[0]) for v in belief.fitted.metric(*belief.predict(row[None])))
        factor = spread_factor(history)
        spread *= factor
        guest = guests[pool.ancestors[index]] if pool.ancestors[index] >= 0 else None
        origin = guest.origin if guest is not None else ORIGINS[pool.origins[index]]
        reason, evidence = explain(history, belief, configuration, row, expected, spread, origin, guest)
        return Proposal(
            configuration=configuration,
            origin=origin,
            reason=reason,
            evidence=evidence,
            expected=expected,
            spread=spread,
            prompt_id=guest.prompt_id if guest is not None else None,
            tokens=guest.tokens if guest is not None else 0,
            provenance=Provenance(
                acquisition=float(pool.scores[index]),
                prior_weight=belief.prior_weight,
                spread_factor=factor,
            ),
            details={"trust": belief.trust, "candidates": float(len(pool))},
        )

    def _fantasies(self, running: Array) -> Array:
        """Running rows that take variance away; in a finite space excluding them is enough."""
        return running if self.space.cardinality is None else running[:0]

    def _rows(self, configurations: Sequence[Configuration]) -> Array:
        if not configurations:
            return np.empty((0, self.space.dimensions))
        return np.stack([self.space.encode(c)[0] for c in configurations])


def best_first(judged: list[Proposal]) -> list[Proposal]:
    """By acquisition value, ties in their order; those that were not judged come last."""

    def value(proposal: Proposal) -> float:
        acquisition = proposal.provenance.acquisition
        return -np.inf if acquisition is None else acquisition

    return sorted(judged, key=lambda p: -value(p))
