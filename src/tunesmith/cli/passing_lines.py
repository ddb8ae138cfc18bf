"""What a person should know about how a task's hyperparameters reach its script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.text.cleaning import log_line

if TYPE_CHECKING:
    from tunesmith.task import Task


def passing_lines(task: Task, *, warnings_only: bool = False) -> list[str]:
    """One line for each option that is passed otherwise than written, or may not be read as meant."""
    found = task.passings().values()
    notes = [f"passed: {note}" for one in found for note in one.notes if not warnings_only]
    warnings = [f"WARNING: {warning}" for one in found for warning in one.warnings]
    return list(dict.fromkeys(log_line(line) for line in [*notes, *warnings]))
