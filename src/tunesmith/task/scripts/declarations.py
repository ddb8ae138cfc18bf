"""`declarations`: the options of a script, by whichever library it uses."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.task.scripts.absl_options import absl_options
from tunesmith.task.scripts.argparse_options import argparse_options
from tunesmith.task.scripts.click_options import click_options
from tunesmith.task.scripts.dataclass_options import dataclass_options
from tunesmith.task.scripts.function_options import fire_options, typer_options
from tunesmith.task.scripts.hydra_options import hydra_options
from tunesmith.task.scripts.option import Declarations
from tunesmith.task.scripts.source import Script

_READERS: tuple[Callable[[Script], Declarations | None], ...] = (
    hydra_options,
    dataclass_options,
    absl_options,
    fire_options,
    typer_options,
    click_options,
    argparse_options,
)
"""What a parser builds upon comes after it: a script of dataclasses may add an argument of argparse's too."""


def declarations(script: Script) -> Declarations:
    """What the script declares; nothing, and incomplete, where no reader knows it."""
    try:
        for read in _READERS:
            if (found := read(script)) is not None:
                return found
    except RecursionError:
        return Declarations("", unread=("expressions that nest too deeply",), complete=False)
    if script.uses("sacred"):  # `with lr=0.1`: values are Python literals, `false` would be a text
        return Declarations("sacred", complete=False)
    return Declarations("", complete=False)
