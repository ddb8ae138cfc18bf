"""What is legal in a task's metrics, limits and pruner, and probably not meant."""

from __future__ import annotations

import math

from tunesmith.goal_words import limit_text
from tunesmith.goals import Limit
from tunesmith.metric_range import NOT_NEGATIVE, SHARES, words_of
from tunesmith.task.task import Task
from tunesmith.text.suggestions import did_you_mean


def goal_hints(task: Task) -> list[str]:
    """A sentence for each; none for a task with one metric and no limit."""
    hints = [text for limit in task.limits for text in [_near_name(task, limit), _reach(limit)] if text]
    if task.goals.several and task.pruner.kind != "none":
        others = ", ".join(goal.metric for goal in task.goals.objectives[1:])
        hints.append(
            f"pruner {task.pruner.kind}: it goes by {task.metric} alone, and stops what may be good in "
            f"{others}; `pruner: none` does not"
        )
    return hints


def _near_name(task: Task, limit: Limit) -> str:
    """That the name of a limit is nearly that of a metric, and is another."""
    named = [task.metric, *(one.name for one in task.further)]
    hint = "" if limit.metric in named else did_you_mean(limit.metric, named)
    if not hint.endswith("?"):
        return ""
    return f"limits: {limit.metric!r} is a metric of its own, which every trial has to give as well; {hint}"


def _reach(limit: Limit) -> str:
    """That values of a metric as its name has it keep a limit always, or never."""
    words = words_of(limit.metric)
    if words & SHARES:
        ends, where = (0.0, 1.0), "where it is a share between 0 and 1, and not in percent"
    elif words & NOT_NEGATIVE:
        ends, where = (0.0, math.inf), "unless it falls below 0"
    else:
        return ""
    low, high = map(limit.met, ends)
    if low != high or ends[0] <= limit.bound <= ends[1]:
        return ""
    return f"limits: {limit_text(limit)} is {'always' if low else 'never'} kept {where}"
