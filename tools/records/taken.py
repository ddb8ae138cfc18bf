"""Results of earlier work as the first trials of a new run (`--from`), and the record of what was taken.

They are written once, before the run's first trial, as trial folders like any others:

    .taking/00000 ...   taken.json   .taking -> trials

A kill before `taken.json` begins anew; one after it leaves the last step to the next session.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from pydantic import Field, ValidationError

from tunesmith.errors import RunError
from tunesmith.events import Noted
from tunesmith.interfaces import Emit
from tunesmith.task import Task
from tunesmith.text.numbers import counted
from tunesmith.tools.records.atomic_write import sync_folder, write_atomic
from tunesmith.tools.records.found import Source
from tunesmith.tools.records.plain_files import read_plain
from tunesmith.tools.records.run_folder import RunFolder, TrialConfig
from tunesmith.tools.records.sources import read_source
from tunesmith.tools.records.trial_folder import CONFIG, record_outcome
from tunesmith.trial import Frozen, Origin, Proposal, Provenance

NAME = "taken.json"
STAGE = ".taking"
MOST_REASONS = 20


class Taken(Frozen):
    """What a run began with."""

    source: str
    """Name of it, without a path."""
    taken: int = Field(ge=0)
    left: int = Field(ge=0)
    reasons: tuple[str, ...] = ()
    """Why results were left out, each with how many, the most frequent first."""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What was taken, what not and why, in a few sentences."""
        text = f"{counted(self.taken, 'result')} of {self.source} taken over as the first trials"
        if self.left:
            text += f"; {self.left} left out: " + "; ".join(self.reasons[:5])
        notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in self.notes)
        return f"{text}. They cost nothing of the budget.{notes}"


def read_taken(folder: Path) -> Taken | None:
    """The record of a run's folder; None where the run began with nothing, or where it cannot be read."""
    try:
        return Taken.model_validate_json(read_plain(folder / NAME, 1 << 20))
    except (OSError, ValidationError):
        return None


def take_over(folder: RunFolder, url: str | None, emit: Emit) -> None:
    """Give a new run the results of its source, once; the caller holds the run's lock.

    Args:
        url: The source with what `folder.source` leaves out, a storage's password.
    Raises:
        RunError: The source cannot be read, or nothing of it fits.
    """
    stage, trials = folder.path / STAGE, folder.path / "trials"
    if folder.source is None or (read_taken(folder.path) is not None and not stage.exists()):
        return
    if read_taken(folder.path) is None:
        if folder.trial_numbers():
            raise RunError(
                f"{folder.path} has trials of its own, so it cannot start from {folder.source}. Add --fresh."
            )
        taken = _write(folder, url or folder.source, stage)
        write_atomic(folder.path / NAME, taken.model_dump_json(indent=1).encode())
        emit(Noted(text=taken.text))
    shutil.rmtree(trials, ignore_errors=True)
    stage.rename(trials)
    sync_folder(folder.path)


def fitting_source(named: str, task: Task) -> Source:
    """A source of which something fits.

    Raises:
        RunError: It cannot be read, or nothing of it fits; says why.
    """
    source = read_source(named, task)
    if all(found.configuration is None for found in source.results):
        reasons = Counter(found.why_not for found in source.results)
        why = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common(3)) or "it holds no result"
        raise RunError(f"nothing of {source.label} fits this task ({why}). Without --from it starts anew.")
    return source


def _write(folder: RunFolder, named: str, stage: Path) -> Taken:
    """Write the trial folders of all results that fit."""
    source = fitting_source(named, folder.task)
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    fitting = [found for found in source.results if found.configuration is not None]
    reasons = Counter(found.why_not for found in source.results if found.configuration is None)
    for number, found in enumerate(fitting):
        assert found.configuration is not None and found.outcome is not None
        place = stage / f"{number:05d}"
        place.mkdir()
        proposal = Proposal(
            configuration=found.configuration,
            origin=Origin.PREVIOUS,
            reason=f"Taken over: {found.label}.",
            provenance=Provenance(taken_from=found.label),
        )
        config = TrialConfig(number=number, seed=found.seed, proposal=proposal, started_at=found.started_at)
        write_atomic(place / CONFIG, config.to_json(), durable=False)
        record_outcome(place, found.outcome, config.stamp)
    return Taken(
        source=source.label,
        taken=len(fitting),
        left=len(source.results) - len(fitting),
        reasons=tuple(f"{reason} ({n})" for reason, n in reasons.most_common(MOST_REASONS)),
        notes=source.notes,
    )
