"""The last lines of a trial's log file, as literal text: the file is written by code that nobody checked."""

from __future__ import annotations

from pathlib import Path

from tunesmith.text.literal import literal

TAIL_BYTES = 64 * 1024
"""Read from the end of the file, anew each time: a long log is cut in its middle while it grows."""
MOST_LINES = 200


def log_mark(path: Path) -> tuple[int, int, int] | None:
    """What differs once a log was written to: its file, size and time of change; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def log_tail(path: Path) -> str | None:
    """The end of a log; None where there is no file that can be read.

    Blocks on the disk: to be called in a thread.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(size - TAIL_BYTES, 0)
            file.seek(start)
            data = file.read(TAIL_BYTES)
    except OSError:
        return None
    if start > 0:
        data = data.partition(b"\n")[2] or data  # the first line is cut
    text = data.decode("utf-8", errors="replace")
    return literal("\n".join(text.split("\n")[-MOST_LINES:])).rstrip()
