"""The search spaces that a run has had: since when, by whom, why, and how many trials of each still count."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tunesmith.history import History
from tunesmith.steering.record import Change, Record
from tunesmith.task.changes import space_changes
from tunesmith.task.lineage import Lineage
from tunesmith.text.numbers import counted


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


def space_versions(lineage: Lineage, record: Record, history: History) -> tuple[SpaceVersion, ...]:
    """All of them in order, that of now last.

    Args:
        history: Every trial of the run, in the space of now.
    """
    trials, legal_now = history.every, {trial.number for trial in history}
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
        legal = sum(trial.number in legal_now for trial in own)
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


def versions_text(versions: Sequence[SpaceVersion]) -> str:
    """A line each: from which trial, made by whom, what was changed, and how many of its trials count.

    Those in which nothing was tried are only counted, but for that of now.
    """
    shown = [v for v in versions if v.trials or v is versions[-1]]
    lines = [_line(version, now=version is versions[-1]) for version in shown]
    if others := len(versions) - len(shown):
        lines.append(f"Between them {counted(others, 'change', 'changes')} of it without a trial.")
    return "\n".join(lines)


def _line(version: SpaceVersion, *, now: bool) -> str:
    made = "the task file" if version.by == "task file" else "a command"
    if version.at is not None:
        made += time.strftime(" of %Y-%m-%d %H:%M", time.localtime(version.at))
    if version.legal == version.trials:
        count = counted(version.trials, "trial", "trials") if version.trials else "no trial"
        count += ", which counts" if version.trials == 1 else ", which all count" if version.trials else ""
    else:
        count = f"{counted(version.trials, 'trial')}, of which {version.legal or 'none'} "
        count += "counts" if version.legal < 2 else "count"
    name = f"Space {version.version}{' (now)' if now else ''}, from trial {version.first_trial}, by {made}"
    return ": ".join([name, *(["; ".join(version.why)] if version.why else []), f"{count}."])
