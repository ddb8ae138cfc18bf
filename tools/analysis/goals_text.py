"""What a search is for beyond one metric, as language models are told it: further metrics, limits, costs.

Every text here is empty for a task with one metric, no limit and no cost. `goal_words.py` has the words that
people are shown.
"""

from __future__ import annotations

from tunesmith.budget import Budget
from tunesmith.goal_words import NAME_WIDTH, limit_text
from tunesmith.history import History
from tunesmith.task import Task
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial

MOST_ON_FRONT = 8
"""Trials of a front that are listed; of more, some from each part of it."""


def goals_text(history: History, task: Task, budget: Budget | None = None) -> str:
    """Further metrics, limits and the cost of trials, one line each.

    Args:
        budget: The run's own; None: the task's.
    """
    lines = [_metrics(history), _limits(history), _meaning(history), cost_text(history, task, budget)]
    return "\n".join(line for line in lines if line)


def cost_text(history: History, task: Task, budget: Budget | None = None) -> str:
    """What a trial costs and what is left, as one line; empty where no cost is stated."""
    cap = (budget or task.budget).cost
    if cap is None and task.cost is None and all(trial.cost is None for trial in history):
        return ""
    known = f"costs {clean(task.cost, 300)}" if task.cost is not None else "has a cost"
    line = f"A trial {known}, in units of the problem, which is known before it runs."
    if cap is None:
        return line
    return (
        f"{line} Of {significant(cap)} for all trials {significant(cost_left(history, cap))} is left: what "
        "costs more than that cannot run, and of two equally promising configurations the cheaper is better."
    )


def cost_left(history: History, cap: float) -> float:
    """What of a budget of costs is not spent, at least 0."""
    return max(0.0, cap - history.cost)


def limits_text(history: History) -> str:
    """`latency_ms <= 20 and params_m <= 5`; empty without limits."""
    return " and ".join(map(limit_text, history.limits))


def values_text(history: History, trial: Trial, *, primary: bool = False) -> str:
    """`latency_ms 18.2, params_m 3`: what a trial has of the task's metrics; a dash where it has none.

    Args:
        primary: Whether the primary metric is among them.
    """
    names = [name for name in history.goals.names if primary or name != history.metric]
    known = {**trial.values, **({} if trial.value is None else {history.metric: trial.value})}
    shown = [f"{cell(n)} {format_metric(history, known[n], n)}" for n in names if n in known]
    return ", ".join(shown) or "-"


def of_primary(history: History) -> str:
    """`val_accuracy `, to stand before a predicted value; empty with one metric, which needs no name."""
    return f"{cell(history.metric)} " if history.others else ""


def front_list(history: History) -> str:
    """Trials of the Pareto front with their metrics, one a line; empty with one metric or without a front."""
    if not history.others:
        return ""
    return "\n".join(f"#{t.number}: {values_text(history, t, primary=True)}" for t in spread(history.front))


def spread(front: tuple[Trial, ...], most: int = MOST_ON_FRONT) -> tuple[Trial, ...]:
    """At most `most` trials of a front, at least 2: both ends and some between, evenly by place."""
    if len(front) <= most:
        return front
    last = len(front) - 1
    return tuple(front[round(place * last / (most - 1))] for place in range(most))


def cell(name: str) -> str:
    """A metric's name in a table: one line, without the mark between cells."""
    return clean(name, NAME_WIDTH).replace("|", "/")


def _metrics(history: History) -> str:
    others = [f"{cell(g.metric)} ({'larger' if g.sign > 0 else 'smaller'} is better)" for g in history.others]
    if not others:
        return ""
    return (
        f"Optimised as well: {', '.join(others)}. What counts is the Pareto front: the trials that no other "
        "trial beats in one metric without being worse in another."
    )


def _limits(history: History) -> str:
    if not history.limits:
        return ""
    return (
        f"Limits: {limits_text(history)}. A trial that breaks one is infeasible: it is never the best, "
        f"whatever its {cell(history.metric)}. No one can change a limit while the run goes on: "
        "a person edits the task file and runs the same command again."
    )


def _meaning(history: History) -> str:
    """What `best` and predictions are about."""
    if history.goals.plain:
        return ""
    primary = cell(history.metric)
    best = "part of a good trade-off between these metrics" if history.others else f"best for {primary}"
    kept = " while every limit is kept" if history.limits else ""
    return (
        f"The primary metric is {primary}: predictions are of it alone. The best value of a hyperparameter "
        f"is the one that is {best}{kept}."
    )
