"""The trials of a study as an immutable snapshot, with the views that methods need."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tunesmith.goals import Direction as Direction
from tunesmith.goals import Goal, Goals, Limit
from tunesmith.metric_range import MetricRange, metric_range
from tunesmith.space import Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState

Array = NDArray[np.float64]

MAX_LOSSES = 2
"""How often a configuration may take its own process down and still be tried again. What interrupts a run
from outside says nothing of a configuration, however often it does."""


@dataclass(frozen=True)
class History:
    """Trials of one study, in order of their numbers, with the views that strategies need.

    `scores` turns every metric into 'larger is better', so no strategy needs to look at the
    direction. Arrays are read-only views of this snapshot; make a new snapshot to add a trial.
    """

    space: Space
    metric: str
    direction: Direction
    default: Configuration | None = None
    """The configuration to beat; None when the task states none."""
    trials: tuple[Trial, ...] = ()
    earlier: tuple[Trial, ...] = ()
    """Trials of search spaces that the run had before, of configurations that are not legal in `space`: shown
    and paid for, never learned from."""
    first: int = 0
    """Number of the first trial that was started in `space` as it is since it was changed last."""
    others: tuple[Goal, ...] = ()
    """Further metrics that are optimised, beside the primary one: `metric` and `direction`."""
    limits: tuple[Limit, ...] = ()
    """What a trial's metrics must keep for it to be the best one."""
    affordable: float | None = None
    """What the next trial may cost at most (`Task.cost_of`), units of the problem: what is left of a budget
    of costs once those running are paid; None: there is no such budget. Set by the engine when it asks a
    strategy, which proposes nothing that costs more."""
    _rows: dict[str, tuple[Array, NDArray[np.bool_]]] = field(default_factory=dict, repr=False, compare=False)
    # Encoded rows by digest, shared between the snapshots of one study: encoding is the only
    # work that would otherwise grow with the square of the number of trials.

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    def with_trial(self, trial: Trial) -> History:
        """A snapshot with `trial` added, or put in the place of the one with its number."""
        trials = self.trials
        if trials and trial.number <= trials[-1].number:
            index = self.index(trial.number)
            if index is not None:
                return replace(self, trials=(*trials[:index], trial, *trials[index + 1 :]))
            return replace(self, trials=tuple(sorted((*trials, trial), key=lambda t: t.number)))
        return replace(self, trials=(*trials, trial))

    def with_running(self, proposals: Iterable[Proposal]) -> History:
        """A snapshot in which proposals run: nothing is known of them, and none may be proposed again."""
        number = self.trials[-1].number + 1 if self.trials else 0
        running = tuple(Trial(number=number + i, proposal=p) for i, p in enumerate(proposals))
        return replace(self, trials=(*self.trials, *running)) if running else self

    def index(self, number: int) -> int | None:
        """Place of trial `number` in `trials`, or None where there is none."""
        if 0 <= number < len(self.trials) and self.trials[number].number == number:
            return number
        return next((i for i, trial in enumerate(self.trials) if trial.number == number), None)

    def get(self, number: int) -> Trial | None:
        index = self.index(number)
        return None if index is None else self.trials[index]

    def find(self, number: int) -> Trial | None:
        """Trial `number`, be it of an earlier search space."""
        return self.get(number) or next((trial for trial in self.earlier if trial.number == number), None)

    def without_trials(self) -> History:
        """The same study before its first trial."""
        return replace(self, trials=(), earlier=(), first=0)

    @cached_property
    def goals(self) -> Goals:
        """All metrics and limits; the primary metric first."""
        primary = Goal(metric=self.metric, direction=self.direction)
        return Goals(objectives=(primary, *self.others), limits=self.limits)

    @property
    def sign(self) -> float:
        """+1 to maximise, -1 to minimise: `score = sign * value`."""
        return 1.0 if self.direction == "maximize" else -1.0

    @cached_property
    def completed(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.state is TrialState.COMPLETED)

    @cached_property
    def feasible(self) -> tuple[Trial, ...]:
        """Completed trials that keep every limit, and that the problem can still run.

        It cannot where the task was changed since, such as a pipeline's budget for one item.
        """
        kept = self.completed
        if self.limits:
            kept = tuple(t for t in kept if not self.goals.broken(t.values))
        return (
            kept
            if self.space.why_not_run is None
            else tuple(t for t in kept if self.can_run(t.configuration))
        )

    def can_run(self, configuration: Configuration) -> bool:
        """Whether the kind of problem can run a legal configuration as the task is now."""
        rule = self.space.why_not_run
        return rule is None or rule(configuration) is None

    @cached_property
    def front(self) -> tuple[Trial, ...]:
        """The Pareto front of the feasible trials, best primary value first, then by number.

        Of trials with equal metrics the earliest one. With one metric it is the incumbent alone. One that
        lacks a metric, because the task did not name it then, is not on it.
        """
        if not self.others:
            return () if self.incumbent is None else (self.incumbent,)
        goals = self.goals.objectives
        known = [t for t in self.feasible if all(g.metric in t.values for g in goals)]
        rows = np.array([[g.sign * t.values[g.metric] for g in goals] for t in known])
        # From large to small in the first metric, then the second: what dominates a trial comes before it.
        ranked = sorted(range(len(rows)), key=lambda i: ((-rows[i]).tolist(), known[i].number))
        kept, front = np.empty_like(rows), list[Trial]()
        for i in ranked:
            if not (kept[: len(front)] >= rows[i]).all(axis=1).any():
                kept[len(front)] = rows[i]
                front.append(known[i])
        return tuple(sorted(front, key=lambda t: (-self.sign * _value(t), t.number)))

    @property
    def cost(self) -> float:
        """Cost of the trials that count against the budget, in units of the problem; see `Trial.cost`."""
        counted = (t for t in (*self.trials, *self.earlier) if t.proposal.origin is not Origin.PREVIOUS)
        return math.fsum(t.cost or 0.0 for t in counted if t.state is not TrialState.LOST)

    @cached_property
    def finished(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.finished)

    @cached_property
    def not_lost(self) -> tuple[Trial, ...]:
        """Trials that ended by themselves, or are running; a lost one says nothing and is run again."""
        return tuple(t for t in self.trials if t.state is not TrialState.LOST)

    @property
    def every(self) -> tuple[Trial, ...]:
        """All trials of the run in order of number, those of earlier search spaces included."""
        return (
            tuple(sorted((*self.trials, *self.earlier), key=lambda t: t.number))
            if self.earlier
            else self.trials
        )

    @property
    def paid(self) -> int:
        """How many trials count against the budget: all but those lost, and those of another run."""
        return sum(
            t.state is not TrialState.LOST and t.proposal.origin is not Origin.PREVIOUS
            for t in (*self.trials, *self.earlier)
        )

    @cached_property
    def informative(self) -> tuple[Trial, ...]:
        """Finished trials that say something about their configuration: all but the lost ones."""
        return tuple(t for t in self.not_lost if t.finished)

    @cached_property
    def scored(self) -> tuple[Trial, ...]:
        """Finished trials that say something about the metric: those that completed or were stopped early."""
        return tuple(t for t in self.informative if not t.state.failed)

    @cached_property
    def pruned(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.state is TrialState.PRUNED)

    @cached_property
    def failures(self) -> tuple[Trial, ...]:
        """Trials that ended badly by their own doing; lost ones are not counted."""
        return tuple(t for t in self.trials if t.state.failed)

    @cached_property
    def pending(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if not t.finished)

    @cached_property
    def taken(self) -> frozenset[str]:
        """Digests that are not to be proposed: run, running, or lost too often by their own doing."""
        lost = Counter(t.configuration.digest for t in self.trials if t.loss == "process")
        ran = {t.configuration.digest for t in self.not_lost}
        return frozenset(ran | {digest for digest, times in lost.items() if times > MAX_LOSSES})

    def new(self, proposals: Iterable[Proposal]) -> list[Proposal]:
        """Those whose configuration is not `taken`, in order, each configuration once."""
        kept: dict[str, Proposal] = {}
        for proposal in proposals:
            if proposal.configuration.digest not in self.taken:
                kept.setdefault(proposal.configuration.digest, proposal)
        return list(kept.values())

    @property
    def default_first(self) -> list[Proposal]:
        """The default as a proposal while it has not been tried, else empty: a method begins with it."""
        if self.default is None or self.default.digest in self.taken:
            return []
        reason = "The default configuration comes first: it is what everything else is compared with."
        return [Proposal(configuration=self.default, origin=Origin.DEFAULT, reason=reason)]

    @cached_property
    def incumbent(self) -> Trial | None:
        """The feasible trial of best primary value, the earliest one where several tie; None without one.

        With several metrics it is on the front: of trials that tie, one that no other is better than.
        """
        if self.others:
            return self.front[0] if self.front else None
        return max(self.feasible, key=lambda t: (self.sign * _value(t), -t.number), default=None)

    @cached_property
    def ranked(self) -> tuple[Trial, ...]:
        """`feasible` with the best primary value first, the incumbent first.

        Of equal ones those of the front come first, then the earlier ones.
        """
        front = {trial.number for trial in self.front}
        return tuple(
            sorted(self.feasible, key=lambda t: (-self.sign * _value(t), t.number not in front, t.number))
        )

    @cached_property
    def scores(self) -> Array:
        """Scores of `completed`, larger is better, shape (n,)."""
        return self.sign * np.array([_value(t) for t in self.completed], dtype=np.float64)

    @cached_property
    def best_so_far(self) -> tuple[float, ...]:
        """The incumbent's value after each feasible trial, metric units."""
        if not self.feasible:
            return ()
        scores = self.sign * np.array([_value(t) for t in self.feasible], dtype=np.float64)
        return tuple(float(v) for v in self.sign * np.maximum.accumulate(scores))

    @cached_property
    def metric_range(self) -> MetricRange:
        """What values the metric can take, by its name and what was seen; metric units."""
        return metric_range(self.metric, [_value(t) for t in self.completed])

    def encoded(self, trials: tuple[Trial, ...]) -> tuple[Array, NDArray[np.bool_]]:
        """Unit-cube rows and active masks of `trials`, both of shape (len(trials), space.dimensions)."""
        d = self.space.dimensions
        if not trials:
            return np.empty((0, d)), np.empty((0, d), dtype=bool)
        rows = [self._row(t.configuration) for t in trials]
        return np.stack([row for row, _ in rows]), np.stack([mask for _, mask in rows])

    def _row(self, configuration: Configuration) -> tuple[Array, NDArray[np.bool_]]:
        row = self._rows.get(configuration.digest)
        if row is None:
            row = self._rows[configuration.digest] = self.space.encode(configuration)
        return row


def _value(trial: Trial) -> float:
    assert trial.value is not None, f"trial {trial.number} is completed without a value"
    return trial.value
