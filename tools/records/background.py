"""Who runs a run: the process that holds its lock, or one that was started for it and has yet to take it.

An engine loads libraries for a second or two before it takes the lock. `background.json` says meanwhile
that it is coming, so that nobody starts a second one, and afterwards how it was started.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.lock import Holder, holder_of
from tunesmith.tools.records.plain_files import read_plain
from tunesmith.trial import Frozen

NAME = "background.json"
LARGEST_NOTE = 1 << 18
"""Bytes."""


class Background(Frozen):
    """An engine that was started in the background."""

    holder: Holder
    """The engine's process."""
    cwd: str
    args: tuple[str, ...]
    """After `tunesmith`."""


def read_background(folder: Path) -> Background | None:
    """The newest engine that was started in the background for the run in `folder`; None without a note."""
    try:
        return Background.model_validate_json(read_plain(folder / NAME, LARGEST_NOTE))
    except (OSError, ValueError):
        return None  # no note, or one that nobody of ours wrote


def write_background(folder: Path, note: Background) -> None:
    """Keep the note. Raises OSError."""
    write_atomic(folder / NAME, note.model_dump_json().encode(), durable=False)


def engine_of(folder: Path) -> Holder | None:
    """The process that runs the run in `folder`, or is about to; one on another machine counts."""
    holder = holder_of(folder / "lock")
    if holder is not None and holder.alive is not False:
        return holder
    note = read_background(folder)
    return note.holder if note is not None and note.holder.alive else None


def forget_ended(folder: Path) -> None:
    """Remove the note of an engine that has ended, since the session that begins now is another."""
    note = read_background(folder)
    if note is not None and note.holder.alive is False:
        with suppress(OSError):
            (folder / NAME).unlink(missing_ok=True)
