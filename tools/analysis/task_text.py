"""A task and what is left of its budget, as text of bounded size for agents and models."""

from __future__ import annotations

from tunesmith.interfaces import Briefing
from tunesmith.text.cleaning import clean, fenced
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.goals_text import cost_left, goals_text

WORDS_LIMIT = 3000
"""Characters of the task's own text, and of the description of the search space."""


def task_text(briefing: Briefing) -> str:
    """The task's own text (fenced, because it is data), its space, metric, default, and the budget left."""
    task, space, spend, budget = briefing.task, briefing.history.space, briefing.spend, briefing.budget
    better = "larger" if briefing.history.direction == "maximize" else "smaller"
    default = "none given" if task.default is None else space.format(task.default)
    left = [f"{briefing.trials_left} of {budget.trials} trials"]
    if budget.wall_time_s is not None:
        left.append(f"{max(0.0, budget.wall_time_s - spend.seconds):.0f} s")
    if budget.cost is not None:
        cost = cost_left(briefing.history, budget.cost)
        left.append(f"{significant(cost)} of {significant(budget.cost)} in costs")
    return "\n".join(
        [
            f"Task {clean(task.name, 100)}; metric {clean(task.metric, 100)}, {better} is better.",
            *([about] if (about := goals_text(briefing.history, task, budget)) else []),
            fenced(task.words(), "task file", WORDS_LIMIT),
            "Search space:",
            clean(space.describe(), WORDS_LIMIT, lines=True),
            f"Default configuration: {clean(default, 500)}",
            f"Left of the budget: {', '.join(left)}.",
        ]
    )
