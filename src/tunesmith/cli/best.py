"""`tunesmith best`: the configuration that a run found, for a file, a program or a command line."""

from __future__ import annotations

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.errors import UsageError
from tunesmith.text.terminal import print_json, print_whole

if TYPE_CHECKING:
    from tunesmith.api.winner import Winner

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
Metric = Annotated[
    str | None,
    typer.Option("--metric", help="The trial of the Pareto front that is best by this metric instead."),
]
Trial = Annotated[
    int | None,
    typer.Option("--trial", min=0, help="The completed trial of this number instead, feasible or not."),
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
    front: Annotated[
        bool, typer.Option("--front", help="Every configuration on the Pareto front, best first.")
    ] = False,
    metric: Metric = None,
    trial: Trial = None,
    runs: Runs = Path("runs"),
    debug: Debug = False,
) -> None:
    """Print the best configuration of a run on stdout; where it comes from is said on stderr.

    It keeps every limit of the task. `--format argv` is the very command that the trial was started with,
    quoted for a shell; for a training function, an option for each hyperparameter.

    Exit code 1: no trial has completed, none is feasible, or no configuration is by the mean of its runs.
    """
    from tunesmith.api.winner import find_front, find_winner

    check_choice(seen=seen, front=front, metric=metric is not None, trial=trial is not None)
    if front:
        found = find_front(run, runs=runs)
        _print_front(found, form)
        return
    one = find_winner(run, runs=runs, seen=seen, metric=metric, trial=trial)
    print(f"{one.folder.path.name}: trial {one.trial}, {one.why}: {searched(one)}", file=sys.stderr)
    match form:
        case Format.JSON:
            print_json(json.dumps(one.as_json(), indent=2, allow_nan=False).encode())
        case Format.YAML:
            print_whole(one.as_yaml())
        case Format.ARGV:
            print_whole(" ".join(map(quoted, one.argv())))


def check_choice(**given: bool) -> None:
    """Raise UsageError where more than one option says which configuration is meant."""
    named = [f"--{name}" for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} each say which configuration is meant. Give one of them.")


def searched(winner: Winner) -> str:
    """What its trial had in the search: `loss 0.1 in the search`, further metrics and broken limits."""
    from tunesmith.goal_words import measured, primary

    first, *others = measured(winner.task.goals, winner.values)
    broken = f" ({first.mark})" if first.broken else ""
    told = [
        f"{winner.task.metric} {primary(winner.task.goals, winner.value)}{broken}",
        *(each.text for each in others),
    ]
    return f"{', '.join(told)} in the search"


def _print_front(found: list[Winner], form: Format) -> None:
    """JSON: a list of objects; YAML: a document each; argv: a line each."""
    for one in found:
        print(f"{one.folder.path.name}: trial {one.trial}, {one.why}: {searched(one)}", file=sys.stderr)
    match form:
        case Format.JSON:
            data = [
                {"trial": one.trial, "values": one.values, "configuration": one.as_json()} for one in found
            ]
            print_json(json.dumps(data, indent=2, allow_nan=False).encode())
        case Format.YAML:
            print_whole("---\n".join(f"# trial {one.trial}\n{one.as_yaml()}" for one in found))
        case Format.ARGV:
            print_whole("\n".join(" ".join(map(quoted, one.argv())) for one in found))


def quoted(argument: str) -> str:
    """An argument for a shell; what a terminal could act on as an escape of bash, zsh and ksh."""
    if argument.isprintable():
        return shlex.quote(argument)
    escaped = "".join(
        c if c.isprintable() and c not in "\\'" else "".join(f"\\x{byte:02x}" for byte in c.encode())
        for c in argument
    )
    return f"$'{escaped}'"
