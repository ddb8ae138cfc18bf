"""`tunesmith attach`: the terminal UI over a run that goes on, or has ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.cli.terminal import OnCloseOption


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
    on_close: OnCloseOption = None,
    debug: Debug = False,
) -> None:
    """Watch, question and steer a run that is going on already, in the terminal.

    Leaving never stops the run: use /stop for that. Nor does closing the terminal, unless --on-close is
    stop. A run that has ended is shown. Exit codes are those of `tunesmith chat`.
    """
    from tunesmith.cli.terminal import on_close_of, open_terminal, watch
    from tunesmith.errors import RunError, UsageError

    at_close = on_close_of(on_close, "keep")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("attach needs a terminal. For scripts there are `tunesmith ls --json` and `best`.")
    link = open_terminal()
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.records.run_list import runs_in

    if run is not None:
        raise typer.Exit(watch(_found(run, runs), link, on_close=at_close))
    found = runs_in(runs)
    if not found:
        raise RunError(f"There is no run in {runs}. `tunesmith run TASK` begins one.")
    running = [each for each in found if each.state == "running"]
    if len(running) > 1:
        names = ", ".join(each.name for each in running[:10])
        raise UsageError(f"several runs are going on: {names}. Name one: tunesmith attach NAME.")
    raise typer.Exit(watch(RunFolder.open((running or found)[0].path).path, link, on_close=at_close))


def _found(run: str, runs: Path) -> Path:
    """The folder of a run, by its name or by its path."""
    from tunesmith.tools.records.run_folder import RunFolder

    beside = runs / run
    return RunFolder.open(beside if beside.is_dir() else Path(run)).path
