"""`tunesmith` without arguments: the runs and tasks of this folder, each with the command that opens it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.errors import report_errors

if TYPE_CHECKING:
    from tunesmith.tools.records.run_list import ListedRun

MOST = 10
"""Runs and tasks that are listed, each."""


@report_errors
def start() -> None:
    """List what is here; nothing is written and nothing is started."""
    from tunesmith.tools.records.run_list import runs_in
    from tunesmith.tui.start.finding import tasks_in

    runs, tasks = runs_in(Path("runs")), tasks_in(Path())
    rows = [(f"{run.name}: {_state(run)}", command_for(run)) for run in runs[:MOST]]
    if rows:
        print("Runs in this folder:")
        _print(rows)
    if len(runs) > MOST:
        print(f"  and {len(runs) - MOST} more: tunesmith ls")
    if tasks:
        print("Tasks in this folder:")
        _print([(str(task), f"tunesmith chat {shlex.quote(str(task))}") for task in tasks[:MOST]])
    if len(tasks) > MOST:
        print(f"  and {len(tasks) - MOST} more")
    if not runs and not tasks:
        print("There is no task and no run in this folder. `tunesmith init train.py` writes a task.")
    print("All commands: tunesmith --help")


def command_for(run: ListedRun) -> str:
    """What one does with a run: join it, go on with it, or look at it."""
    return f"tunesmith attach {shlex.quote(run.name)}"


def _state(run: ListedRun) -> str:
    of = "" if run.total is None else f" of {run.total}"
    return f"{run.state}, {run.trials}{of} trials"


def _print(rows: list[tuple[str, str]]) -> None:
    from tunesmith.text.literal import one_line

    for what, command in rows:
        print(f"  {one_line(what, 100)}\n      {one_line(command, 200)}")
