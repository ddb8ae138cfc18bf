"""The report's part on a run whose search space was changed: which spaces, and what became of the trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tunesmith.history import History
from tunesmith.steering.versions import space_versions
from tunesmith.task.changes import space_changes
from tunesmith.task.lineage import LeftOut
from tunesmith.task.lineage import Lineage as Spaces
from tunesmith.text.numbers import counted, metric
from tunesmith.tools.records.changed_task import left_out_reasons
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.taken import read_taken
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.data import Lineage, SpaceLine, TakenOver
from tunesmith.trial import Trial


def split(lineage: Spaces, trials: Sequence[Trial]) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
    """Trials that count in the search space of now, with their configuration there, and all others."""
    counting: list[Trial] = []
    left: list[Trial] = []
    for trial in trials:
        try:
            configuration = lineage.carried(trial.number, trial.configuration)
        except LeftOut:
            left.append(trial)
            continue
        if configuration is not trial.configuration:
            proposal = trial.proposal.model_copy(update={"configuration": configuration})
            trial = trial.model_copy(update={"proposal": proposal})
        counting.append(trial)
    return tuple(counting), tuple(left)


def taken_part(folder: RunFolder, text: Anonymous) -> TakenOver | None:
    """What the run began with; None where it began with nothing."""
    taken = read_taken(folder.path)
    if taken is None:
        return None
    return TakenOver(
        source=text(taken.source, 200),
        taken=taken.taken,
        left=taken.left,
        reasons=tuple(text(why, 400) for why in taken.reasons),
        notes=tuple(text(note, 400) for note in taken.notes),
        sentence=text(taken.text, 2000),
    )


def lineage_part(folder: RunFolder, history: History, text: Anonymous) -> Lineage | None:
    """None for a run whose search space was never changed."""
    lineage = folder.lineage
    if not lineage.changed:
        return None
    made = space_versions(lineage, folder.record, history)
    epochs = [
        (epoch, made[place])
        for place, epoch in enumerate(lineage.epochs)
        if place == 0 or epoch.version != lineage.epochs[place - 1].version
    ]
    befores = [None, *(epoch.space for epoch, _ in epochs)]
    spaces = tuple(
        SpaceLine(
            space=epoch.version,
            first_trial=epoch.first_trial,
            parameters=text(epoch.space.describe(), 2000, lines=True),
            by=version.by,
            at=None
            if version.at is None
            else datetime.fromtimestamp(version.at, UTC).isoformat(timespec="seconds"),
            trials=version.trials,
            legal=version.legal,
            changes=()
            if before is None
            else tuple(text(f"{change} (by a person's command)", 300) for change in version.why)
            if version.by == "person"
            else tuple(text(change, 300) for change in space_changes(before, epoch.space)),
        )
        for before, (epoch, version) in zip(befores, epochs, strict=False)
    )
    carried = tuple(t.number for t in history if lineage.epoch_of(t.number).version != lineage.version)
    left = tuple(t.number for t in history.earlier)
    sentence = (
        f"The search space was changed while the run went on; space {lineage.version} is the last. "
        f"{_counted(len(carried), len(left))}"
    )
    ended = replace(history.without_trials(), trials=history.earlier).incumbent
    best = history.incumbent
    if ended is not None and ended.value is not None:
        better = best is None or best.value is None or history.sign * (ended.value - best.value) > 0
        if better:
            sentence += (
                f" Trial {ended.number} among those had the best value of all, {metric(ended.value)}: its "
                "configuration is outside the last space."
            )
    return Lineage(
        spaces=spaces,
        carried=carried,
        left=left,
        reasons=tuple(text(why, 400) for why in left_out_reasons(lineage, history.earlier)),
        sentence=text(sentence, 1000),
    )


def _counted(carried: int, left: int) -> str:
    """How many trials of other spaces count in the last one, in a sentence."""
    every = counted(carried + left, "trial")
    if not carried + left:
        return "No trial was run in another one."
    if not left:
        return f"The {every} of other spaces {'counts' if carried == 1 else 'count'} in it."
    rest = (
        "1 is history only: it is shown, but nothing is learned from it, and it cannot be the best."
        if left == 1
        else f"{left} are history only: shown, but nothing is learned from them, and none can be the best."
    )
    return f"Of {every} of other spaces {carried} {'counts' if carried == 1 else 'count'} in it and {rest}"
