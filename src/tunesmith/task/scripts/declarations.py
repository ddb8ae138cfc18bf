"""`declarations`: the options of a script, by whichever library it uses."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.task.scripts.argparse_options import argparse_options
from tunesmith.task.scripts.option import Declarations
from tunesmith.task.scripts.source import Script

_READERS: tuple[Callable[[Script], Declarations | None], ...] = (argparse_options,)


def declarations(script: Script) -> Declarations:
    """What the script declares; nothing, and incomplete, where no reader knows it."""
    for read in _READERS:
        if (found := read(script)) is not None:
            return found
    return Declarations("", complete=False)
