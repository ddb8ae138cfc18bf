"""`tunesmith attach`: the terminal UI over a run that goes on, or has ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.cli.terminal import OnClose, OnCloseOption, PlainOption

if TYPE_CHECKING:
    from tunesmith.tui.guard import Link


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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that has ended, in the background.")
    ] = False,
    on_close: OnCloseOption = None,
    plain: PlainOption = False,
    debug: Debug = False,
) -> None:
    """Watch, question and steer a run that is going on already, in the terminal.

    Leaving never stops the run: use /stop for that. Nor does closing the terminal, unless --on-close is
    stop. A run that has ended is shown; with --resume it goes on, as if `tunesmith chat` had started it.
    Exit codes are those of `tunesmith chat`.
    """
    from tunesmith.cli.terminal import needs_terminal, on_close_of, open_terminal
    from tunesmith.errors import RunError, UsageError

    at_close = on_close_of(on_close, "stop" if resume else "keep")
    plain = needs_terminal(
        plain,
        "attach needs a terminal, or --plain. For scripts there are `tunesmith ls --json` and `best`.",
    )
    link = None if plain else open_terminal()
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.records.run_list import runs_in

    if run is not None:
        raise typer.Exit(_open(_found(run, runs), link, at_close, resume))
    found = runs_in(runs)
    if not found:
        raise RunError(f"There is no run in {runs}. `tunesmith run TASK` begins one.")
    running = [each for each in found if each.state == "running"]
    if len(running) > 1:
        names = ", ".join(each.name for each in running[:10])
        raise UsageError(f"several runs are going on: {names}. Name one: tunesmith attach NAME.")
    raise typer.Exit(_open(RunFolder.open((running or found)[0].path).path, link, at_close, resume))


def _open(folder: Path, link: Link | None, at_close: OnClose, resume: bool) -> int:
    from tunesmith.api.background import go_on
    from tunesmith.cli.terminal import watch

    engine = go_on(folder) if resume else None
    if resume and engine is None:  # it is running already
        at_close = "keep"
    return watch(folder, link, engine=engine, on_close=at_close)


def _found(run: str, runs: Path) -> Path:
    """The folder of a run, by its name or by its path."""
    from tunesmith.tools.records.run_folder import RunFolder

    beside = runs / run
    return RunFolder.open(beside if beside.is_dir() else Path(run)).path
