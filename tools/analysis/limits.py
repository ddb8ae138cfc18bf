"""What limits on metrics cost a search, and how near it came where no trial keeps them.

By the trials that were run alone: nothing here is predicted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.text.numbers import beyond, counted, readable
from tunesmith.trial import Frozen, Trial, TrialState

MOST_STEPS = 5
"""Rows of a trade-off that are shown."""
DIGITS = 3
"""Significant digits of the bounds in a trade-off, rounded to the loose side."""


class Step(Frozen):
    """What the search would have found with another bound on one metric, all other limits as they are."""

    bound: float
    """Metric units of the limited metric."""
    trial: int
    value: float
    """The best primary value under that bound; metric units."""
    own: bool = False
    """Whether the bound is that of the task."""


class LimitCost(Frozen):
    """One limit of a task: what it costs in the primary metric."""

    limit: Limit
    metric: str
    """The primary one."""
    completed: int
    kept: int
    """Completed trials that keep this limit, whatever the others."""
    trial: int | None
    """The incumbent, which keeps every limit; None where no trial does."""
    value: float | None
    """Its primary value."""
    at: float | None
    """Its value of the limited metric."""
    free_trial: int | None
    """The best trial when this limit is ignored; None where none keeps the others."""
    free_value: float | None
    free_at: float | None
    cost: float | None
    """How much better the primary metric is without the limit, metric units, >= 0; None where unknown."""
    nearest: int | None
    """Where no trial keeps it: the one of the smallest excess."""
    nearest_at: float | None
    steps: tuple[Step, ...]
    """Bounds from strict to loose with what each would have allowed, a better value at each step; the task's
    own bound among them where a trial keeps it. Empty where no trial keeps the other limits."""

    @property
    def slack(self) -> float | None:
        """How far the incumbent is within the bound, units of the limited metric, >= 0."""
        return None if self.at is None else max(0.0, -self.limit.excess(self.at))

    @property
    def text(self) -> str:
        """In one sentence, without a full stop."""
        limit, name = self.limit, self.limit.metric
        keeps = "keeps" if self.kept == 1 else "keep"
        keep = f"{self.kept} of {counted(self.completed, 'completed trial')} {keeps} {limit.text}"
        if not self.kept:
            near = "" if self.nearest_at is None else f"; the closest is trial {self.nearest} with "
            return f"no trial keeps {limit.text}{near}{near and beyond(self.nearest_at, limit.bound)}"
        if self.free_trial is None or self.free_value is None:
            return f"{keep}, and none keeps every other limit"
        free = f"trial {self.free_trial}: {self.metric} {readable(self.free_value)}"
        measured = "" if name == self.metric else f" at {name} {beyond(self.free_at, limit.bound)}"
        if self.value is None:
            return f"{keep}, but none keeps every limit; without it the best would be {free}{measured}"
        if not self.cost:
            where = "" if self.at is None else f" (trial {self.trial} has {readable(self.at)})"
            return f"{limit.text} costs nothing: without it the best is no better{where}"
        return (
            f"without {limit.text} the best would be {free}{measured}; with it {readable(self.value)} "
            f"(trial {self.trial}): the limit costs {readable(self.cost, 3)}"
        )


def limit_costs(history: History) -> tuple[LimitCost, ...]:
    """What each limit costs, in the task's order; empty while no trial completed."""
    return tuple(_cost(history, limit) for limit in history.limits) if history.completed else ()


def limits_told(history: History, most: int = 4) -> list[str]:
    """What each limit costs, and what other bounds would have allowed, a sentence for each."""
    told = []
    for each in limit_costs(history)[:most]:
        steps = [s for s in each.steps if not s.own]
        others = ", ".join(
            f"{each.limit.operator} {readable(s.bound)}: {readable(s.value)} (trial {s.trial})" for s in steps
        )
        best = (
            f"; best {each.metric} with other bounds on {each.limit.metric}, by the trials so far: {others}"
        )
        told.append(f"{each.text[:1].upper()}{each.text[1:]}{best if steps else ''}.")
    if told and history.pruned:
        stopped = counted(len(history.pruned), "trial")
        told.append(
            f"By the trials that completed: what {stopped} stopped early would have come to is not known."
        )
    return told


def together_text(history: History) -> str:
    """What all limits cost together, without a full stop; empty where one of them alone costs as much.

    Limits on metrics that go together, such as latency and memory, often cost nothing one by one.
    """
    best, free = history.incumbent, _best(history, history.completed)
    if len(history.limits) < 2 or best is None or free is None or best.value is None or free.value is None:
        return ""
    cost = history.sign * (free.value - best.value)
    if cost <= max(each.cost or 0.0 for each in limit_costs(history)):
        return ""
    return (
        f"without any limit the best would be trial {free.number}: {history.metric} "
        f"{readable(free.value)}, which {broken_text(history, free)}; with all of them "
        f"{readable(best.value)} (trial {best.number}): together they cost {readable(cost, 3)}"
    )


def closest(history: History) -> Trial | None:
    """The completed trial that breaks the limits by least (`Goals.violation`); of equal ones the best.

    None while a trial keeps every limit, or none completed.
    """
    if history.feasible or not history.completed:
        return None

    def distance(trial: Trial) -> tuple[float, float, int]:
        return history.goals.violation(trial.values), -history.sign * (trial.value or 0.0), trial.number

    return min(history.completed, key=distance)


