"""Whether a command line can be started: its program and its script are there, readable and executable.

Nothing is run. Workers import this file, so it needs the standard library only.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

_SCRIPT = re.compile(r"[^{}]+\.(py|sh|bash|R|r|jl|pl|js|lua|rb|ipynb)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SHELL_WORDS = {"&&", "||", ";", "|", ">", ">>", "<", "2>&1", "&"}
_EXPANDED = re.compile(r"(--?[\w-]+=)?(~(/.*)?|\$(\w+|\{\w+\})(/.*)?)", re.DOTALL)
"""Arguments that a shell would replace."""
_BUILT_IN = {"cd", "source", "export", "conda activate", ".", "set", "ulimit"}
_TAKES_VALUE = {"-W", "-X", "-c", "-m"}
"""Options of Python with a value of their own, or after which no script follows."""


def command_fault(command: Sequence[str], folder: Path, search_path: str) -> str | None:
    """Why a command cannot be started in `folder`, with what to write instead; None where it can.

    Args:
        command: The argument vector, placeholders included.
        search_path: PATH as the trial has it.
    """
    if not command or not command[0].strip():
        return "the command is empty. Write one such as `python train.py --lr {lr}`."
    program = command[0]
    shell = next((word for word in command if word in _SHELL_WORDS), None)
    if _ASSIGNMENT.fullmatch(program):
        return (
            f"the command starts with {_shown(program)}, and there is no shell to set variables. "
            f"Write `env` before it: `env {_cut(program)} ...`."
        )
    if program in _BUILT_IN:
        return (
            f"the command starts with {program!r}, which only a shell knows. The command runs in the task "
            f"file's folder; for a shell, write `bash -c '...'`."
        )
    if shell is not None and "-c" not in command[1:3]:
        return (
            f"the command has {shell!r} in it, and there is no shell to read it. Write "
            f"`bash -c '...'` around the whole line, or put it into a script."
        )
    expanded = next((word for word in command[1:] if _EXPANDED.fullmatch(word)), None)
    if expanded is not None and "-c" not in command[1:3]:
        return (
            f"the command has {_shown(expanded)} in it, and no shell expands it. Write the value itself, or "
            f"`bash -c '...'` around the whole line."
        )
    return _program_fault(program, folder, search_path) or _script_fault(command, folder)


def _program_fault(program: str, folder: Path, search_path: str) -> str | None:
    if os.sep not in program:
        if shutil.which(program, path=search_path):
            return None
        if (folder / program).is_file():
            return (
                f"the command starts with {_shown(program)}, a file and no program on PATH. Write "
                f"`{_runner(program)} ...`."
            )
        return (
            f"the command starts with {_shown(program)}, and there is no such program on PATH."
            f"{_near_program(program, search_path)}"
        )
    path = folder / program
    if program.startswith("~") or "$" in program:
        return f"the command starts with {_shown(program)}, and no shell expands it. Write the whole path."
    if path.is_dir():
        return f"the command starts with {_shown(program)}, which is a folder. Name the program in it."
    if not path.is_file():
        return (
            f"the command starts with {_shown(program)}, and {_shown(str(path))} is no file.{near_file(path)}"
        )
    if not os.access(path, os.X_OK):
        return (
            f"the command starts with {_shown(program)}, which is not executable. Write "
            f"`{_runner(program)} ...`, or allow it: `chmod +x {_cut(program)}`."
        )
    return _interpreter_fault(path, program, search_path)


def _interpreter_fault(path: Path, program: str, search_path: str) -> str | None:
    """A script whose first line names an interpreter that is not there, or names none."""
    try:
        with path.open("rb") as file:
            line = file.readline(300)
    except OSError:
        return None  # executable without being readable is legal
    if not line.startswith(b"#!"):
        if path.suffix in (".py", ".sh"):
            return (
                f"{_shown(program)} has no `#!` line, so it cannot be started by itself. "
                f"Write `{_runner(program)} ...`."
            )
        return None
    words = line[2:].decode(errors="replace").split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-")]
        found = not words or shutil.which(words[0], path=search_path) is not None
    else:
        found = bool(words) and Path(words[0]).is_file()
    if found:
        return None
    return (
        f"the first line of {_shown(program)} names {_shown(words[0] if words else '')}, and there is no "
        f"such program. Correct it, or write `{_runner(program)} ...`."
    )


def _script_fault(command: Sequence[str], folder: Path) -> str | None:
    """The first argument that names a script must be one; what comes after it is the script's own."""
    arguments = iter(command[1:])
    for argument in arguments:
        if argument == "-m":
            return _module_fault(next(arguments, ""), folder)
        if argument in ("-c", "--module"):
            return None  # code, or a module to be found by a launcher
        if argument in _TAKES_VALUE:
            next(arguments, None)
            continue
        if argument.startswith("-") or not _SCRIPT.fullmatch(argument):
            continue
        path = folder / argument
        if path.is_file():
            return None if os.access(path, os.R_OK) else f"{_shown(str(path))} may not be read by this user."
        what = "a folder" if path.is_dir() else "no file"
        return f"the command names {_shown(argument)}, and {_shown(str(path))} is {what}.{near_file(path)}"
    return None


def script_of(command: Sequence[str], folder: Path) -> Path | None:
    """The Python file that a command starts by `python file.py`; None where it starts something else."""
    if not Path(command[0]).name.startswith("python"):
        return None
    arguments = iter(command[1:])
    for argument in arguments:
        if argument in _TAKES_VALUE:
            if argument in ("-c", "-m"):
                return None
            next(arguments, None)
        elif not argument.startswith("-"):
            path = folder / argument
            return path if path.suffix == ".py" and path.is_file() else None
    return None


def _module_fault(name: str, folder: Path) -> str | None:
    """A module of the folder's own packages that is not there; others are the interpreter's to find."""
    top, *rest = name.split(".")
    if not rest or "{" in name or not (folder / top).is_dir():
        return None
    path = folder.joinpath(top, *rest)
    if path.with_suffix(".py").is_file() or path.is_dir():
        return None
    near = near_file(path.with_suffix(".py"))
    return f"the command names the module {_shown(name)}, and {_shown(f'{path}.py')} is no file.{near}"


def _runner(program: str) -> str:
    return f"{'bash' if program.endswith(('.sh', '.bash')) else 'python'} {_cut(program)}"


def near_file(path: Path) -> str:
    """The file that was probably meant."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())[:2000]
    except OSError:
        return f" There is no folder {_shown(str(path.parent))}."
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.5)
    alike = close or [name for name in beside if path.suffix and name.endswith(path.suffix)][:1]
    return f" Did you mean {_shown(alike[0])}?" if alike else " The path counts from the task file's folder."


def _near_program(program: str, search_path: str) -> str:
    if program.startswith("python") or program == "py":
        versions = ("python3", "python", Path(sys.executable).name)
        found = next((name for name in versions if shutil.which(name, path=search_path)), None)
        return f" Did you mean {found!r}?" if found else ""
    return " Install it, correct the name, or write its whole path."


def _shown(text: str) -> str:
    return repr(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:60]}...{text[-57:]}"
