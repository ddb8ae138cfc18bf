"""`tunesmith bank ...`: record, carry and look at the samples of a pipeline of model calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.errors import UsageError
from tunesmith.text.terminal import print_json

if TYPE_CHECKING:
    from tunesmith.pipeline.settings import PipelineSettings

TaskPath = Annotated[Path, typer.Argument(help="A task file of the kind `pipeline`.", show_default=False)]
Bank = Annotated[Path, typer.Argument(help="The bank: an SQLite file.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
OfTask = Annotated[
    Path | None, typer.Option("--task", help="A task file: what of its space the bank holds; its items.")
]


@report_errors
def record(
    task: TaskPath,
    bank: Bank,
    part: Annotated[str, typer.Option("--part", help="Which items: search, confirm or all.")] = "search",
    most_calls: Annotated[
        int | None, typer.Option("--calls", min=0, help="Most calls that recording this bank may take.")
    ] = None,
    most_cost: Annotated[
        float | None, typer.Option("--cost", min=0, help="Most that it may cost, in the cost model's units.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw every sample that any configuration of a pipeline needs, once; the same command goes on.

    The stages' callables run in Tunesmith's own Python. Caps count all that the bank has cost so far, and are
    looked at before each call with the most it may cost. A program that is not changed is run with every
    allocation. Exit code 1: a cap was reached.
    """
    from tunesmith.tools.pipelines.record import CapReached, Progress
    from tunesmith.tools.pipelines.record import record as draw_samples

    settings, folder = _pipeline(task)
    draw = draw_samples
    if settings.program is not None:
        from tunesmith.tools.pipelines.record_program import record_program

        draw = record_program
    parts = {"search": ["search"], "confirm": ["confirm"], "all": ["search", "confirm"]}.get(part)
    if parts is None:
        raise UsageError(f"--part is {part!r}; it can be search, confirm or all")
    bank = bank.absolute()
    last = Progress(0, 0, 0, 0.0)

    def tick(progress: Progress) -> None:
        nonlocal last
        last = progress
        print(f"  {_told(progress, settings)}", file=sys.stderr, flush=True)

    stopped = ""
    try:
        with chdir(folder):  # as in a trial
            for one in parts:
                last = draw(
                    settings, folder, bank, part=one, most_calls=most_calls, most_cost=most_cost, tick=tick
                )
    except CapReached as cap:
        stopped = str(cap)
    if as_json:
        print_json(json.dumps({**last._asdict(), "unit": settings.basis.unit, "stopped": stopped or None}))
    if stopped:
        print(f"tunesmith: {stopped}. What is recorded is kept; a higher cap goes on.", file=sys.stderr)
        raise typer.Exit(1)
    if not as_json:
        print(f"{bank}: {_told(last, settings)}")


@report_errors
def export(
    source: Annotated[Path, typer.Argument(help="A bank, or a run folder.", show_default=False)],
    into: Annotated[Path, typer.Argument(help="A new .jsonl or .jsonl.gz file.", show_default=False)],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a bank as JSON lines, gzipped where the name ends in .gz; of a run, all that it has drawn."""
    from tunesmith.tools.pipelines.bank import bank_of_run, export_lines, open_bank
    from tunesmith.tools.pipelines.program_bank import answers_of
    from tunesmith.tools.pipelines.store import SAMPLES

    file = source / SAMPLES if source.is_dir() else source
    if answers_of(file):
        raise UsageError(
            f"{file} holds the answers to a program's calls, which have no form as JSON lines. Keep and "
            "share the file itself: `bank: FILE` with `replay: true` replays it"
        )
    notes: list[str] = []
    if source.is_dir():
        with bank_of_run(source, notes) as bank:
            count = export_lines(bank, into)
    else:
        bank = open_bank(source)
        count = export_lines(bank, into)
        bank.close()
    for note in notes:
        print(f"tunesmith: {note}", file=sys.stderr)
    if as_json:
        print_json(json.dumps({"samples": count, "bytes": into.stat().st_size, "notes": notes}))
    else:
        print(f"{into}: {count:,} samples, {into.stat().st_size:,} bytes")


@report_errors
def take(
    source: Annotated[
        Path, typer.Argument(help="A .jsonl, .jsonl.gz, .csv or .json file.", show_default=False)
    ],
    bank: Bank,
    task: OfTask = None,
    stage: Annotated[str, typer.Option("--stage", help="The stage, where a table has none.")] = "",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="What a column of a CSV table is, such as output=response."),
    ] = None,
    items_into: Annotated[
        Path | None, typer.Option("--items", help="Of a .json file: where its items are written.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a bank of samples recorded elsewhere: JSON lines, a CSV table of samples, or JSON of questions."""
    from tunesmith.tools.pipelines.adapters import from_csv, from_json
    from tunesmith.tools.pipelines.bank import import_lines
    from tunesmith.tools.pipelines.items import load_items

    items = {}
    if task is not None:
        settings, folder = _pipeline(task)
        items = {item.id: item for item in load_items(settings.items or "", folder)}
        if stage and stage not in settings.stages:
            raise UsageError(f"--stage {stage}: the task has {', '.join(settings.stages)}")
    if bank.exists():
        raise UsageError(f"{bank} exists; move it away, or name another file")
    kind = source.suffix.lower()
    if kind == ".csv":
        pairs = [pair.partition("=") for pair in column or []]
        count = from_csv(source, bank, items, {name: value for name, _, value in pairs}, stage)
    elif kind == ".json":
        count = from_json(source, bank, stage or "answer", items_into)
    else:
        count = import_lines(source, bank, items)
    if as_json:
        print_json(json.dumps({"samples": count}))
    else:
        print(f"{bank}: {count:,} samples")


@report_errors
def info(bank: Bank, task: OfTask = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what a bank holds, and with --task which values of its space it lacks; exit code 1 if it does."""
    from tunesmith.pipeline.asked import asked_of_bank
    from tunesmith.tools.pipelines.coverage import coverage, lacking
    from tunesmith.tools.pipelines.program_bank import answers_lacking, answers_of

    settings = None if task is None else _pipeline(task)[0]
    answers = answers_of(bank)
    held: Sequence[Any] = coverage(bank) if answers is None else answers
    missing: list[str] = []
    if settings is not None and answers is not None:
        missing = answers_lacking(answers, settings)
    elif settings is not None:
        missing = lacking(held, asked_of_bank(settings))
    if as_json:
        rows: list[dict[str, Any]] = [row._asdict() for row in held]
        print_json(json.dumps({"held": rows, "missing": missing if task is not None else None}))
    else:
        for row in held:
            print(f"  {row}")
        for line in missing:
            print(f"lacks {line}")
        if task is not None and not missing:
            print(f"It has samples for every value of the space of {task}.")
    if missing:
        raise typer.Exit(1)


def _told(progress: Any, settings: PipelineSettings) -> str:
    return (
        f"{progress.items} of {progress.of} items, {progress.calls:,} calls, "
        f"{progress.cost:.6g} {settings.basis.unit}"
    )


def _pipeline(path: Path) -> tuple[PipelineSettings, Path]:
    """The settings of a pipeline's task and its folder."""
    from tunesmith.pipeline.settings import PipelineSettings
    from tunesmith.task import load_task

    task = load_task(path)
    settings = None if task.problem is None else task.problem.settings
    if not isinstance(settings, PipelineSettings):
        raise UsageError(f"{path} is no task of the kind `pipeline`")
    return settings, path.absolute().parent
