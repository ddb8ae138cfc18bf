"""What a session says of a task that was changed since the session before."""

from __future__ import annotations

import re
from collections import Counter

from tunesmith.events import TaskChanged
from tunesmith.history import History
from tunesmith.task.changes import space_changes
from tunesmith.task.lineage import LeftOut, Lineage
from tunesmith.text.cleaning import clean
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Trial

MOST_CHANGES = 100
"""Clauses that an event keeps."""


def task_changed(folder: RunFolder, history: History, last: TaskChanged | None) -> TaskChanged | None:
    """The event of this session's changes; None where there are none.

    A session that was killed before it could tell leaves its change of space to the next one.

    Args:
        last: The latest such event of the run.
    """
    lineage, told = folder.lineage, list(folder.told)
    news = lineage.changed and (last is None or last.epoch != len(lineage.epochs))
    if not news and not told:
        return None
    if news and not told and len(lineage.epochs) > 1:
        told = space_changes(lineage.epochs[-2].space, lineage.epochs[-1].space)
    changes = tuple(clean(text, 300) for text in told[:MOST_CHANGES])
    if not news:
        return TaskChanged(changes=changes, version=lineage.version, epoch=len(lineage.epochs))
    return TaskChanged(
        changes=changes,
        space=True,
        version=lineage.version,
        epoch=len(lineage.epochs),
        carried=tuple(t.number for t in history if lineage.epoch_of(t.number).version != lineage.version),
        left=tuple(t.number for t in history.earlier),
        reasons=left_out_reasons(lineage, history.earlier),
        best=None if history.incumbent is None else history.incumbent.number,
    )


def why_left_out(lineage: Lineage, trial: Trial) -> str:
    """Why a trial is history only, clean; empty where it is not."""
    try:
        lineage.carried(trial.number, trial.configuration)
    except LeftOut as why:
        return clean(str(why), 300)
    return ""


def left_out_reasons(lineage: Lineage, trials: tuple[Trial, ...]) -> tuple[str, ...]:
    """Why trials are history only, each reason once with how many, the most frequent first.

    Values are left out of what is counted, so that one bound that was moved is one reason.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for trial in trials:
        why = why_left_out(lineage, trial)
        kind = re.sub(r"=\S+|was \S+", "", why)
        counts[kind] += 1
        first.setdefault(kind, why)
    return tuple(
        first[kind] if n == 1 else f"{first[kind]}, and {n - 1} alike" for kind, n in counts.most_common()
    )
