"""Whether a budget can be enough for what a task asks, said before anything is spent.

    d  hyperparameters that can vary         n  trials         s  standard deviation between seeds

Of n values that differ by noise alone the largest lies about s sqrt(2 ln n) above their mean, and two means
of k seeds each are told apart (power 0.8 at level 0.05) when they differ by 2.8 s sqrt(2 / k) or more.
"""

from __future__ import annotations

import math

from tunesmith.task.costs import paid_trials
from tunesmith.task.task import Task
from tunesmith.text.durations import spelled_duration
from tunesmith.text.numbers import counted

LEAST_A_PARAMETER = 2
"""Trials for each hyperparameter below which a search hardly leaves its priors."""
USUAL_A_PARAMETER = 5


def too_small(task: Task) -> list[str]:
    """A sentence for each way in which the budget is too small; empty where it may do."""
    return [*_for_the_space(task), *_for_the_time(task), *_for_the_noise(task)]


def noise_sentence(task: Task, sd: float) -> str:
    """What noise of this size hides from a budget of this size; empty where the comparison sees through it.

    Args:
        sd: Standard deviation of the metric between seeds, metric units, > 0.
    """
    trials = max(task.budget.trials, 2)
    lead = sd * math.sqrt(2 * math.log(trials))
    luck = (
        f"noise {sd:.2g}: the best of {counted(trials, 'trial')} leads by about {lead:.2g} through luck alone"
    )
    if task.confirm is None:
        return f"{luck}; `confirm: {{seeds: 5}}` would tell whether it is better than the default"
    seeds = task.confirm.looks(task.budget.trials)[-1]
    least = 2.8 * sd * math.sqrt(2 / seeds)
    if least < lead:
        return ""
    return f"{luck}, and {counted(seeds, 'seed')} a side tell apart only what differs by {least:.2g} or more"


def _for_the_space(task: Task) -> list[str]:
    free = sum(parameter.size != 1 for parameter in task.space.parameters.values())
    trials, size = task.budget.trials, task.space.cardinality
    paid = paid_trials(task)
    if paid is not None:
        trials = paid.usual
    if size is not None and size <= trials:
        return []  # all of it is tried
    if trials >= LEAST_A_PARAMETER * free:
        return []
    if paid is not None and not paid.most:
        return [f"a cost of {task.budget.cost:g} pays for no trial, as far as a sample of the space shows"]
    if trials < task.budget.trials:
        return [
            f"a cost of {task.budget.cost:g} pays for about {counted(trials, 'trial')}, few for "
            f"{counted(free, 'hyperparameter')}: the search will hardly leave its priors"
        ]
    return [
        f"{counted(trials, 'trial')} are few for {counted(free, 'hyperparameter')}: the search will hardly "
        f"leave its priors. About {USUAL_A_PARAMETER * free} are usual; or fix the less important ones"
    ]


def _for_the_time(task: Task) -> list[str]:
    budget = task.budget
    if budget.wall_time_s is None or (budget.trial_time_s or 0.0) <= budget.wall_time_s:
        return []
    return [
        f"wall_time {spelled_duration(budget.wall_time_s)} is less than trial_time "
        f"{spelled_duration(budget.trial_time_s or 0.0)}: one trial may use up the whole run"
    ]


def _for_the_noise(task: Task) -> list[str]:
    if not isinstance(task.noise, float) or task.noise <= 0:
        return []
    return [text for text in [noise_sentence(task, task.noise)] if text]
