"""`tunesmith chat`: the terminal UI over a run, started, continued or only watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.cli.run import Fresh, From, Name, NoModel, Runs, Seed, Trials, Workers, adjusted
from tunesmith.cli.terminal import OnCloseOption, PlainOption


@report_errors
def chat(
    what: Annotated[
        Path,
        typer.Argument(
            help="A task file to run or continue, or a run folder to look at.",
            show_default=False,
            metavar="TASK|RUN",
        ),
    ],
    runs: Runs = Path("runs"),
    name: Name = None,
    fresh: Fresh = False,
    start_from: From = None,
    trials: Trials = None,
    workers: Workers = None,
    seed: Seed = None,
    no_model: NoModel = False,
    on_close: OnCloseOption = None,
    keep_running: Annotated[
        bool,
        typer.Option("--keep-running", help="Like --on-close keep, and leaving does not ask either."),
    ] = False,
    plain: PlainOption = False,
    debug: Debug = False,
) -> None:
    """Watch, question and steer a run in the terminal.

    A task file is run, or continued; where it is running already this terminal joins it. A run folder is
    only shown. The run has a process of its own. Leaving asks once whether it should stop or go on in the
    background, where `tunesmith attach` finds it. Closing the terminal stops it, unless --on-close is keep;
    the same command continues it.

    Exit codes: the run's own where it ended meanwhile (0 finished, 1 failed, 130 stopped), 0 where it goes
    on, 2 wrong input, 128 + n where signal n ended this program.
    """
    from tunesmith.cli.terminal import needs_terminal, on_close_of, open_terminal, watch

    at_close = on_close_of(on_close, "keep" if keep_running else "stop")
    plain = needs_terminal(
        plain,
        "chat needs a terminal, or --plain. For scripts and CI use `tunesmith run`.",
    )
    link = None if plain else open_terminal()
    from tunesmith.api.background import start_engine
    from tunesmith.api.checking import check_code
    from tunesmith.api.choosing import chosen_run
    from tunesmith.tools.records.run_folder import RunFolder

    if what.is_dir():
        raise typer.Exit(watch(RunFolder.open(what).path, link, on_close="keep"))
    task = adjusted(what, name=name, trials=trials, workers=workers, seed=seed)
    check_code(task)
    chosen = chosen_run(task, runs, fresh=fresh, start_from=start_from)
    folder = RunFolder.create(runs, chosen.task, source=chosen.source_shown, begun_as=chosen.begun_as)
    options = ["--name", folder.path.name, "--runs", str(runs)]
    options += [f"--trials={trials}"] * (trials is not None) + [f"--workers={workers}"] * (
        workers is not None
    )
    options += [f"--seed={seed}"] * (seed is not None) + ["--no-model"] * no_model
    options += [f"--from={start_from}"] * (start_from is not None)
    engine = start_engine(folder.path, ["run", str(what), "--quiet", *options])
    if engine is None:  # it is running already
        at_close = "keep"
    raise typer.Exit(watch(folder.path, link, engine=engine, on_close=at_close, asks=not keep_running))
