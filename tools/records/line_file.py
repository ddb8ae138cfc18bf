"""Files of one JSON document a line that several threads append to, and that a kill may tear."""

from __future__ import annotations

import threading
from pathlib import Path

_one_line_at_a_time = threading.Lock()


def append_line(path: Path, line: str) -> None:
    """Append one line; where a kill left a torn one, that stays on a line of its own.

    Raises:
        OSError: The folder is missing, or the disk is full.
    """
    with _one_line_at_a_time:
        torn = path.exists() and not _ends_a_line(path)
        with path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + line + "\n")


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"
