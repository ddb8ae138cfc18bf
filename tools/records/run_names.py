"""Which run folder a task means: the newest of those begun under its name, or a new one beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from tunesmith.tools.records.plain_files import read_plain

ABOUT = "run.json"
LARGEST_ABOUT = 1 << 20
"""Bytes."""


def read_about(folder: Path) -> dict[str, Any]:
    """What `run.json` says; empty where it is missing or cannot be read, as nothing in it is needed."""
    try:
        about = json.loads(read_plain(folder / ABOUT, LARGEST_ABOUT))
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def unused_name(runs: Path, name: str) -> str:
    """`name`, or `name-2`, `name-3` and so on: the first that no folder under `runs` has."""
    return next(n for n in chain([name], (f"{name}-{i}" for i in count(2))) if not (runs / n).exists())


def newest_run(runs: Path, name: str, *, source: str | None = None) -> str | None:
    """Name of the newest run that was begun as `name`, be it by --fresh as `name-2`; None without one.

    Args:
        source: Only runs that began with the results of this source.
    """
    first = read_about(runs / name)
    found: list[tuple[float, int, str]] = []
    beside = re.compile(re.escape(name) + r"-(\d{1,9})")
    try:
        folders = [entry.name for entry in runs.iterdir()] if runs.is_dir() else []
    except OSError:
        folders = []
    for folder in folders:
        match = beside.fullmatch(folder)
        if folder != name and match is None:
            continue
        about = read_about(runs / folder)
        if not about or (folder != name and not _begun_as(about, name, first)):
            continue
        if source is None or about.get("from") == source:
            created = about.get("created_at")
            moment = float(created) if isinstance(created, int | float) else 0.0
            found.append((moment, int(match[1]) if match else 1, folder))
    return max(found)[2] if found else None


def _begun_as(about: Mapping[str, Any], name: str, first: Mapping[str, Any]) -> bool:
    if "begun_as" in about:
        return bool(about["begun_as"] == name)
    # Releases up to 0.2 did not say: a run of the same task file beside the one of that name.
    return about.get("task_file") is not None and about.get("task_file") == first.get("task_file")
