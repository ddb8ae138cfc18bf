"""The last word, for the shell: how the run stands, and how to go on."""

from __future__ import annotations

from pathlib import Path

from tunesmith.text import numbers
from tunesmith.text.literal import one_line
from tunesmith.tui.state import RunView


def farewell(view: RunView, folder: Path, owns_run: bool) -> str:
    """One to three lines of plain text."""
    where = one_line(folder, 400)
    if view.started is None:
        return f"The run in {where} has not started."
    of = f" of {view.facts.trials}" if view.facts.trials is not None else ""
    lines = [f"{one_line(view.started.name, 60)}: {view.state}, {view.finished}{of} trials done."]
    if view.best is not None:
        best = view.trials[view.best]
        assert best.value is not None, "an incumbent has a value"
        shown = f"{view.facts.metric} {numbers.metric(best.value)}"
        lines.append(f"Best so far: trial {best.number}, {shown} ({best.configuration(view.facts.write)}).")
    if view.state in ("stopped", "interrupted"):
        lines.append(
            f"Nothing is lost: the command that started it continues it. Everything lies in {where}."
        )
    elif view.over:
        lines.append(f"Everything lies in {where}.")
    elif owns_run:
        lines.append(f"It has not confirmed its end; the same command continues it once it has. See {where}.")
    else:
        lines.append(f"It goes on without this window. Everything lies in {where}.")
    return "\n".join(lines)
