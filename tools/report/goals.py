"""A report's parts on metrics, limits, the Pareto front, the default on every metric, and scores by item."""

from __future__ import annotations

from math import isfinite

from tunesmith.goals import Goals
from tunesmith.history import History
from tunesmith.tools.analysis.compare_goals import ItemsCompared, Word
from tunesmith.tools.analysis.limits import LimitCost, limit_costs
from tunesmith.tools.analysis.pareto import default_trial, front_rows
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.goal_data import (
    AgainstDefault,
    FrontLine,
    ItemsLine,
    LimitLine,
    MetricLine,
    Named,
    StepLine,
)
from tunesmith.trial import Trial, TrialState


def metric_lines(goals: Goals, text: Anonymous) -> tuple[MetricLine, ...]:
    """Empty with one metric and no limit."""
    if goals.plain:
        return ()
    directions = {goal.metric: goal.direction for goal in goals.objectives}
    return tuple(
        MetricLine(name=text(name, 100), direction=directions.get(name), primary=name == goals.primary.metric)
        for name in goals.names
    )


def named(goals: Goals, trial: Trial, text: Anonymous) -> Named:
    """Every metric of a completed trial; empty for another one, and with one metric and no limit."""
    if goals.plain or trial.state is not TrialState.COMPLETED:
        return {}
    return {text(name, 100): finite(trial.values.get(name)) for name in goals.names}


def broken(goals: Goals, trial: Trial, text: Anonymous) -> tuple[str, ...]:
    """The metrics whose limits a completed trial does not keep."""
    if trial.state is not TrialState.COMPLETED:
        return ()
    return tuple(text(limit.metric, 100) for limit in goals.broken(trial.values))


def limit_lines(history: History, text: Anonymous) -> tuple[LimitLine, ...]:
    """What every limit costs; before a trial completed only what it says."""
    if history.completed:
        return tuple(_limit_line(cost, text) for cost in limit_costs(history))
    return tuple(
        LimitLine(
            **limit.model_dump(exclude={"metric"}),
            metric=text(limit.metric, 100),
            text=text(limit.text, 200),
            kept=0,
            completed=0,
            best=None,
            slack=None,
            without=None,
            without_value=None,
            without_at=None,
            cost=None,
            steps=(),
            sentence="no trial completed",
        )
        for limit in history.limits
    )


def _limit_line(cost: LimitCost, text: Anonymous) -> LimitLine:
    return LimitLine(
        **cost.limit.model_dump(exclude={"metric"}),
        metric=text(cost.limit.metric, 100),
        text=text(cost.limit.text, 200),
        kept=cost.kept,
        completed=cost.completed,
        best=finite(cost.at),
        slack=finite(cost.slack),
        without=cost.free_trial,
        without_value=finite(cost.free_value),
        without_at=finite(cost.free_at),
        cost=finite(cost.cost),
        steps=tuple(
            StepLine(bound=step.bound, trial=step.trial, value=step.value, own=step.own)
            for step in cost.steps
        ),
        sentence=text(cost.text),
    )


def front_lines(history: History, text: Anonymous) -> tuple[FrontLine, ...]:
    """The front and the default's row; empty with one metric."""
    if not history.goals.several:
        return ()
    names = [text(name, 100) for name in history.goals.names]
    limited = [text(limit.metric, 100) for limit in history.limits]
    return tuple(
        FrontLine(
            trial=row.trial,
            values=dict(zip(names, map(finite, row.values), strict=True)),
            slack=dict(zip(limited, map(finite, row.slack), strict=True)),
            configuration=text(row.configuration),
            on_front=row.on_front,
            default=row.default,
        )
        for row in front_rows(history)
    )


def against_default(history: History, text: Anonymous) -> tuple[AgainstDefault, ...]:
    """Best and default on every metric; empty with one metric and no limit, or where they are the same."""
    best, default = history.incumbent, default_trial(history)
    if history.goals.plain or best is None or default is None or not default.values:
        return ()
    if best.configuration == default.configuration:
        return ()
    directions = {goal.metric: goal.direction for goal in history.goals.objectives}
    lines = []
    for name in history.goals.names:
        mine, theirs = finite(best.values.get(name)), finite(default.values.get(name))
        difference = None if mine is None or theirs is None else finite(mine - theirs)
        direction = directions.get(name)
        word: Word = "not measured"
        if difference is not None:
            word = "higher" if difference > 0 else "lower"
            if difference == 0:
                word = "the same"
            elif direction is not None:
                word = "better" if (difference > 0) == (direction == "maximize") else "worse"
        lines.append(
            AgainstDefault(
                metric=text(name, 100),
                direction=direction,
                default=theirs,
                best=mine,
                difference=difference,
                word=word,
            )
        )
    return tuple(lines)


def item_lines(history: History, text: Anonymous) -> tuple[ItemsLine, ...]:
    """The best against the default and against the second best, where scores by item allow it."""
    best, default = history.incumbent, default_trial(history)
    if best is None:
        return ()
    second = next((t for t in history.ranked if t.configuration != best.configuration), None)
    beside = [(default, "the default"), (second, "the second best")]
    found = []
    for other, who in beside:
        if other is None or other.configuration == best.configuration:
            continue
        against = f"{who} (trial {other.number})"
        if other is second and default is not None and other.number == default.number:
            continue
        for goal in history.goals.objectives:
            compared = ItemsCompared.of_trials(best, other, goal, against)
            found += [] if compared is None else [items_line(compared, text)]
    return tuple(found)


def items_line(compared: ItemsCompared, text: Anonymous) -> ItemsLine:
    return ItemsLine(
        metric=text(compared.metric, 100),
        against=text(compared.against, 100),
        n=compared.n,
        difference=compared.difference,
        standard_error=finite(compared.standard_error),
        low=finite(compared.low),
        high=finite(compared.high),
        verdict=compared.verdict,
        sentence=text(compared.text),
    )


def finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
