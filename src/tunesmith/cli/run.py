"""`tunesmith run`: the headless run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import FAILED, INTERRUPTED, Debug, report_errors
from tunesmith.cli.passing_lines import passing_notes, passing_warnings
from tunesmith.errors import RunError

if TYPE_CHECKING:
    from tunesmith.task import Task

TaskFile = Annotated[
    Path,
    typer.Argument(
        help="The task file (YAML), or a run folder to go on with exactly that run.", show_default=False
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Name of the run folder; the task's name otherwise.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start a new run beside an existing one of that name.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="Start a new run with the results of another: a run folder, a .csv, or an Optuna study: "
        "sqlite:///study.db, sqlite:///study.db:STUDY or a journal file.",
    ),
]
Trials = Annotated[int | None, typer.Option("--trials", min=1, help="Trials in all, instead of the task's.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Trials at a time, instead of the task's.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the run, instead of the task's.")]
NoModel = Annotated[
    bool, typer.Option("--no-model", help="Use no language model even where one is configured.")
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage", help="Optuna storage URL, such as sqlite:///study.db; a journal file otherwise."
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option("--replay", help="Take the model's answers from this exchanges.jsonl; no network."),
]

Sinks = Annotated[
    list[str] | None,
    typer.Option(
        "--sink",
        help="Send the run's events there as well, such as jsonl (`tunesmith check` lists the names); "
        "may be repeated.",
    ),
]


@report_errors
def run(
    task: TaskFile,
    runs: Runs = Path("runs"),
    name: Name = None,
    fresh: Fresh = False,
    start_from: From = None,
    trials: Trials = None,
    workers: Workers = None,
    seed: Seed = None,
    no_model: NoModel = False,
    storage: Storage = None,
    replay: Replay = None,
    sink: Sinks = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")] = False,
    debug: Debug = False,
) -> None:
    """Tune a task. The same command continues a run that was interrupted or killed.

    Exit codes: 0 done, 1 no trial completed, 2 wrong input, 130 interrupted.
    """
    from tunesmith.api import run_task
    from tunesmith.cli.outcome import print_outcome
    from tunesmith.cli.stream import Stream
    from tunesmith.text.terminal import print_json

    is_run = task.is_dir() and not fresh
    if task.is_dir():
        runs = task.absolute().parent
    loaded = adjusted(task, name=name, trials=trials, workers=workers, seed=seed, sinks=sink or ())
    stream = Stream(loaded, to_stderr=as_json, quiet=quiet)
    for line in ([] if quiet else passing_notes(loaded)) + [
        f"WARNING: {w}" for w in passing_warnings(loaded)
    ]:
        stream.console.print(line)
    result = run_task(
        loaded,
        runs=runs,
        fresh=fresh,
        newest=not is_run,
        start_from=start_from,
        model=None if no_model else "environment",
        storage=storage,
        replay=replay,
        listen=stream.show,
    )
    if as_json:
        if result.report is None:
            raise RunError("the report could not be written: the run's last events say why.")
        print_json((result.folder / "report.json").read_bytes())
    else:
        print_outcome(result, stream.console, task=stream.task, argv=sys.argv)
    if result.status == "stopped":
        raise typer.Exit(INTERRUPTED)
    if result.status == "failed":
        raise typer.Exit(FAILED)


def _of_run(path: Path) -> Task:
    """The task of a run folder, to go on with exactly that run."""
    from tunesmith.tools.records.run_folder import RunFolder

    folder = RunFolder.open(path)
    return folder.task.model_copy(update={"name": folder.name})


def adjusted(
    path: Path,
    *,
    name: str | None,
    trials: int | None,
    workers: int | None,
    seed: int | None,
    sinks: Sequence[str] = (),
) -> Task:
    """The task of a file with the command line's changes.

    Raises:
        TaskError: The file, or the changed task, is not a legal task.
    """
    from tunesmith.task import Task, load_task

    task = _of_run(path) if path.is_dir() else load_task(path)
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = name
    if workers is not None:
        changes["workers"] = workers
    if seed is not None:
        changes["seed"] = seed
    if trials is not None:
        changes["budget"] = task.budget.model_copy(update={"trials": trials})
    if sinks:
        known = {spec.name for spec in task.sinks}
        changes["sinks"] = (*task.sinks, *(name for name in dict.fromkeys(sinks) if name not in known))
    return Task.model_validate({**dict(task), **changes}) if changes else task
