"""What was typed before in a run folder, kept between terminals: a small file, one JSON text a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tunesmith.text.literal import literal

MOST = 200
"""Texts kept."""
LONGEST = 4_000
"""Characters of one that is kept."""
MOST_BYTES = 2_000_000
FILE = "typed.jsonl"


def read_typed(folder: Path) -> list[str]:
    """The texts, oldest first; what cannot be read is left out."""
    try:
        file = folder / FILE
        if file.is_symlink() or file.stat().st_size > MOST_BYTES:
            return []
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines[-MOST:]:
        try:
            text = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(text, str) and text.strip():
            found.append(literal(text[:LONGEST]))
    return found


def keep_typed(folder: Path, text: str) -> None:
    """Add a text, without the secrets of the environment. A file that grew too large begins anew.

    Raises:
        OSError: It cannot be written.
    """
    if len(text) > LONGEST or not folder.is_dir():
        return
    file = folder / FILE
    known = read_typed(folder)
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    line = json.dumps(literal(text)) + "\n"
    whole = len(known) >= MOST and file.stat().st_size > MOST_BYTES // 4
    data = "".join(json.dumps(each) + "\n" for each in known[-MOST // 2 :]) + line if whole else line
    with os.fdopen(os.open(file, flags | (os.O_TRUNC if whole else os.O_APPEND), 0o600), "w") as out:
        out.write(data)
