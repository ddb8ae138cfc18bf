"""The method without a language model: expected improvement of a surrogate that knows stages and items.

Parts, one a file: `options.py` (what stages may be given), `evidence.py` (what trials showed), `insights/`
(the three beliefs), `hypotheses.py` and `posterior.py` (the surrogate), `known.py` (both at one history),
`design.py` (the first trials), `acquisition.py` (the goals), `beliefs.py` (what became of the insights),
`reasons.py` (the choice in words), `recommending.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.agent.methods.agenttts.acquisition import Acquisition
from tunesmith.agent.methods.agenttts.beliefs import Belief, beliefs
from tunesmith.agent.methods.agenttts.design import next_contrast
from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Options, Rows
from tunesmith.agent.methods.agenttts.reasons import details, expected, reason
from tunesmith.agent.methods.agenttts.recommending import recommended
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.agent.methods.gp.calibration import spread_factor
from tunesmith.agent.methods.gp.filling import FILLING, SpaceFilling, stagnation
from tunesmith.agent.methods.gp.spending import Cost, spending_at
from tunesmith.agent.methods.gp.strategy import best_first
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.agent.methods.random import draw
from tunesmith.history import Array, History
from tunesmith.interfaces import Strategy
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.recommendation import Recommendation
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.trial import Configuration, Origin, Proposal, Provenance

DESIGN = "contrast"
"""`Provenance.stage` of the first trials, which contrast models."""
FILLS_FROM = 4
"""Trials before the space is filled: two allocations often score alike, such as with an idle stage."""
REFINED, ROUNDS = 5, 2
"""Where not all allocations are judged: how many have their neighbours looked at too, and how often."""


class Judged(NamedTuple):
    """Allocations that may be run next, best first.

    Attributes:
        rows: (m, stages).
        values: (m,) of the acquisition function.
        proposed: (m,) place of the competing proposal that an allocation is; -1 for none.
    """

    rows: Rows
    values: Array
    proposed: Rows


class AgentTTSStrategy(Strategy):
    """Proposes allocations by expected improvement.

    Args:
        pipeline: What the task says of the pipeline.
        space: The task's, with what cannot be run taken out.
        seed: The same seed and history give the same proposals.
        settings: Which insights take part.
        cost: What a trial costs; it counts where the history says what the next one may cost.
    """

    name = "agenttts"

    def __init__(
        self,
        pipeline: PipelineSettings,
        space: Space,
        seed: int,
        settings: AgentTTSSettings | None = None,
        cost: Cost | None = None,
    ) -> None:
        self.pipeline, self.space, self.seed, self.cost = pipeline, space, seed, cost
        self.settings = settings or AgentTTSSettings()
        self.options = Options(pipeline)
        self._filling = SpaceFilling(space, seed)

    @one_thread
    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        proposals = [p for p in history.default_first if self._payable(history, p.configuration, [])]
        while len(proposals) < n:
            now = history.with_running(proposals)
            taken = now.taken
            rng = rng_for(self.seed, self.name, len(now))
            competing = [
                c
                for c in history.new(candidates)
                if not self.space.problems(c.configuration)
                and c.configuration.digest not in taken
                and self._payable(history, c.configuration, proposals)
            ]
            chosen = self._chosen(history, now, proposals, competing, rng)
            if chosen is None:
                break
            proposals.append(chosen)
        return proposals

    @one_thread
    def recommend(self, history: History) -> Recommendation | None:
        if not history.completed:
            return None
        return recommended(history, self.known(history))

    def known(self, history: History, others: Sequence[Configuration] = ()) -> Known:
        """The surrogate at a history; the same each time."""
        rng = rng_for(self.seed, self.name, "surrogate", len(history))
        return Known(self.options, history, others, self.settings, rng)

    def beliefs(self, history: History) -> tuple[Belief, ...]:
        """What became of the insights by now: held, open, or dropped, each with the trials that say so."""
        return beliefs(self.known(history), self.settings)

    @one_thread
    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Others' proposals with `expected`, `spread` and `provenance.acquisition` filled in, best first."""
        legal = [p for p in proposals if not self.space.problems(p.configuration)]
        if not legal:
            return list(proposals)
        known = self.known(history, [p.configuration for p in legal])
        rows = known.rows([p.configuration for p in legal])
        values, (mean, spread) = Acquisition(known)(rows), expected(known, rows)
        filled = []
        for i, proposal in enumerate(legal):
            one = proposal.model_copy(update={"expected": float(mean[i]), "spread": float(spread[i])})
            new = proposal.configuration.digest not in history.taken and np.isfinite(values[i])
            filled.append(one.with_provenance(acquisition=float(values[i])) if new else one)
        return [*best_first(filled), *(p for p in proposals if p not in legal)]

    def _chosen(
        self,
        history: History,
        now: History,
        proposals: Sequence[Proposal],
        competing: Sequence[Proposal],
        rng: np.random.Generator,
    ) -> Proposal | None:
        """The next proposal; None where nothing new can be run.

        Args:
            now: The history with `proposals`, made already, running.
        """
        alone = not any(c.origin is Origin.MODEL for c in competing) and len(now.not_lost) >= FILLS_FROM
        if alone and self._filling.due(now):
            filling = self._filled(history, now, proposals)
            if filling is not None:
                return filling
        known = self.known(now, [c.configuration for c in competing])
        judged, stage = self._judged(known, competing, rng)
        for row, value, place in zip(*judged, strict=True):
            if value == -np.inf:
                break
            ancestor = competing[place] if place >= 0 else None
            configuration = self._new(known, row, now) if ancestor is None else ancestor.configuration
            if configuration is None or not self._payable(history, configuration, proposals):
                continue
            mean, spread = (float(v[0]) for v in expected(known, row[None]))
            shown = history.metric_range.spread(mean, spread_factor(history) * spread)
            said, evidence = reason(known, self.settings, row, ancestor, stage)
            return Proposal(
                configuration=configuration,
                origin=Origin.SURROGATE if ancestor is None else ancestor.origin,
                reason=said,
                evidence=evidence,
                expected=mean,
                spread=shown,
                prompt_id=None if ancestor is None else ancestor.prompt_id,
                tokens=0 if ancestor is None else ancestor.tokens,
                provenance=Provenance(
                    acquisition=float(value),
                    stage=None if stage is None else DESIGN,
                    spread_factor=shown / spread,
                ),
                details=details(known),
            )
        drawn = draw(self.space, rng, now.taken)
        if drawn is None or not self._payable(history, drawn, proposals):
            return None
        said = "Uniform over the space: nothing else that is new was found."
        return Proposal(configuration=drawn, origin=Origin.RANDOM, reason=said)

    def _filled(self, history: History, now: History, proposals: Sequence[Proposal]) -> Proposal | None:
        """The next point of the share that fills the space; None where it is filled."""
        since = stagnation(now)
        why = "all results so far are equal" if since is None else f"{since} trials brought nothing better"
        point = self._filling.next(now, now.taken, improvement=lambda rows: self._promise(now, rows))
        if point is None or not self._payable(history, point, proposals):
            return None
        return Proposal(
            configuration=point,
            origin=Origin.RANDOM,
            reason=f"Away from all that was tried: {why}, so a share of the trials fills the space.",
            provenance=Provenance(stage=FILLING),
        )

    def _promise(self, now: History, rows: Array) -> Array:
        """The acquisition function at unit-cube rows of the space."""
        points = [self.space.decode(row) for row in rows]
        known = self.known(now, points)
        return Acquisition(known)(known.rows(points))

    def _judged(
        self, known: Known, competing: Sequence[Proposal], rng: np.random.Generator
    ) -> tuple[Judged, str | None]:
        """What may be run next, and the stage whose models are contrasted by it, in the first trials."""
        acquisition = Acquisition(known, self._share_left(known.history))
        rows = self.options.rows(rng)
        values = acquisition(rows) if len(rows) else np.empty(0)
        if not self.options.listed and len(rows):
            for _ in range(ROUNDS):
                top = rows[np.argsort(-values, kind="stable")[:REFINED]]
                near = np.unique(np.concatenate([self.options.neighbours(row) for row in top]), axis=0)
                rows = np.concatenate([rows, near])
                values = np.concatenate([values, acquisition(near)])
        proposed = np.full(len(rows), -1)
        if competing:
            theirs = known.rows([c.configuration for c in competing])
            rows = np.concatenate([theirs, rows])
            values = np.concatenate([acquisition(theirs), values])
            proposed = np.concatenate([np.arange(len(theirs)), proposed])
        elif (contrast := next_contrast(known)) is not None and len(rows):
            promised = acquisition(contrast.rows)
            with np.errstate(divide="ignore"):
                least = values.max() + np.log(contrast.promise)
            if promised.max() > -np.inf and promised.max() >= least:
                order = np.argsort(-promised, kind="stable")
                judged = Judged(contrast.rows[order], promised[order], np.full(len(order), -1))
                return judged, contrast.stage
        order = np.argsort(-values, kind="stable")
        return Judged(rows[order], values[order], proposed[order]), None

    def _new(self, known: Known, row: Rows, now: History) -> Configuration | None:
        """The configuration of an allocation; None where it is taken or cannot be run."""
        values = known.options.configuration(row)
        if self.space.problems(values):
            return None
        configuration = self.space.validate(values)
        return None if configuration.digest in now.taken else configuration

    def _share_left(self, history: History) -> float:
        """Of a budget of costs, in [0, 1]; 0 where there is none."""
        spending = spending_at(self.space, self.cost, history)
        return 0.0 if spending is None else spending.share

    def _payable(self, history: History, configuration: Configuration, proposals: Sequence[Proposal]) -> bool:
        """Whether a budget of costs, where there is one, pays for a trial after `proposals`."""
        spending = spending_at(self.space, self.cost, history, proposals=proposals)
        return spending is None or spending.allows(configuration)
