"""The studies of the search spaces that a run had before, made again where the storage has lost them.

All studies of a run are in one journal, or one database: what takes that away takes them all.
"""

from __future__ import annotations

from tunesmith.errors import RunError
from tunesmith.task.lineage import LeftOut, carried
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import NOT_IN_SPACE, StudyStore, study_name
from tunesmith.trial import Trial


def made_again(folder: RunFolder, study: StudyStore) -> dict[int, StudyStore]:
    """Complete the studies of earlier spaces from the trial folders; those that lacked trials, by version.

    Args:
        study: That of the space of now.
    Raises:
        RunError: The storage cannot be used.
    """
    lineage, made = folder.lineage, dict[int, StudyStore]()
    last = {epoch.version: place for place, epoch in enumerate(lineage.epochs)}
    for version, place in last.items():
        if version == lineage.version:
            continue
        space, end = lineage.epochs[place].space, lineage.epochs[place + 1].first_trial
        found = study.earlier(study_name(folder.name, version), space)
        if found is not None and found.next_number >= end:
            continue
        found = found or study.of_version(folder.name, version, space)
        for number in range(found.next_number, end):
            _add(found, folder, number, place)
        if end:
            made[version] = found
    return made


def _add(study: StudyStore, folder: RunFolder, number: int, place: int) -> None:
    """Add a trial as it was in the space of epoch `place`."""
    trial = _as_begun(folder, number)
    if trial is None:
        study.skip(number)
        return
    epochs = folder.lineage.epochs
    first = epochs.index(folder.lineage.epoch_of(number))
    try:
        configuration = carried(trial.configuration, epochs[first : place + 1])
    except LeftOut:
        study.skip(number, NOT_IN_SPACE)
        return
    proposal = trial.proposal.model_copy(update={"configuration": configuration})
    trial = trial.model_copy(update={"proposal": proposal})
    study.record(trial) if trial.finished else study.started(trial)


def _as_begun(folder: RunFolder, number: int) -> Trial | None:
    """A trial as its folder has it, in the space that it began in; None where it cannot be read."""
    try:
        config = folder.read_config(number)
        if config is None:
            return None
        outcome = folder.read_outcome(number, config.stamp)
    except RunError:
        return None
    trial = config.trial()
    return trial if outcome is None else finished_trial(trial, outcome, *folder.task.goals.names)
