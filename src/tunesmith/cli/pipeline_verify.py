"""`tunesmith pipeline verify`: a run's allocation, run live on items that its search never met."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.best import RunPath, Runs
from tunesmith.cli.errors import Debug, report_errors


@report_errors
def pipeline_verify(
    run: RunPath,
    trial: Annotated[
        int | None,
        typer.Option("--trial", min=0, help="The allocation of this trial instead."),
    ] = None,
    runs: Runs = Path("runs"),
    debug: Debug = False,
) -> None:
    """Run the recommended allocation of a pipeline on its confirmation items, every answer drawn anew.

    Calls go to the provider and cost what they cost, within the task's `money_limit`. The result is compared
    with what was recorded, where the task names a bank that has these items, and kept in the run's folder.
    """
    from tunesmith.api.verifying import verify

    found = verify(run, runs=runs, trial=trial)
    winner = found.winner
    for name, value in winner.configuration.items():
        print(f"  {name}: {value}")
    low, high = found.interval
    between = "" if low is None or high is None else f" (95 % interval {low:.3g} to {high:.3g})"
    live = f"quality {found.quality:.4g}{between}, cost {found.cost:.4g}"
    print(f"Live on {found.n} items that no trial met: {live}.")
    searched = winner.values.get("quality", float("nan"))
    print(f"In the search trial {winner.trial} had quality {searched:.4g}.")
    if found.recorded is None:
        print(f"Not compared with recorded answers on these items: {found.why_not}.")
    else:
        one = found.recorded
        span = "" if one.low is None or one.high is None else f" ({one.low:+.3g} to {one.high:+.3g})"
        print(f"Live minus recorded on the same items: {one.difference:+.3g}{span}, {one.verdict}.")
    for note in found.notes:
        print(note)
