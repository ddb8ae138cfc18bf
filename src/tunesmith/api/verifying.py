"""A run's allocation, run live on items that its search never met, beside what was recorded."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.api.winner import Winner, find_winner
from tunesmith.errors import BankMiss, UsageError
from tunesmith.items import Items
from tunesmith.tools.analysis.fresh_scores import mean_interval
from tunesmith.tools.analysis.paired import PairedDifference, paired

QUALITY, COST = "quality", "cost"
VERIFICATIONS = "verify"
"""Folder of a run that they are kept in, as `0001.json`."""


@dataclass(frozen=True)
class Verified:
    """What a live run of an allocation came to."""

    winner: Winner
    quality: float
    interval: tuple[float | None, float | None]
    """Ends of the 95 % interval of `quality`, over items of this kind."""
    cost: float
    """For one item, in units of the cost model."""
    values: Mapping[str, float]
    n: int
    recorded: PairedDifference | None
    """Live against recorded on the same items; None where the bank does not have them."""
    why_not: str
    """Why there are no recorded ones; empty where there are."""
    notes: tuple[str, ...]
    file: Path


@dataclass
class _Handle:
    """What `objective.confirm` needs of a trial; nobody stops it."""

    given: Any
    folder: Path
    number: int
    metric: str = QUALITY
    notes: list[str] = field(default_factory=list)
    items: dict[str, dict[str, float]] = field(default_factory=dict)
    further: tuple[str, ...] = (COST,)

    @property
    def reports(self) -> _Handle:
        return self

    def report(self, value: Any, step: int) -> None:
        """Nobody looks."""

    def should_prune(self) -> bool:
        return False

    def report_items(self, scores: Mapping[str, float], metric: str | None = None) -> None:
        self.items[metric or QUALITY] = dict(scores)


def verify(run: Path, *, runs: Path = Path("runs"), trial: int | None = None) -> Verified:
    """Run a pipeline's recommended allocation on its confirmation items, every answer drawn anew.

    Calls are led on and charged to the run's money limit; the keys of providers are read from this process's
    environment. The result is kept in the run's folder.

    Args:
        run: A run folder, or a task file: its newest run.
        trial: The allocation of this trial instead.
    Raises:
        UsageError: The run is no pipeline's, or keeps no items back.
        PipelineError: The allocation cannot be run.
    """
    from tunesmith.tools.pipelines.objective import confirm

    winner = find_winner(run, runs=runs, trial=trial)
    task = winner.task
    objective = task.objective_ref()
    given = json.loads(objective.given) if objective.given else {}
    if "pipeline" not in given:
        raise UsageError(f"{winner.folder.path}: its task is no pipeline, so there is nothing to verify live")
    place = winner.folder.path / VERIFICATIONS
    place.mkdir(exist_ok=True)
    number = 1 + max((int(p.stem) for p in place.glob("[0-9]*.json")), default=0)
    pipeline = given["pipeline"]
    live = {**given, "pipeline": {**pipeline, "replay": False, "bank": None}}
    with _inside(objective.workdir or task.folder):
        handle = _Handle(live, place / f"{number:04}", number)
        with redirect_stdout(io.StringIO()):  # what the program prints
            values = confirm(winner.received, handle)
        scores = _items(handle)
        recorded, why_not = None, "the task has no bank"
        if pipeline["bank"] is not None:
            again = _Handle({**given, "pipeline": {**pipeline, "replay": True}}, handle.folder, number)
            try:
                with redirect_stdout(io.StringIO()):
                    confirm(winner.received, again)
                recorded, why_not = paired(scores, _items(again)), ""
            except BankMiss as error:
                why_not = str(error)
    found = Verified(
        winner=winner,
        quality=values[QUALITY],
        interval=mean_interval(scores),
        cost=values[COST],
        values=values,
        n=len(scores),
        recorded=recorded,
        why_not=why_not,
        notes=tuple(handle.notes),
        file=place / f"{number:04}.json",
    )
    kept = {
        "trial": winner.trial,
        "configuration": winner.as_json(),
        "values": dict(values),
        "interval": found.interval,
        "items": scores.pack(),
        "recorded": None if recorded is None else recorded._asdict(),
        "why_not_recorded": why_not,
    }
    found.file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return found


def _items(handle: _Handle) -> Items:
    scores = handle.items[QUALITY]
    return Items(tuple(scores.values()), tuple(scores))


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
