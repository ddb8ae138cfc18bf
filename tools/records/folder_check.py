"""Looks at a run folder before anything in it is read or written: it may have been made by anybody.

A link would be followed, and what it points to read or overwritten; a FIFO would be waited for; a file in
the place of a folder would end in a traceback. A run has none of these, so it is refused with one sentence.
What is damaged in other ways (a record that cannot be read) is for its own reader to tell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.errors import RunError
from tunesmith.outcome import json_object
from tunesmith.tools.records.curve_file import CURVE
from tunesmith.tools.records.plain_files import kind, read_plain
from tunesmith.tools.records.trial_folder import CONFIG, FOLDERS, LOG, RESULT

LARGEST_SMALL_FILE = 16 << 20
"""Bytes of `task.yaml` and `run.json`."""
_OF_A_RUN = (*FOLDERS, "sinks")
_SMALL = ("task.yaml", "run.json")
_OF_A_TRIAL = (CONFIG, RESULT, CURVE, LOG)
_LOCK_OF_OPTUNA = re.compile(r"study\.journal\.lock([0-9a-f-]{36}\.rename)?")
"""A symbolic link, by its longer name where a kill came while Optuna released it."""
_SET_ASIDE = re.compile(r".*\.(damaged|orphan)-\d+", re.DOTALL)
_TRIAL = re.compile("[0-9]{5,12}|(best|default)-[0-9]+")


class Odd(NamedTuple):
    """Something that no run has."""

    path: Path
    what: str
    wanted: str
    """What a run has there."""


def check_run_folder(path: Path) -> None:
    """See to it that what has a run's names in the folder `path` is what a run has there.

    Raises:
        RunError: Something is not; names it and the fix.
    """
    for odd in oddities(path):
        raise RunError(
            f"{odd.path} is {odd.what}, and a run has {odd.wanted} there, which is read and written. Move it "
            f"away, or put {odd.wanted} in its place."
        )
    for name in _SMALL:
        _check_small(path / name)


def oddities(path: Path) -> Iterator[Odd]:
    """Links, and what is neither file nor folder or the one in the place of the other, in order of name."""
    for entry in _entries(path):
        name, place = entry.name, Path(entry.path)
        what = kind(place)
        if _SET_ASIDE.fullmatch(name) or what is None:
            continue
        if name in _OF_A_RUN:
            if what != "a folder":
                yield Odd(place, what, "a folder")
            else:
                yield from _odd_trials(place)
        elif (what not in ("a file", "a folder") and not _LOCK_OF_OPTUNA.fullmatch(name)) or (
            what == "a folder" and name in _FILES
        ):
            yield Odd(place, what, "a file")


def _odd_trials(path: Path) -> Iterator[Odd]:
    for entry in _entries(path):
        place = Path(entry.path)
        if entry.is_symlink() and not _SET_ASIDE.fullmatch(entry.name):
            yield Odd(place, "a symbolic link", "a folder")
        elif not _TRIAL.fullmatch(entry.name):
            continue
        elif not entry.is_dir(follow_symlinks=False):
            yield Odd(place, kind(place) or "gone", "a folder")
        else:
            for record in _entries(place):
                if record.is_symlink() and record.name in _OF_A_TRIAL:
                    yield Odd(Path(record.path), "a symbolic link", "a file")


def _check_small(path: Path) -> None:
    if kind(path) is None:
        return
    try:
        data = read_plain(path, LARGEST_SMALL_FILE)
        if path.suffix == ".json":
            json_object(data)
    except (OSError, ValueError) as error:
        fix = "Delete it: it is written again." if path.suffix == ".json" else "Restore it."
        raise RunError(f"{path} cannot be read ({str(error).splitlines()[0]}). {fix}") from error


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise RunError(f"{path} cannot be looked into ({error.strerror or error}).") from error


_FILES = frozenset(
    [
        *(
            *_SMALL,
            "lineage.json",
            "taken.json",
            "study.journal",
            "run.db",
            "run.db-wal",
            "run.db-shm",
            "run.db-journal",
        ),
        *(
            "lock",
            "lock.json",
            "exchanges.jsonl",
            "confirm.json",
            "certify.json",
            "engine.log",
            "background.json",
            "objective.pkl",
        ),
    ]
)
