"""Tasks and runs of a folder, found without running, importing or following anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tunesmith.tools.records.plain_files import read_plain

MOST_FILES = 200
"""Task files that are looked into."""
MOST_ENTRIES = 2000
"""Entries of one folder that are looked at."""
MOST_FOLDERS = 100
"""Folders below that are looked into, one level deep."""
LARGEST_TASK = 1 << 20
"""Bytes."""
_SPACE = re.compile(rb"^(space|problem)\s*:", re.MULTILINE)
_METRIC = re.compile(rb"^(metric|metrics|command|objective|problem)\s*:", re.MULTILINE)


def tasks_in(folder: Path) -> tuple[Path, ...]:
    """Task files in `folder` and one level below, those nearest first; links and hidden folders are left out.

    A file counts where it has the keys of a task; whether it is a legal one is told when it is opened.
    """
    found: list[Path] = []
    looked = 0
    for path in _candidates(folder):
        looked += 1
        if looked > MOST_FILES:
            break
        try:
            text = read_plain(path, LARGEST_TASK)
        except (OSError, ValueError):
            continue
        if _SPACE.search(text) and _METRIC.search(text):
            found.append(path)
    return tuple(found)


def _candidates(folder: Path) -> Iterator[Path]:
    entries = _entries(folder)
    yield from _yaml(entries)
    below = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    for entry in below[:MOST_FOLDERS]:
        if not entry.name.startswith(".") and entry.name != "runs":
            yield from _yaml(_entries(Path(entry.path)))


def _yaml(entries: list[os.DirEntry[str]]) -> Iterator[Path]:
    for entry in entries:
        if entry.name.endswith((".yaml", ".yml")) and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    found: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= MOST_ENTRIES:
                    break
                found.append(entry)
    except OSError:
        return []  # one that may not be read has nothing to offer
    return sorted(found, key=lambda entry: entry.name)
