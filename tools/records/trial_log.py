"""The end of a trial's log, as it is on disk."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith.text.cleaning import log_tail
from tunesmith.tools.records.plain_files import open_plain
from tunesmith.tools.records.trial_folder import LOG

READ = 64 << 10
"""Bytes that are read of the end of a log."""


def end_of_log(folder: Path, limit: int) -> str:
    """The last lines of the log in a trial's folder, clean; empty where there is none that can be read."""
    try:
        with open(open_plain(folder / LOG, os.O_RDONLY), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - READ))
            return log_tail(file.read(READ).decode("utf-8", "replace"), limit)
    except OSError:
        return ""
