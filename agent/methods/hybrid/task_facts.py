"""What a model asks for before it commits itself: how a trial is measured, what is fixed, more of the data.

Each line is there only where the task says it. None of it chooses a prior by name: that is `Task.words`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import plain_value

if TYPE_CHECKING:
    from tunesmith.task import Task

LINE_LIMIT = 700
"""Characters of one line."""


def task_facts(task: Task) -> str:
    """One line a fact, in the task's own words where it has some; empty where nothing is known."""
    fixed = ", ".join(f"{name}={_shown(value)}" for name, value in task.fixed.items())
    lines = [
        ("Evaluation: ", task.evaluation),
        ("Noise: ", _noise(task)),
        ("Fixed, not tuned: ", fixed),
        ("Further figures of the data: ", "" if task.data_card is None else task.data_card.further_words()),
    ]
    return "\n".join(label + clean(text, LINE_LIMIT) for label, text in lines if text.strip())


def _shown(value: bool | int | float | str) -> str:
    return plain_value(value) if not isinstance(value, str) else clean(value, 100)


def _noise(task: Task) -> str:
    """What the task says of how much a trial differs when it is run again."""
    if task.noise == "none":
        return "none, a configuration always gives the same value"
    if isinstance(task.noise, float):
        return f"the same configuration with another seed differs by a standard deviation of {task.noise:.3g}"
    return ""
