"""A log of bounded size: the first and the last part of what a trial prints."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from tunesmith.text.cleaning import log_tail
from tunesmith.text.secrets import redactor
from tunesmith.tools.records.plain_files import create_plain, open_plain

log = logging.getLogger(__name__)

CAP = 1 << 20
"""Bytes that a log may take on disk."""
_MARK = "\n[... {:>17,} bytes cut here ...]\n"


class CappedLog:
    """Writes all it is given until the file reaches `cap`, then keeps its first and its last part.

    Whenever the cap is reached the middle is cut away in place, so the tail on disk is always recent and
    a script that prints without end costs a rewrite of a quarter of the cap for every half of it. Secrets of
    the environment are taken out before anything is written.
    """

    def __init__(self, path: Path, cap: int = CAP) -> None:
        self._path = path
        self._file = create_plain(path)
        self._cap, self._keep = cap, cap // 4
        self._size = self._cut = 0
        self._pending = b""  # may be the beginning of a secret
        self._broken = False

    def write(self, data: bytes) -> None:
        """Append `data`. A full disk costs the rest of the log, not the trial."""
        ready, self._pending = redactor().output(self._pending + data)
        self._write(ready)

    def _append(self, data: bytes) -> None:
        for start in range(0, len(data), self._keep):
            piece = data[start : start + self._keep]
            self._size += os.pwrite(self._file, piece, self._size)
            if self._size > self._cap:
                self._cut_middle()

    def _cut_middle(self) -> None:
        mark_end = self._keep + (len(_MARK.format(self._cut)) if self._cut else 0)
        tail = os.pread(self._file, self._keep, self._size - self._keep)
        self._cut += self._size - self._keep - mark_end
        middle = _MARK.format(self._cut).encode() + tail
        os.pwrite(self._file, middle, self._keep)
        self._size = self._keep + len(middle)
        os.ftruncate(self._file, self._size)

    def tail(self, limit: int = 4000) -> str:
        """The last lines, cleaned, at most `limit` characters."""
        start = max(0, self._size - 4 * limit)
        return log_tail(os.pread(self._file, self._size - start, start).decode(errors="replace"), limit)

    def close(self) -> None:
        self._write(self._pending)
        os.close(self._file)

    def _write(self, data: bytes) -> None:
        if not self._broken:
            try:
                self._append(data)
            except OSError as error:
                self._broken = True
                log.warning("%s ends here: %s", self._path, error)


def take_secrets_out(path: Path) -> None:
    """Rewrite a finished log where it quotes a secret that the process which wrote it did not know.

    A log that is gone, or is no plain file any more, is left alone.
    """
    try:
        file = open_plain(path, os.O_RDWR)
    except OSError:  # gone, or no plain file
        return
    try:
        data = os.pread(file, 2 * CAP, 0)
        ready, rest = redactor().output(data)
        if ready + rest != data:
            os.pwrite(file, ready + rest, 0)
            os.ftruncate(file, len(ready + rest))
    except OSError as error:
        log.warning("%s may hold a secret: it cannot be rewritten: %s", path, error)
    finally:
        os.close(file)
