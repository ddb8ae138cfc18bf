"""What a person should know about how a task's hyperparameters reach its script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.text.cleaning import log_line

if TYPE_CHECKING:
    from tunesmith.task import Task


def passing_notes(task: Task) -> list[str]:
    """One line for each option that is passed otherwise than the task has it, with the reason."""
    notes = [note for one in task.passings().values() for note in one.notes]
    return [log_line(f"passed: {note}") for note in dict.fromkeys(notes)]


def passing_warnings(task: Task) -> list[str]:
    """One line for each option that the script may not read as it is meant, with the fix."""
    warnings = [warning for one in task.passings().values() for warning in one.warnings]
    return [log_line(warning) for warning in dict.fromkeys(warnings)]
