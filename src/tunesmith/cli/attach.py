"""`tunesmith attach`: the terminal UI over a run that goes on, or has ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors


@report_errors
def attach(
    run: Annotated[
        str | None,
        typer.Argument(
            help="Name of a run or its folder; without it the one that is running, else the newest.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    debug: Debug = False,
) -> None:
    """Watch, question and steer a run that is going on already, in the terminal.

    Leaving never stops the run: use /stop for that. A run that has ended is shown.
    """
    from tunesmith.errors import RunError, UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("attach needs a terminal. For scripts there are `tunesmith ls --json` and `best`.")
    from tunesmith.cli.chat import show
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.records.run_list import runs_in

    if run is not None:
        beside = runs / run
        raise typer.Exit(show(RunFolder.open(beside if beside.is_dir() else Path(run)).path, owns_run=False))
    found = runs_in(runs)
    if not found:
        raise RunError(f"There is no run in {runs}. `tunesmith run TASK` begins one.")
    running = [each for each in found if each.state == "running"]
    if len(running) > 1:
        names = ", ".join(each.name for each in running[:10])
        raise UsageError(f"several runs are going on: {names}. Name one: tunesmith attach NAME.")
    raise typer.Exit(show(RunFolder.open((running or found)[0].path).path, owns_run=False))
