"""The comparison with the default beside the primary metric: every further metric, and the limits.

Each metric is judged by itself over the seeds of the primary one, which alone decides how many are taken.
What the training code of the comparison does not report is not measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from tunesmith.errors import ItemsError
from tunesmith.goals import Direction, Goal, Goals, Limit
from tunesmith.items import Items
from tunesmith.text.numbers import readable
from tunesmith.tools.analysis.compare import CONFIDENCE, Comparison, Verdict, compare_paired
from tunesmith.tools.analysis.fresh_scores import FreshScore
from tunesmith.trial import Frozen, Trial, TrialState

Column = tuple[float | None, ...]
"""One configuration's values of a metric, seed by seed; None where a run failed or did not report it."""
LARGEST = 1e150
"""Differences beyond it are not judged: their squares are no floats."""
Word = Literal["better", "worse", "higher", "lower", "the same", "not distinguishable", "not measured"]


class MetricCompared(Frozen):
    """One metric beside the primary one, on the seeds of the comparison."""

    metric: str
    direction: Direction | None
    """None: it only has a limit, so a larger value is neither better nor worse."""
    best: Column
    default: Column
    comparison: Comparison | None
    """None where no seed has a value of both. Without a direction as if larger were better."""

    @property
    def word(self) -> Word:
        """Of the best configuration against the default."""
        found = self.comparison
        if found is None:
            return "not measured"
        if found.difference == 0 and (found.n == 1 or found.low == found.high):
            return "the same"
        if self.direction is None and found.verdict != "not distinguishable":
            return "higher" if found.verdict == "better" else "lower"
        return found.verdict

    @property
    def text(self) -> str:
        """Such as `latency_ms better by 7.8 (95% interval 7 to 8.6; mean 12.3 against 20.1)`."""
        found, word = self.comparison, self.word
        if found is None or found.difference is None:
            return f"{self.metric} not measured"
        if word == "the same":
            return f"{self.metric} the same ({readable(found.first_mean, 4)})"
        means = f"mean {readable(found.first_mean, 4)} against {readable(found.second_mean, 4)}"
        if found.low is None or found.high is None:
            return f"{self.metric} not distinguishable from one seed alone ({means})"
        ends = (found.low, found.high) if found.difference >= 0 else (-found.high, -found.low)
        low, high = (f"{readable(end, 3)}" for end in ends)
        lead = ("better", "worse") if self.direction is not None else ("higher", "lower")
        by = f"{lead[found.difference < 0]} by {readable(abs(found.difference), 3)}"
        interval = f"{CONFIDENCE:.0%} interval {low} to {high}"
        if word == "not distinguishable":
            return f"{self.metric} {word} ({by}, {interval}; {means})"
        return f"{self.metric} {by} ({f'{interval}; ' if low != high else ''}{means})"


class LimitKept(Frozen):
    """On how many of the seeds both configurations keep a limit."""

    limit: Limit
    best: int
    best_of: int
    """Seeds on which the best has a value of the metric."""
    worst: float | None
    """The best's value that keeps it least, metric units; None where it has none."""
    default: int
    default_of: int

    @property
    def text(self) -> str:
        """Of the best: `keeps latency_ms <= 20 on 5 of 5 seeds`; empty where it was not measured."""
        if not self.best_of:
            return ""
        if self.best == self.best_of:
            return f"keeps {self.limit.text} on {self.best} of {self.best_of} seeds"
        return (
            f"breaks {self.limit.text} on {self.best_of - self.best} of {self.best_of} seeds, with "
            f"{readable(self.worst)} at worst"
        )


class ItemsCompared(Frozen):
    """The best configuration against another one, item by item; see `analysis/paired.py`."""

    metric: str
    against: str
    """Such as `the default`."""
    n: int
    """Items that both were judged on."""
    difference: float
    """Mean, positive where the best is better; metric units."""
    standard_error: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None for one item."""
    verdict: Verdict

    @classmethod
    def of(
        cls, best: Items, other: Items, goal: Goal, against: str, *, begun: bool = False
    ) -> ItemsCompared | None:
        """None where they were judged on different items."""
        from tunesmith.tools.analysis.paired import paired  # scipy.stats is slow to import

        try:
            found = paired(best, other, sign=goal.sign, begun=begun)
        except ItemsError:
            return None
        return cls(
            metric=goal.metric,
            against=against,
            n=found.n,
            difference=found.difference,
            standard_error=found.standard_error,
            low=found.low,
            high=found.high,
            verdict=found.verdict,
        )

    @classmethod
    def of_trials(cls, best: Trial, other: Trial, goal: Goal, against: str) -> ItemsCompared | None:
        """None where the trials have no scores by item, or scores of different items."""
        mine, theirs = (unpacked(trial.items.get(goal.metric)) for trial in (best, other))
        if mine is None or theirs is None:
            return None
        begun = TrialState.PRUNED in (best.state, other.state)  # by the items that it came to
        return cls.of(mine, theirs, goal, against, begun=begun)

    @property
    def text(self) -> str:
        """Such as `val_accuracy against the default over the same 300 items: +0.031 ± 0.008 (better)`."""
        error = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        over = f"over the same {self.n:,} items" if self.n != 1 else "over one item"
        interval = ""
        if self.low is not None and self.high is not None:
            interval = f"95% interval {self.low:.3g} to {self.high:.3g}; "
        return (
            f"{self.metric} against {self.against} {over}: {self.difference:+.3g}{error} "
            f"({interval}{self.verdict})"
        )


class FurtherComparison(Frozen):
    """All that is compared beside the values of the primary metric."""

    metrics: tuple[MetricCompared, ...] = ()
    limits: tuple[LimitKept, ...] = ()
    items: tuple[ItemsCompared, ...] = ()
    """By metric; scores of an item are averaged over the seeds."""
    own: tuple[FreshScore, ...] = ()
    """The best configuration's own scores on items that the search never saw."""

    @property
    def broken(self) -> bool:
        """Whether the best breaks a limit on one of the seeds."""
        return any(kept.best < kept.best_of for kept in self.limits)

    @property
    def sentence(self) -> str:
        """In words; empty where there is nothing beside the primary metric."""
        parts = []
        if self.metrics:
            parts.append(f"Other metrics: {'; '.join(one.text for one in self.metrics)}.")
        broken = [kept.text for kept in self.limits if kept.best < kept.best_of]
        kept = [kept.text for kept in self.limits if kept.best_of and kept.best == kept.best_of]
        if broken:
            parts.append(f"The best configuration {' and '.join(broken)}: on fresh seeds it is not feasible.")
        if kept:
            parts.append(f"{'It also' if broken else 'The best configuration'} {' and '.join(kept)}.")
        default = [k for k in self.limits if k.default < k.default_of]
        if default:
            told = [f"{k.limit.text} on {k.default_of - k.default} of {k.default_of}" for k in default]
            parts.append(f"The default breaks {' and '.join(told)}: it is not feasible.")
        unknown = [k.limit.text for k in self.limits if not k.best_of]
        if unknown:
            parts.append(f"Whether {' and '.join(unknown)} holds on fresh seeds was not measured.")
        parts += [f"Item by item: {one.text}." for one in self.items]
        if self.own:
            scores = "; ".join(one.text for one in self.own)
            parts.append(f"On items that the search never saw the best configuration has {scores}.")
        return " ".join(parts)


