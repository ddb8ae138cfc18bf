"""The command line of a starter task: the script's options that are hyperparameters, as it has them."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tunesmith.argv import Slot, slots
from tunesmith.errors import ObjectiveError
from tunesmith.task.command import name_of
from tunesmith.task.guesses import Guess
from tunesmith.task.passing_rules import passed
from tunesmith.task.scripts.option import Declarations, Option
from tunesmith.task.scripts.source import Script
from tunesmith.task.tunable import GIVEN, Left, tunable_option

_TRAINS = re.compile(r"train|fit|run|main|learn")


@dataclass(frozen=True)
class StarterCommand:
    """A command, with what it passes and what it does not."""

    command: str
    guesses: dict[str, Guess]
    left: tuple[Left, ...]
    notes: tuple[str, ...]


def command_of(source: Script, declared: Declarations, place: str) -> StarterCommand:
    """The command that passes the script's hyperparameters.

    Args:
        place: The script as the task names it.
    """
    chosen = _subcommand(declared)
    guesses: dict[str, Guess] = {}
    left = [Left(what, "it could not be read in the script") for what in declared.unread]
    required: list[str] = []
    words: dict[str, list[str]] = {"": [], chosen: []}
    for option in declared.options:
        if option.command not in words:
            left.append(Left(f"{option.command} {option.flag}", "of another subcommand"))
            continue
        if option.name in guesses:
            continue  # its other spelling: `--no-amp` of `--amp`
        others = {o.name for o in declared.options if o.excludes == option.excludes != ""} - {option.name}
        if others:
            left.append(Left(option.flag, f"it excludes other options: {', '.join(sorted(others))}"))
            continue
        made = tunable_option(option)
        if isinstance(made, Guess):
            guesses[option.name] = made
            words[option.command] += _arguments(option, made, declared.library)
            continue
        if option.name in GIVEN and option.kind == "value" and option.flags:
            words[option.command] += [option.flag, f"{{{option.name}}}"]
        elif option.required:
            required.append(option.flag)
        else:
            left.append(made)
    if declared.library == "hydra":
        left += [Left(group, "a group of configuration files") for group in declared.commands]
    argv = ["python", *_started(source, place), *words[""], *((chosen, *words[chosen]) if chosen else ())]
    notes = []
    if required:
        notes.append(f"The script also requires {', '.join(required)}: add it to the command.")
    # shlex would quote the braces, which mean nothing to us as quotes and confuse a reader.
    command = " ".join(part if slots(part) or part.startswith("{--") else shlex.quote(part) for part in argv)
    return StarterCommand(command, guesses, tuple(left), tuple(notes))


def _started(source: Script, place: str) -> list[str]:
    """The script as Python is told it: a file, or the module of a package that it imports from by dots."""
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in source.tree.body)
    if not relative:
        return [place]
    parts = [source.path.stem]
    folder = source.path.absolute().parent
    while (folder / "__init__.py").is_file() or len(parts) == 1:
        parts.insert(0, folder.name)
        folder = folder.parent
    if Path(place).with_suffix("").parts == tuple(parts):
        return ["-m", ".".join(parts)]
    script = shlex.quote("/".join(parts) + ".py")
    raise ObjectiveError(
        f"{source.path} imports from its own package (`from . import`), so it runs only as "
        f"`python -m {'.'.join(parts)}` in {folder}; no task was written here. Write it there: "
        f"`tunesmith init {script} -o task.yaml`."
    )


def _subcommand(declared: Declarations) -> str:
    """The subcommand that trains, by its name, or else the one with most to tune."""
    if declared.library == "hydra" or not declared.commands:
        return ""

    def rank(command: str) -> tuple[bool, int]:
        own = [option for option in declared.options if option.command == command]
        return bool(_TRAINS.search(command)), sum(isinstance(tunable_option(o), Guess) for o in own)

    return max(declared.commands, key=rank)


def _arguments(option: Option, made: Guess, library: str) -> list[str]:
    if library == "hydra":
        return [f"{option.name}={{{option.name}}}"]
    flag = option.on or option.off or option.flag if option.kind == "flag" else option.flag
    done = passed(option, flag, option.name, made.parameter, library)
    return [_pretty(argument, option.name) for argument in done.arguments]


def _pretty(argument: str, name: str) -> str:
    """`{amp:--amp|}` as `{--amp}`, which means the same in a task."""
    found = slots(argument)
    if len(found) != 1 or argument != str(found[0]) or found[0].pair is None:
        return argument
    yes, no = found[0].pair
    plain = Slot(name).name.replace("-", "_")
    if yes and name_of(yes) == plain and not (no and not no.startswith("--")):
        return f"{{{yes}|{no}}}" if no else f"{{{yes}}}"
    return f"{{{no}}}" if not yes and name_of(no) == f"no_{plain}" else argument
