"""Files of one JSON document a line that several threads append to, and that a kill may tear."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tunesmith.tools.records.plain_files import NotPlain, free_name, open_plain

_one_line_at_a_time = threading.Lock()


def append_line(path: Path, line: str) -> None:
    """Append one line; where a kill left a torn one, that stays on a line of its own.

    A link, FIFO or folder at `path` is renamed to `<name>.damaged-<n>`, and a new file begun.

    Raises:
        OSError: The folder is missing, or the disk is full.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with _one_line_at_a_time:
        try:
            descriptor = open_plain(path, flags)
        except NotPlain:
            path.rename(free_name(path, "damaged"))
            descriptor = open_plain(path, flags)
        with open(descriptor, "ab+") as file:
            torn = not _ends_a_line(file.fileno())
            file.write((b"\n" if torn else b"") + line.encode() + b"\n")


def _ends_a_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
