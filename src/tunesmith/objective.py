"""Where the training code is. Imported by workers too, so it needs nothing but the standard library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Objective:
    """Where the training code is; exactly one of the three is set."""

    function: str | None = None
    """`/abs/path/file.py:function`."""
    command: tuple[str, ...] | None = None
    """An argument vector; `{name}` inside an argument is replaced by the value, no shell involved."""
    pickle: Path | None = None
    """A function given from Python, by cloudpickle."""
    workdir: Path | None = None
    """Folder the training code runs in and imports from; None means the trial's folder."""
