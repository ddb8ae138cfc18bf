"""The search spaces that a run has had: since when, by whom, why, and how many trials of each still count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tunesmith.steering.record import Change, Record
from tunesmith.task.changes import space_changes
from tunesmith.task.lineage import LeftOut, Lineage
from tunesmith.trial import Trial


@dataclass(frozen=True)
class SpaceVersion:
    """A stretch of trials in one search space."""

    version: int
    """The same number again where the run went back to a space."""
    first_trial: int
    by: Literal["task file", "person"]
    """Who made it: the task file, or a command of a person."""
    why: tuple[str, ...]
    """What was changed, a clause each; empty for the first."""
    at: float | None
    """Unix time, where a command made it."""
    trials: int
    """Started in it."""
    legal: int
    """Of those, how many have a counterpart in the space of now."""


def space_versions(lineage: Lineage, record: Record, trials: Sequence[Trial]) -> tuple[SpaceVersion, ...]:
    """All of them in order, that of now last.

    Args:
        trials: Every trial of the run, as `History.every`.
    """
    found = []
    left = list(record.changes)
    for place, epoch in enumerate(lineage.epochs):
        why: tuple[str, ...] = ()
        change: Change | None = None
        if place:
            before = lineage.epochs[place - 1]
            why = tuple(space_changes(before.space, epoch.space))
            change = next((c for c in left if c.started == epoch.first_trial and _of_space(c)), None)
            if change is not None:
                left = left[left.index(change) + 1 :]
                why = (change.text.partition(";")[0],)
        own = [trial for trial in trials if lineage.epoch_of(trial.number) is epoch]
        legal = sum(_counts(lineage, trial) for trial in own)
        found.append(
            SpaceVersion(
                epoch.version,
                epoch.first_trial,
                "task file" if change is None else "person",
                why,
                None if change is None else change.at,
                len(own),
                legal,
            )
        )
    return tuple(found)


def _of_space(change: Change) -> bool:
    return change.command.kind not in ("budget", "prior")


def _counts(lineage: Lineage, trial: Trial) -> bool:
    try:
        lineage.carried(trial.number, trial.configuration)
    except LeftOut:
        return False
    return True
