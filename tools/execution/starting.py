"""What the first word of a command starts, and the PATH it is looked for on. Standard library only.

`python`, `python3` and a script given by its name alone mean the Python of the trials; every other program is
looked for on PATH, with that Python's folder in front where it is an environment's.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tunesmith.objective import PYTHON_WORDS
from tunesmith.outcome import Outcome, TrialState


def started(command: Sequence[str], folder: Path, python: str | None) -> list[str]:
    """The command with its first word made what the system is to start; arguments stay as they are.

    Args:
        command: The argument vector; its first word may be `python`, `python3`, a script or any program.
        folder: Where it runs.
        python: The Python of the trials; None for this process's own.
    """
    if not command:
        return []
    own = python or sys.executable
    program, *rest = command
    if (
        os.path.basename(program) == "env"
    ):  # `env NAME=value python ...`, as a shell's `NAME=value python ...`
        set_first = next((i for i, word in enumerate(rest) if "=" not in word), len(rest))
        behind = rest[set_first:]
        if behind and not behind[0].startswith("-"):
            return [program, *rest[:set_first], *started(behind, folder, python)]
        return [program, *rest]
    if program in PYTHON_WORDS:
        return [own, *rest]
    if program.endswith(".py") and (folder / program).is_file():
        if not _names_its_own(folder / program):
            return [own, program, *rest]
        return [program if os.sep in program else os.path.join(os.curdir, program), *rest]
    return [program, *rest]


def search_path(environment: Mapping[str, str], python: str | None) -> str:
    """PATH for training commands: `python` and what is installed beside it mean the Python of the trials."""
    own = python or sys.executable
    folder, path = os.path.dirname(own), environment.get("PATH", os.defpath)
    if shutil.which(os.path.basename(own), path=path) == own and shutil.which("python", path=path) in (
        own,
        os.path.join(folder, "python"),
    ):
        return path
    environments = python is None or own == sys.executable or prefix_of(own) is not None
    return os.pathsep.join([folder, path]) if environments else path


def naming_its_python(outcome: Outcome, python: str | None) -> Outcome:
    """The outcome of a crash for want of a package, with the Python that has none and what to do.

    Args:
        python: The Python that was chosen for the trials; None where none was, and nothing is said.
    """
    lacks = re.search(r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?([\w.]+)", outcome.message)
    if (
        python is None
        or lacks is None
        or "Tunesmith does not install" in outcome.message
        or outcome.state is not TrialState.CRASHED
    ):
        return outcome
    fix = f"not in {python}: install it there, or name another Python by `python:` in the task"
    return outcome.changed(message=f"{outcome.message[:300]} ({fix})")


def prefix_of(python: str) -> str | None:
    """The folder of the virtual environment that a Python belongs to; None where it belongs to none."""
    folder = os.path.dirname(os.path.dirname(python))
    return folder if os.path.isfile(os.path.join(folder, "pyvenv.cfg")) else None


def _names_its_own(script: Path) -> bool:
    """Whether a script can be started by itself, and its first line names a Python by its whole path."""
    try:
        with open(script, "rb") as file:
            line = file.readline(300)
    except OSError:
        return False
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    return bool(words) and Path(words[0]).name != "env" and os.access(script, os.X_OK)
