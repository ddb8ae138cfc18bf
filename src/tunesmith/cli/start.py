"""`tunesmith` without arguments: the runs and tasks of this folder, in a terminal to choose from."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tunesmith.cli.errors import report_errors

MOST = 10
"""Runs and tasks that are listed outside a terminal, each."""


@report_errors
def start() -> None:
    """Show what is here; nothing is started but what a person chooses."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        _choose()
    else:
        _list()


def _choose() -> None:
    """Let a person choose, and become the command that opens it."""
    import signal

    from tunesmith.cli.terminal import open_terminal

    link = open_terminal()
    from tunesmith.tui.start.app import StartApp

    app = StartApp()
    ended_by: list[int] = []

    def leave(number: int, frame: object = None) -> None:
        if not ended_by:
            ended_by.append(number)
            app.exit(return_code=128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)
    link.tell(drawing=True)
    chosen = app.run()
    link.tell(drawing=False)
    if chosen is None:
        sys.exit(app.return_code or 0)
    what = str(chosen.path if chosen.path.is_absolute() else Path() / chosen.path)
    words = {"look": ["attach"], "go on": ["attach", "--resume"]}.get(chosen.act, ["chat"])
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tunesmith", *words, "--", what])


def _list() -> None:
    from tunesmith.text.literal import one_line
    from tunesmith.tools.records.run_list import runs_in
    from tunesmith.tui.spans import plain
    from tunesmith.tui.start.finding import tasks_in
    from tunesmith.tui.start.listing import command_for, sections

    runs, tasks = runs_in(Path("runs")), tasks_in(Path())
    for section in sections(runs, tasks, time.time(), most=MOST)[:-1]:
        print(f"{section.title}:")
        for row in section.rows:
            print(f"  {plain(row.spans).rstrip()}")
            for act in row.acts:
                if row.path is not None:
                    print(f"      {one_line(command_for(act, row.path), 200)}")
    if not runs and not tasks:
        print("There is no task and no run in this folder. `tunesmith init train.py` writes a task.")
    elif len(runs) > MOST:
        print("All runs: tunesmith ls")
    print("All commands: tunesmith --help")