def none_feasible(history: History) -> str:
    """In a sentence that, and how nearly, no trial keeps the limits; empty while one does or none completed.

    `6 trials completed, none keeps latency_ms <= 20; the closest is trial 4 with 23.1`
    """
    nearest, costs = closest(history), limit_costs(history)
    if nearest is None:
        return ""
    count = len(history.completed)
    if not history.goals.broken(nearest.values):
        assert history.space.why_not_run is not None
        why = history.space.why_not_run(nearest.configuration)
        which = "1 trial completed, and it cannot" if count == 1 else f"{count} trials completed, none can"
        return f"{which} be delivered as the task is now; of trial {nearest.number}: {why}"
    what = (
        "1 trial completed, and it does not keep" if count == 1 else f"{count} trials completed, none keeps"
    )
    if len(costs) == 1:
        only = costs[0].limit
        found = (
            f"the closest is trial {nearest.number} with {beyond(nearest.values[only.metric], only.bound)}"
        )
        return f"{what} {only.text}" + (f"; {found}" if count > 1 else f", with {found.rpartition(' ')[2]}")
    all_limits = f"{what} every limit ({', '.join(cost.limit.text for cost in costs)})"
    if count == 1:
        return f"{all_limits}: trial {nearest.number} {broken_text(history, nearest)}"
    worst = min(costs, key=lambda cost: cost.kept)
    return (
        f"{all_limits}; {worst.limit.text} is broken most often, by {count - worst.kept} of {count}; the "
        f"closest is trial {nearest.number}, which {broken_text(history, nearest)}"
    )


def broken_text(history: History, trial: Trial) -> str:
    """`breaks latency_ms <= 20 with 23.1`, of each limit that a completed trial does not keep; else empty."""
    broken = history.goals.broken(trial.values) if trial.state is TrialState.COMPLETED else ()
    told = [f"{limit.text} with {beyond(trial.values.get(limit.metric), limit.bound)}" for limit in broken]
    return f"breaks {' and '.join(told)}" if told else ""


def _cost(history: History, limit: Limit) -> LimitCost:
    others = tuple(other for other in history.limits if other != limit)
    allowed = [t for t in history.completed if all(o.met(t.values.get(o.metric)) for o in others)]
    allowed = [t for t in allowed if limit.metric in t.values]
    keeping = [t for t in history.completed if limit.met(t.values.get(limit.metric))]
    best, free = history.incumbent, _best(history, allowed)
    nearest = None
    if not keeping:
        nearest = min(history.completed, key=lambda t: (_excess(t, limit), t.number))
    cost = None
    if best is not None and free is not None and best.value is not None and free.value is not None:
        cost = max(0.0, history.sign * (free.value - best.value))

    def at(trial: Trial | None) -> float | None:
        return None if trial is None else trial.values.get(limit.metric)

    return LimitCost(
        limit=limit,
        metric=history.metric,
        completed=len(history.completed),
        kept=len(keeping),
        trial=None if best is None else best.number,
        value=None if best is None else best.value,
        at=at(best),
        free_trial=None if free is None else free.number,
        free_value=None if free is None else free.value,
        free_at=at(free),
        cost=cost,
        nearest=None if nearest is None else nearest.number,
        nearest_at=at(nearest),
        steps=_shown(_steps(history, limit, allowed)),
    )


def _steps(history: History, limit: Limit, allowed: Sequence[Trial]) -> list[Step]:
    """From the strictest bound that any of the trials keeps to the loosest that allows a better value."""
    rounded = {_rounded(t.values[limit.metric], limit.sign) for t in allowed}
    waiting = sorted(allowed, key=lambda t: limit.sign * t.values[limit.metric], reverse=True)
    best: Trial | None = None
    steps: list[Step] = []
    for bound in sorted({limit.bound, *rounded}, key=lambda bound: limit.sign * bound):
        tried = limit.model_copy(update={"bound": bound})
        while waiting and tried.met(waiting[-1].values[limit.metric]):
            best = _best(history, [waiting.pop(), *([best] if best else [])])
        if best is None or best.value is None:
            continue
        better = not steps or history.sign * (best.value - steps[-1].value) > 0
        own = bound == limit.bound
        if better or own:
            steps.append(Step(bound=bound, trial=best.number, value=best.value, own=own))
    return steps


def _shown(steps: list[Step]) -> tuple[Step, ...]:
    """The task's own bound, those next to it, and the loosest; without an own one the strictest first."""
    own = next((place for place, step in enumerate(steps) if step.own), 0)
    first = max(0, min(own - 2, len(steps) - MOST_STEPS))
    shown = steps[first : first + MOST_STEPS]
    if shown and shown[-1] != steps[-1] and len(shown) > 1:
        shown[-1] = steps[-1]
    return tuple(shown)


def _rounded(value: float, sign: float) -> float:
    """To `DIGITS` readable digits, to the side that the value itself keeps as a bound."""
    if value == 0:
        return 0.0
    near = float(f"{value:.{DIGITS - 1}e}")
    if sign * (near - value) >= 0:
        return near
    unit = 10.0 ** (math.floor(math.log10(abs(near))) - DIGITS + 1)
    moved = float(f"{near + sign * unit:.{DIGITS}e}")
    return moved if math.isfinite(moved) and sign * (moved - value) >= 0 else value


def _best(history: History, trials: Sequence[Trial]) -> Trial | None:
    valued = [t for t in trials if t.value is not None]
    return max(valued, key=lambda t: (history.sign * (t.value or 0.0), -t.number), default=None)


def _excess(trial: Trial, limit: Limit) -> float:
    """At least 0; infinite where the metric is missing."""
    value = trial.values.get(limit.metric)
    return math.inf if value is None else max(0.0, limit.excess(value))
