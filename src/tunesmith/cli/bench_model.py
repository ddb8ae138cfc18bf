"""`tunesmith bench model`: what a language model's openings are worth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.bench.openings import SUITE
from tunesmith.cli.bench import Evaluations, Jobs, Results, Seconds, Seeds, Tasks, _split
from tunesmith.cli.errors import FAILED, Debug, report_errors
from tunesmith.text.terminal import print_json


@report_errors
def bench_model(
    openings: Annotated[
        Path, typer.Argument(help="A file of recorded openings, one JSON line a task.", show_default=False)
    ],
    record: Annotated[
        bool, typer.Option("--record", help="Ask your model on the tasks that the file lacks, and stop.")
    ] = False,
    suite: Annotated[str, typer.Option("--suite", help="The suite whose tasks the openings are of.")] = SUITE,
    tasks: Tasks = None,
    seeds: Seeds = None,
    evaluations: Evaluations = None,
    jobs: Jobs = None,
    seconds: Seconds = None,
    report: Annotated[bool, typer.Option("--report", help="Run nothing; show the stored runs.")] = False,
    results: Results = Path("benchmarks"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Score a language model's openings: its first configuration, its beliefs, and both.

    Against the same tuner without a model, and against Optuna's GP and TPE from the default. With
    --record the model of the environment is asked first (one call a task).

    Exit codes: 0 done, 1 a run could not be made or no answer came, 2 wrong input, 130 interrupted.
    """
    if record:
        _record(openings, suite, tasks)
        return
    from tunesmith.bench.openings.score import score
    from tunesmith.bench.openings.show import as_document, show
    from tunesmith.text.literal import literal

    worth = score(
        openings,
        suite,
        tasks=_split(tasks),
        seeds=seeds,
        evaluations=evaluations,
        jobs=jobs,
        seconds=float("inf") if seconds is None else seconds,
        report=report,
        results=results,
    )
    if as_json:
        print_json(json.dumps(as_document(worth), indent=1))
    else:
        show(worth, sys.stdout)
    sys.stdout.flush()
    for failure in worth.failures:
        spec = failure.spec
        where = f"{spec.contender.partition(':')[0]} on {spec.task}, seed {spec.seed}"
        print(literal(f"tunesmith: {where}: {failure.cause}"), file=sys.stderr)
    if worth.failures:
        raise typer.Exit(FAILED)


def _record(path: Path, suite: str, tasks: str | None) -> None:
    from tunesmith.agent.models import open_model
    from tunesmith.bench.openings.asking import record
    from tunesmith.budget import ModelCaps
    from tunesmith.settings import ModelSettings
    from tunesmith.text.literal import literal

    model = open_model(ModelSettings.from_environment(), ModelCaps(), lambda event: event, mode="live")
    try:
        failed = record(
            model,
            path,
            suite,
            tasks=_split(tasks),
            told=lambda line: print(literal(line), file=sys.stderr, flush=True),
        )
    finally:
        model.close()
    if failed:
        raise typer.Exit(FAILED)
    print(literal(f"Next: tunesmith bench model {path} --suite {suite}"))
