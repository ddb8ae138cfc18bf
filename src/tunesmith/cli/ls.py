"""`tunesmith ls`: the runs in a folder and the state of each."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json

MOST_REASON = 60
"""Characters of why a run ended."""


@report_errors
def ls(
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    debug: Debug = False,
) -> None:
    """List the runs in a folder: state, trials, when the latest session began.

    Nothing is locked or changed. `tunesmith attach NAME` opens one of them.
    """
    from tunesmith.text.literal import one_line
    from tunesmith.text.tables import aligned
    from tunesmith.time_left import about
    from tunesmith.tools.records.run_list import runs_in

    found = runs_in(runs)
    if as_json:
        print_json(json.dumps([run.model_dump(mode="json") for run in found]).encode())
        return
    if not found:
        print(f"There is no run in {one_line(str(runs), 200)}. `tunesmith run TASK` begins one.")
        return
    rows = [("run", "state", "trials", "began", "why it ended")]
    for run in found:
        state = run.state if run.pid is None else f"{run.state} (pid {run.pid})"
        trials = str(run.trials) if run.total is None else f"{run.trials} of {run.total}"
        age = "" if run.began is None else f"{about(max(time.time() - run.began, 0.0))} ago"
        rows.append((one_line(run.name, 60), state, trials, age, one_line(run.reason, MOST_REASON)))
    for line in aligned(rows, width=shutil.get_terminal_size((120, 24)).columns):
        print(line)
