"""Puts right what training code has done to a run's files while the run goes on.

Everything here is known to the engine, so it is written again; what is in a file's place is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.tools.records.atomic_write import set_aside, write_atomic
from tunesmith.tools.records.curve_file import CURVE
from tunesmith.tools.records.folder_check import oddities
from tunesmith.tools.records.lock import renew
from tunesmith.tools.records.outcomes import finished_trial, outcome_of
from tunesmith.tools.records.plain_files import kind, make_folder, read_plain
from tunesmith.tools.records.run_folder import LOCK, TRIALS, RunFolder, TrialConfig
from tunesmith.tools.records.trial_folder import (
    CONFIG,
    LOG,
    RESULT,
    make_trial_folder,
)
from tunesmith.trial import Trial


def mend_run(folder: RunFolder) -> list[str]:
    """Put the run's own files and its folder of trials back; returns what had to be mended."""
    found: list[str] = []
    if not folder.path.is_dir():  # a link to a folder is somebody's choice of a place
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        found.append(f"the run's folder was {make_folder(folder.path) or 'gone'}")
    if (folder.path / TRIALS).is_symlink() or not (folder.path / TRIALS).is_dir():
        what = make_folder(folder.path / TRIALS)
        found.append(f"{TRIALS} was {what or 'gone'}")
    for path, content in folder.own_files.items():
        if _holds(path, content):
            continue
        what = kind(path)
        if what not in (None, "a file"):
            set_aside(path)
        write_atomic(path, content)
        found.append(f"{path.name} was {'changed' if what == 'a file' else what or 'gone'}")
    what = renew(folder.path / LOCK)
    if what is not None:
        found.append(f"{LOCK} was {what}")
    return found


def set_oddities_aside(folder: RunFolder) -> list[str]:
    """Rename what no run has, such as links, so that the folder can be opened again; returns what it was."""
    found = list(oddities(folder.path))
    for odd in found:
        set_aside(odd.path)
    return [f"{odd.path.relative_to(folder.path)} was {odd.what}" for odd in found]


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_plain(path, len(content)) == content
    except OSError:
        return False  # gone, larger, or no file


def mend_trial(folder: RunFolder, trial: Trial) -> list[str]:
    """Make the folder of a finished trial say what `trial` says; returns what had to be mended."""
    place, config = folder.trial_folder(trial.number), TrialConfig.of(trial)
    found = make_trial_folder(place)
    for what, wrong in (
        (CONFIG, _wrong_config(folder, config)),
        (RESULT, _wrong_result(folder, config, trial)),
    ):
        if wrong is None:
            continue
        found.append(f"{what} {wrong}")
        if kind(place / what) is not None:
            set_aside(place / what)
        if what == CONFIG:
            folder.write_config(trial)
        else:
            folder.record_outcome(trial.number, outcome_of(trial), config.stamp)
    return found + list(_set_aside_odd(folder, trial.number))


def _wrong_config(folder: RunFolder, config: TrialConfig) -> str | None:
    try:
        kept = folder.read_config(config.number)
    except RunError:
        return "could not be read"
    return "was missing" if kept is None else "was changed" if kept.stamp != config.stamp else None


def _wrong_result(folder: RunFolder, config: TrialConfig, trial: Trial) -> str | None:
    try:
        outcome = folder.read_outcome(trial.number, config.stamp)
    except RunError:
        return "could not be read"
    if outcome is None:
        return "was missing"
    kept = finished_trial(config.trial(), outcome, *folder.task.goals.names)
    same = all(getattr(kept, name) == getattr(trial, name) for name in ("state", "value", "values", "items"))
    return None if same else "was changed"


def _set_aside_odd(folder: RunFolder, number: int) -> Iterator[str]:
    for name in (CURVE, LOG):
        path = folder.trial_folder(number) / name
        what = kind(path)
        if what not in (None, "a file"):
            set_aside(path)
            yield f"{name} was {what}"
