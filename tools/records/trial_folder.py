"""A trial's own folder: its file names, and the only code that writes and reads `result.json`.

    config.json   curve.jsonl   log.txt   result.json   checkpoints/

Workers, executors, engine and report all go through here, so this file imports little.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.outcome import Outcome, Stamp, TrialState, json_object
from tunesmith.text.secrets import redactor
from tunesmith.tools.records.atomic_write import set_aside, write_atomic, write_once
from tunesmith.tools.records.curve_file import CURVE, read_curve_file
from tunesmith.tools.records.plain_files import clear, make_folder, read_plain

log = logging.getLogger(__name__)

CONFIG, RESULT = "config.json", "result.json"
LOG, CHECKPOINTS = "log.txt", "checkpoints"
FOLDERS = ("trials", "confirm", "retrain")
"""Where a run has its trials' folders."""
LARGEST_RECORD = 64 << 20
"""Bytes that a file of a trial's records may have; more is no record of ours."""


def record_outcome(folder: Path, outcome: Outcome, of: Stamp | None = None) -> Outcome:
    """Record durably how the trial in `folder` ended. The first record is kept, from whichever process.

    Training code may have put anything in the place of the folder or of the record: what cannot be read, or
    is another trial's, is set aside, and the folder is made again.

    Args:
        of: Which job the outcome is of; None where that is not known.
    Returns:
        What is kept: `outcome`, or the one recorded before it.
    Raises:
        OSError: The disk is full, or nothing can be written there.
    """
    make_trial_folder(folder)
    path, data = folder / RESULT, _as_text(outcome, of).encode()
    if write_once(path, data):
        return outcome
    earlier = recorded_outcome(folder, of)
    if earlier is not None:
        return earlier
    set_aside(path)
    return outcome if write_once(path, data) else recorded_outcome(folder, of) or outcome


def make_trial_folder(folder: Path) -> list[str]:
    """See to it that a trial's folder, and the folder of all trials, are folders that can be written to.

    What is in their place is renamed to `<name>.damaged-<n>`.

    Returns:
        What was found there instead, such as `trials was a file`; empty where nothing was.
    """
    parents = [folder.parent] if folder.parent.name in FOLDERS else []  # another is not ours to mend
    (folder.parent.parent if parents else folder.parent).mkdir(parents=True, exist_ok=True)
    found = [(path.name, make_folder(path)) for path in (*parents, folder)]
    return [f"{name} was {what}" for name, what in found if what is not None]


def read_outcome(folder: Path, of: Stamp | None = None) -> Outcome | None:
    """How the trial in `folder` ended; None while it has not.

    Args:
        of: What the folder is of. A record that says it is of something else is refused; one that does not
            say, as those of before 0.3, is not.
    Raises:
        RunError: The record cannot be read, or is of another trial.
    """
    path = folder / RESULT
    try:
        stored = json_object(read_plain(path, LARGEST_RECORD))
        stamp = Stamp.from_data(stored.pop("of")) if "of" in stored else None
        outcome = Outcome.from_data(stored)
        if outcome.state is TrialState.RUNNING:
            raise ValueError("it says that the trial is running")
        if None not in (of, stamp) and of != stamp:
            raise ValueError(f"it is of {stamp}, and this folder of {of}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    return outcome


def recorded_outcome(folder: Path, of: Stamp | None = None) -> Outcome | None:
    """As `read_outcome`, but None also where the record cannot be read, or is of another trial."""
    try:
        return read_outcome(folder, of)
    except RunError:
        return None


def take_secrets_out_of_record(folder: Path) -> None:
    """Write the outcome in `folder` again where it quotes a secret that its process did not know.

    A trial gets no secrets in its environment, so it cannot tell one that its code has from elsewhere.
    """
    path = folder / RESULT
    try:
        data = read_plain(path, LARGEST_RECORD)
        if not redactor().found_in(data.decode(errors="replace")):
            return
        stored = json_object(data)
        stamp = Stamp.from_data(stored.pop("of")) if "of" in stored else None
        write_atomic(path, _as_text(Outcome.from_data(stored), stamp).encode())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        log.warning("%s may hold a secret: it cannot be rewritten: %s", path, error)


def explain_record(folder: Path, message: str) -> None:
    """Put a message into the outcome in `folder`, where it has none.

    A worker that is told to stop is not told why, and writes the record; the engine knows.
    """
    path = folder / RESULT
    try:
        stored = json_object(read_plain(path, LARGEST_RECORD))
        stamp = Stamp.from_data(stored.pop("of")) if "of" in stored else None
        outcome = Outcome.from_data(stored)
        if not outcome.message:
            write_atomic(path, _as_text(outcome.changed(message=message), stamp).encode())
    except (OSError, ValueError) as error:
        log.warning("%s does not say why its trial was stopped: %s", path, error)


def _as_text(outcome: Outcome, of: Stamp | None) -> str:
    text = outcome.to_json()
    return text if of is None else f'{{\n "of": {json.dumps(of._asdict())},' + text[1:]


def discard_attempt(folder: Path) -> None:
    """Remove the outcome and the curve, so that the folder can be used for another attempt."""
    clear(folder / RESULT)
    clear(folder / CURVE)


def read_curve(folder: Path) -> tuple[tuple[int, float], ...]:
    """The reported (step, value) pairs in order of step, thinned where there are very many."""
    return read_curve_file(folder).points


def damaged(path: Path, error: Exception) -> RunError:
    """For a file in a trial's folder that cannot be read."""
    cause = str(error).splitlines()[0]
    return RunError(
        f"{path} cannot be read ({cause}). Restore it, or delete {path.parent} to give that trial up."
    )


def newest_checkpoint(folder: Path) -> Path | None:
    """The file that the trial in `folder` wrote last to its checkpoint folder; None without one."""
    files = [path for path in (folder / CHECKPOINTS).rglob("*") if path.is_file()]
    return max(files, key=lambda path: (path.stat().st_mtime, path.name), default=None)