class Side(Protocol):
    """One of the two configurations, trained on every seed of the comparison."""

    def column(self, metric: str) -> Column: ...

    def items(self, metric: str) -> Sequence[Items | None]:
        """Scores by item, seed by seed; None where a run failed or gave none."""


def compare_further(
    goals: Goals, primary: str, best: Side, default: Side, *, level: float
) -> FurtherComparison:
    """Compare both configurations on all metrics but the primary one, by the limits, and item by item.

    Args:
        primary: The metric that is compared already.
        level: As of `compare_paired`, for each metric.
    """
    first = Goal(metric=primary, direction=goals.primary.direction)
    directions = {goal.metric: goal.direction for goal in goals.objectives[1:]}
    names = [name for name in goals.names[1:] if name != primary]
    return FurtherComparison(
        metrics=tuple(
            _compared(name, directions.get(name), best.column(name), default.column(name), level)
            for name in names
        ),
        limits=tuple(
            _kept(limit, best.column(limit.metric), default.column(limit.metric)) for limit in goals.limits
        ),
        items=tuple(_by_item(best, default, [first, *goals.objectives[1:]])),
    )


def _by_item(best: Side, default: Side, compared: Sequence[Goal]) -> Iterator[ItemsCompared]:
    for goal in compared:
        both = zip(best.items(goal.metric), default.items(goal.metric), strict=True)
        pairs = [(b, d) for b, d in both if b is not None and d is not None]
        mine, theirs = mean_items([b for b, _ in pairs]), mean_items([d for _, d in pairs])
        if mine is not None and theirs is not None:
            found = ItemsCompared.of(mine, theirs, goal, "the default")
            yield from () if found is None else (found,)


def mean_items(seeds: Sequence[Items]) -> Items | None:
    """The mean score of every item over several trainings; None for none, or where their items differ."""
    if not seeds:
        return None
    first = seeds[0]
    if first.ids is None:
        if any(one.ids is not None or len(one) != len(first) for one in seeds):
            return None
        columns: list[Sequence[float]] = [one.scores for one in seeds]
    else:
        named = [dict(zip(one.ids or (), one.scores, strict=False)) for one in seeds]
        if any(set(one) != set(first.ids) for one in named):
            return None
        columns = [[one[name] for name in first.ids] for one in named]
    means = tuple(math.fsum(scores) / len(seeds) for scores in zip(*columns, strict=True))
    return Items(means, first.ids)


def unpacked(text: str | None) -> Items | None:
    """None where there is none, or it cannot be read: training code writes it."""
    if text is None:
        return None
    try:
        return Items.unpack(text)
    except ItemsError:
        return None


def _compared(
    name: str, direction: Direction | None, best: Column, default: Column, level: float
) -> MetricCompared:
    pairs = [(b, d) for b, d in zip(best, default, strict=True) if b is not None and d is not None]
    comparison = None
    if pairs and max(abs(b - d) for b, d in pairs) < LARGEST:
        comparison = compare_paired(
            [b for b, _ in pairs],
            [d for _, d in pairs],
            direction=direction or "maximize",
            metric=name,
            level=level,
        )
    return MetricCompared(metric=name, direction=direction, best=best, default=default, comparison=comparison)


def _kept(limit: Limit, best: Column, default: Column) -> LimitKept:
    mine, others = _measured(best), _measured(default)
    return LimitKept(
        limit=limit,
        best=sum(map(limit.met, mine)),
        best_of=len(mine),
        worst=max(mine, key=limit.excess, default=None),
        default=sum(map(limit.met, others)),
        default_of=len(others),
    )


def _measured(column: Sequence[float | None]) -> list[float]:
    return [value for value in column if value is not None]
