"""`tunesmith retrain`: the best configuration trained again on fresh seeds, and its checkpoint."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.best import Metric, RunPath, Runs, Seen, Trial, check_choice
from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json


@report_errors
def retrain(
    run: RunPath,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Fresh seeds to train on.")] = 3,
    median: Annotated[
        bool, typer.Option("--median", help="Deliver the seed of the median value, not of the best.")
    ] = False,
    seen: Seen = False,
    metric: Metric = None,
    trial: Trial = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
    debug: Debug = False,
) -> None:
    """Train the best configuration of a run again and deliver its checkpoint, with the confirmed score.

    Where the task has limits, it is the checkpoint of a seed that keeps them, if there is one. The same
    command continues after Ctrl-C; with more seeds, those that are done count.
    """
    from tunesmith.api.retraining import retrain as train_again
    from tunesmith.api.winner import find_winner
    from tunesmith.events import Confirmed, Degraded, Event

    def tell(event: Event) -> None:
        if isinstance(event, Confirmed) and event.total:
            print(f"trained {event.done} of {event.total}", file=sys.stderr)
        elif isinstance(event, Degraded):
            print(f"WARNING: {event.cause}: {event.continuation}", file=sys.stderr)

    check_choice(seen=seen, metric=metric is not None, trial=trial is not None)
    winner = find_winner(run, runs=runs, seen=seen, metric=metric, trial=trial)
    found = train_again(winner, seeds=seeds, deliver="median" if median else "best", listen=tell)
    if as_json:
        print_json(json.dumps(found.as_json(), indent=2, allow_nan=False))
        return
    for line in found.lines():
        print(line)
