"""`tunesmith bench`: contenders on suites of tasks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import FAILED, Debug, report_errors
from tunesmith.errors import UsageError

PIPELINE = "pipeline"
"""The suite of pipelines of model calls, which has measures of its own (`bench/pipelines`)."""

What = Annotated[
    list[str] | None,
    typer.Argument(
        help="A suite, or task files (YAML); without one, all suites and contenders are listed.",
        show_default=False,
        metavar="SUITE|TASK",
    ),
]
Contenders = Annotated[
    str | None,
    typer.Option("--contenders", help="Optimisers to run, separated by commas; with --report: to show."),
]
Tasks = Annotated[
    str | None, typer.Option("--tasks", help="Only tasks whose names match, such as 'iris/*,wine/SVM'.")
]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="Seeds, instead of the suite's.")]
Evaluations = Annotated[
    int | None, typer.Option("--evaluations", min=1, help="Evaluations a run, instead of the suite's.")
]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Runs at a time; one per core otherwise.")]
Seconds = Annotated[
    float | None,
    typer.Option("--seconds", min=0, help="Start no run after so many seconds; the same command goes on."),
]
Quick = Annotated[bool, typer.Option("--quick", help="A few tasks, contenders and seeds: minutes.")]
Report = Annotated[bool, typer.Option("--report", help="Run nothing; show the stored runs.")]
Fresh = Annotated[
    list[str] | None, typer.Option("--fresh", help="Delete this contender's stored runs first; repeatable.")
]
Data = Annotated[
    str | None,
    typer.Option(
        "--path",
        help="Of `tables`: a folder of YAHPO surrogates, or a CSV file of runs, a column a parameter and "
        "one for the metric.",
    ),
]
Split = Annotated[
    str | None, typer.Option("--split", help="Of `tables` on a folder: development (default), report or all.")
]
Metric = Annotated[str | None, typer.Option("--metric", help="Of a CSV file: the column to optimise.")]
Where = Annotated[
    str | None, typer.Option("--direction", help="Of a CSV file: minimize or maximize that column.")
]
TaskFile = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="Of a CSV file: a task file (YAML) with space, metric, direction, default and description; "
        "without one, ranges and scales are taken from the columns.",
    ),
]
Results = Annotated[Path, typer.Option("--results", help="Folder that holds a folder for each suite.")]


@report_errors
def bench(
    what: What = None,
    contenders: Contenders = None,
    tasks: Tasks = None,
    seeds: Seeds = None,
    evaluations: Evaluations = None,
    jobs: Jobs = None,
    seconds: Seconds = None,
    quick: Quick = False,
    report: Report = False,
    fresh: Fresh = None,
    path: Data = None,
    split: Split = None,
    metric: Metric = None,
    direction: Where = None,
    task: TaskFile = None,
    results: Results = Path("benchmarks"),
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Compare optimisers on a suite of tasks; runs only what is not stored yet.

    Without a suite, list the suites and contenders.

    Exit codes: 0 done, 1 a run could not be made, 2 wrong input, 130 interrupted (the same command goes on).
    """
    if not what:
        _list()
        return
    if what == [PIPELINE]:
        if evaluations is not None or any(
            option is not None for option in (path, split, metric, direction, task)
        ):
            raise UsageError(f"the suite {PIPELINE} has its own tasks, of 50 trials each.")
        from tunesmith.cli.bench_pipeline import bench_pipeline

        bench_pipeline(
            contenders=_split(contenders),
            patterns=_split(tasks),
            seeds=seeds,
            jobs=jobs,
            seconds=float("inf") if seconds is None else seconds,
            quick=quick,
            report=report,
            fresh=fresh or (),
            results=results,
            as_json=as_json,
        )
        return
    from tunesmith.bench.run import bench as run_bench
    from tunesmith.bench.show import show
    from tunesmith.bench.task import SuiteOptions
    from tunesmith.text.literal import literal
    from tunesmith.text.terminal import print_json

    outcome = run_bench(
        what,
        contenders=_split(contenders),
        tasks=_split(tasks),
        seeds=seeds,
        evaluations=evaluations,
        jobs=jobs,
        seconds=float("inf") if seconds is None else seconds,
        quick=quick,
        report=report,
        fresh=fresh or (),
        results=results,
        options=SuiteOptions(path=path, split=split, metric=metric, direction=direction, task=task),
    )
    if as_json:
        from tunesmith.bench.pages import as_document

        print_json(json.dumps(as_document(outcome.summary), indent=1))
    else:
        show(outcome.summary, sys.stdout)
        print()
        for file in outcome.files:
            if file.suffix in (".html", ".json"):
                print(literal(file))
    sys.stdout.flush()
    for failure in outcome.failures:
        spec = failure.spec
        where = f"{spec.contender} on {spec.task}, seed {spec.seed}"
        print(literal(f"tunesmith: {where}: {failure.cause}"), file=sys.stderr)
    if outcome.failures:
        raise typer.Exit(FAILED)


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _list() -> None:
    from tunesmith.bench.contenders import NAMES
    from tunesmith.bench.suites import SUITES, open_suite

    print("Suites:")
    for name in SUITES:
        suite = open_suite([name])
        print(f"  {name:<{max(map(len, SUITES))}}  {suite.about}.")
    print(f"  {'tables':<{max(map(len, SUITES))}}  tables of real results: --path FOLDER or --path runs.csv.")
    print(f"  {PIPELINE:<{max(map(len, SUITES))}}  pipelines of model calls, drawn anew for each seed.")
    print("  or task files of your own: tunesmith bench path/to/task.yaml")
    print("Contenders:")
    print("  " + ", ".join(NAMES))
    print("  or any Optuna sampler: module:factory, module:factory+default")
