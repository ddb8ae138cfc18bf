"""`tunesmith best`: the configuration that a run found, for a file, a program or a command line."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json, print_whole

RunPath = Annotated[
    Path,
    typer.Argument(
        help="A run folder such as runs/digits_cnn, or a task file: its newest run.", show_default=False
    ),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders, for a task file.")]
Seen = Annotated[
    bool, typer.Option("--seen", help="The configuration of the best value seen, not the recommended one.")
]


class Format(StrEnum):
    YAML = "yaml"
    JSON = "json"
    ARGV = "argv"


@report_errors
def best(
    run: RunPath,
    form: Annotated[
        Format, typer.Option("--format", help="yaml, json, or argv: the command that trains it.")
    ] = Format.YAML,
    seen: Seen = False,
    runs: Runs = Path("runs"),
    debug: Debug = False,
) -> None:
    """Print the best configuration of a run on stdout; where it comes from is said on stderr.

    `--format argv` is the very command that the trial was started with, quoted for a shell; for a training
    function, an option for each hyperparameter.
    """
    from tunesmith.api.winner import find_winner
    from tunesmith.text.numbers import metric

    found = find_winner(run, runs=runs, seen=seen)
    why = "best value seen" if seen or not found.recommendation.differs else "recommended"
    value = f"{found.task.metric} {metric(found.value)} in the search"
    told = f"{found.folder.path.name}: trial {found.trial}, {why}: {value}"
    print(told, file=sys.stderr)
    match form:
        case Format.JSON:
            print_json(json.dumps(found.as_json(), indent=2, allow_nan=False).encode())
        case Format.YAML:
            print_whole(found.as_yaml())
        case Format.ARGV:
            print_whole(" ".join(map(quoted, found.argv())))


def quoted(argument: str) -> str:
    """An argument for a shell; what a terminal could act on as an escape of bash, zsh and ksh."""
    if argument.isprintable():
        return shlex.quote(argument)
    escaped = "".join(
        c if c.isprintable() and c not in "\\'" else "".join(f"\\x{byte:02x}" for byte in c.encode())
        for c in argument
    )
    return f"$'{escaped}'"
