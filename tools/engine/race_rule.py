"""Early stopping by items: a trial is compared with the best completed one on the items that it has scored.

The training code reports after item k, at step k = 1, 2, 3..., the mean of its first k scores, asks
`should_prune()`, and gives all scores by `trial.report_items`; the order of the items is the same in every
trial. So the score of item k follows from two reports. Where a completed trial has as many reports as items,
its reports are about items; any other trial is never stopped, and none while no such trial has completed.

What is raced is the primary metric, against the best completed trial that keeps the limits, and each metric
with a limit, against its bound: a trial that surely breaks a limit cannot be recommended. Both as
`analysis/racing.py` says, which states what is guaranteed; `alpha` is shared among them. A primary metric
that is minimised under limits is taken for a cost and not raced: with the goal of the lowest cost a trial is
stopped for its quality alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tunesmith.goals import Limit
from tunesmith.history import Direction
from tunesmith.items import Items
from tunesmith.tools.analysis.compare_goals import unpacked
from tunesmith.tools.analysis.racing import Race, Racer, Why
from tunesmith.trial import Trial, TrialState

if TYPE_CHECKING:
    from tunesmith.task import PrunerSpec

log = logging.getLogger(__name__)


class RaceRule:
    """`pruning.Rule` for the kind `race`.

    Args:
        spec: The task's `alpha`, `futility` and `scores`.
        metric, direction: The primary one.
        limits: The task's.
        trials: How many trials the run may have, at least 1.
    """

    def __init__(
        self,
        spec: PrunerSpec,
        metric: str,
        direction: Direction,
        limits: Sequence[Limit] = (),
        trials: int = 50,
    ) -> None:
        self._limits = tuple(limits)
        raced: list[tuple[str, float, float | None]] = [(one.metric, -one.sign, one.bound) for one in limits]
        if direction == "maximize" or not limits:
            raced.append((metric, 1.0 if direction == "maximize" else -1.0, None))
        alpha = spec.alpha / len(raced)
        self._races: list[tuple[str, Race]] = []
        self._bounds = {one.metric: one.text for one in limits}
        for name, sign, bound in raced:
            race = Race(
                direction_sign=sign,
                scores=spec.scores,
                alpha=alpha,
                futility=spec.futility,
                trials=trials,
                bound=bound,
            )
            self._races.append((name, race))
        self._metric = metric
        self._running: dict[int, list[tuple[str, _Reports, Racer]]] = {}
        self._futility = spec.futility
        self._verdicts: dict[int, str] = {}

    def observe(self, trial: Trial) -> None:
        """Learn from a trial that ended, whether it keeps the limits or not."""
        self._running.pop(trial.number, None)
        self._verdicts.pop(trial.number, None)
        if trial.state is not TrialState.COMPLETED:
            return
        feasible = all(limit.met(trial.values.get(limit.metric)) for limit in self._limits)
        for name, race in self._races:
            items = unpacked(trial.items.get(name))
            if items is not None and _reported_by_item(trial, items):
                race.complete(items.scores, feasible=feasible)

    def should_stop(
        self,
        number: int,
        curve: Sequence[tuple[int, float]],
        *,
        cautious: bool = False,
        others: Mapping[str, float] | None = None,
    ) -> bool:
        """Whether trial `number` should stop after its latest report.

        Args:
            curve: Its reports so far; the latest is `curve[-1]`. Called once for every report.
            cautious: Of no account: a trial that is stopped keeps its scores, from which much is learned.
            others: Values of further metrics that came with the latest report.
        """
        if number not in self._running:
            started = [(name, race.start()) for name, race in self._races]
            self._running[number] = [(n, _Reports(), racer) for n, racer in started if racer is not None]
        step, value = curve[-1]
        values = {**(others or {}), self._metric: value}
        for name, reports, racer in self._running[number]:
            score = reports.score(step, values.get(name))
            why = None if score is None else racer.add(score)
            if why is not None:
                self._verdicts[number] = self._told(name, why, racer)
                return True
        return False

    def why(self, number: int) -> str:
        """Why trial `number` is to be stopped, until it is observed; empty where it is not.

        `stopped after 11 of 50 items: it cannot reach the best trial's quality any more`
        """
        return self._verdicts.get(number, "")

    def _told(self, name: str, why: Why, racer: Racer) -> str:
        bound = self._bounds.get(name)
        if bound is not None:
            surely = why == "hopeless"
            ends = f"cannot keep {bound} any more" if surely else f"breaks {bound} by its items so far"
        elif why == "hopeless":
            ends = f"cannot reach the best trial's {name} any more"
        elif why == "worse":
            ends = f"has a worse {name} than the best trial on the same items"
        else:
            ends = f"will hardly reach the best trial's {name} (predicted chance below {self._futility:g})"
        return f"stopped after {racer.seen} of {racer.items} items: it {ends}"


class _Reports:
    """Scores from means of the first k."""

    def __init__(self) -> None:
        self._count, self._sum = 0, 0.0

    def score(self, step: int, mean: float | None) -> float | None:
        """Of item `step`; None from where on a step was left out, and for a metric that was not reported."""
        if mean is None or step != self._count + 1:
            self._count = -1  # no step is 0: nothing follows
            return None
        before, self._sum = self._sum, mean * step
        self._count = step
        return self._sum - before


def _reported_by_item(trial: Trial, items: Items) -> bool:
    """Whether a completed trial reported once for every item, and not after epochs."""
    return trial.report_count == len(items) and trial.curve[-1][0] == len(items)
