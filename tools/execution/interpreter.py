"""Which Python runs the trials: the task's, or the one that `python train.py` means to the caller.

In this order: the task's `python:`; the active environment (VIRTUAL_ENV, CONDA_PREFIX), the first on PATH if
both are set; the `python` on PATH, if it is an environment's; and where that is a system's plain Python, that
one or Tunesmith's own, whichever has what the script imports. Tunesmith's own where there is no other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import ObjectiveError, TaskError
from tunesmith.objective import PYTHON_WORDS, Objective
from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.preload import imported_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from tunesmith.task import Task

    Asker = Callable[[str], "_Answer | None"]

OLDEST = (3, 9)
"""The oldest Python that can call a training function; a command may use any."""
_LIMIT_S = 60.0
_ASK = """
import json, os, sys
missing = []
try:
    from importlib.util import find_spec
except ImportError:
    find_spec = None
for name in sys.argv[1:]:
    try:
        if find_spec is not None and find_spec(name) is None:
            missing.append(name)
    except Exception:
        pass
base = getattr(sys, "base_prefix", sys.prefix)
conda = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
print("")
print(json.dumps([sys.executable, list(sys.version_info[:3]), sys.prefix, base, conda, missing]))
"""
"""Understood by Python 2 as well, which a command may still use."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that trials run in."""

    path: str
    """As it is called: a virtual environment's `python` is a link, and must stay one."""
    version: str
    why: str
    """A clause for a person."""
    own: bool
    """Whether it is the one that Tunesmith runs in."""
    missing: tuple[str, ...] = ()
    """Modules that the script imports at its top and this Python does not find."""

    @property
    def name(self) -> str:
        """Which it is, with its version."""
        return f"{self.path} ({self.version})"

    def line(self) -> str:
        """Which it is and why, for `check` and the start of a run."""
        lacks = f"; it does not find {', '.join(self.missing)}" if self.missing else ""
        return log_line(f"{self.name}: {self.why}{lacks}")


@dataclass(frozen=True)
class _Answer:
    """What a Python says of itself."""

    executable: str
    version: tuple[int, int, int]
    prefix: str
    base: str
    conda: bool
    missing: tuple[str, ...]

    @property
    def is_environment(self) -> bool:
        return self.prefix != self.base or self.conda


def interpreter_of(task: Task, objective: Objective) -> Interpreter:
    """As `choose`, for training code of a task.

    Raises:
        TaskError: The task's `python` is no Python, or too old for a function.
    """
    try:
        return choose(objective)
    except ObjectiveError as error:
        if objective.python is None or task.path is None:
            raise
        from tunesmith.task.document import read_document

        line = read_document(task.path).line_of(("python",))
        raise TaskError(str(error), path=task.path, line=line, key="python") from error


def with_interpreter(objective: Objective) -> Objective:
    """`objective` with the Python that runs it; a function given from Python stays in the caller's own."""
    return objective if objective.pickle is not None else replace(objective, python=choose(objective).path)


def choose(objective: Objective, environ: Mapping[str, str] | None = None) -> Interpreter:
    """Which Python runs this training code.

    Args:
        environ: The caller's environment; None: this process's.
    Raises:
        ObjectiveError: `Objective.python` is no Python that runs, or it is too old to call a function.
    """
    env = dict(os.environ if environ is None else environ)
    chosen = _choose(objective, env)
    number = tuple(int(part) for part in chosen.version.split(".")[:2])
    if objective.function is not None and number < OLDEST:
        raise ObjectiveError(
            f"{chosen.path} is Python {chosen.version}, and a training function needs "
            f"{'.'.join(map(str, OLDEST))} or later. Name another in the task, such as "
            f"`python: .venv/bin/python`, or call the script by a `command:`, which any Python may run."
        )
    return chosen


def _choose(objective: Objective, env: Mapping[str, str]) -> Interpreter:
    names, folder = tuple(sorted(imported_names(objective))), str(objective.workdir or Path.cwd())
    path_text = env.get("PATH", os.defpath)

    def ask(python: str) -> _Answer | None:
        answer = _asked(python, names, folder, path_text)
        if answer is None:
            _asked.cache_clear()  # it may be installed while this process lives
        return answer

    if objective.python is not None:
        return _named(objective.python, path_text, ask)
    told = ""
    for variable, prefix in _active(env):
        python = _python_in(Path(prefix))
        if python is None:
            told = f"; {variable}={prefix} has no bin/python"
        elif (answer := ask(str(python))) is None:
            told = f"; {variable}={prefix} has a python that does not start"
        else:
            return _interpreter(str(python), answer, f"the active environment ({variable}){told}")
    own = _own(names)
    for word in PYTHON_WORDS:
        found = shutil.which(word, path=path_text)
        answer = None if found is None else ask(found)
        if found is None or answer is None:
            continue
        theirs = _interpreter(found, answer, f"the `{word}` on PATH{told}")
        if theirs.own or answer.is_environment:
            return theirs
        lacks_more = sorted(set(theirs.missing) - set(own.missing))
        if lacks_more:
            why = f"Tunesmith's own, since {found} on PATH has no {', '.join(lacks_more)}{told}"
        elif not set(own.missing) - set(theirs.missing) and (
            objective.function is not None or answer.base == sys.base_prefix
        ):
            why = f"Tunesmith's own; the `{word}` on PATH belongs to no environment{told}"
        else:
            return theirs
        return replace(own, why=why)
    return replace(own, why=f"Tunesmith's own: there is no python on PATH{told}")


def _named(python: str, path_text: str, ask: Asker) -> Interpreter:
    """The Python that the task names: a file, a folder of an environment, or a word to look for on PATH."""
    place = Path(python)
    found: str | None = python
    if place.is_dir():
        inside = _python_in(place)
        found = None if inside is None else str(inside)
    elif os.sep not in python:
        found = shutil.which(python, path=path_text)
    elif not place.is_file():
        found = None
    fix = "Write the path of a Python or of a virtual environment, such as `python: .venv/bin/python`."
    if found is None:
        kind = "has no bin/python" if place.is_dir() else "there is no such Python"
        raise ObjectiveError(f"{python}: {kind}. {fix}")
    answer = ask(found)
    if answer is None:
        raise ObjectiveError(f"{python}: it does not run as a Python does. {fix}")
    return _interpreter(found, answer, "the task's `python`")


def _active(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """(variable, folder) of the active environments, the one first that PATH has first."""
    on_path = [os.path.realpath(entry) for entry in env.get("PATH", "").split(os.pathsep)]

    def place(item: tuple[str, str]) -> int:
        folder = os.path.realpath(os.path.join(item[1], "bin"))
        return on_path.index(folder) if folder in on_path else len(on_path)

    named = [(name, env.get(name, "").strip()) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    # A base environment is active in every shell of a conda user; it is what PATH says, no more.
    base = env.get("CONDA_DEFAULT_ENV") == "base"
    chosen = [item for item in named if item[1] and not (item[0] == "CONDA_PREFIX" and base)]
    return sorted(chosen, key=place)


def _python_in(folder: Path) -> Path | None:
    for name in ("bin/python", "bin/python3", "python"):
        if os.access(folder / name, os.X_OK) and (folder / name).is_file():
            return (folder / name).absolute()
    return None


def _interpreter(python: str, answer: _Answer, why: str) -> Interpreter:
    python = os.path.abspath(python)
    version = ".".join(map(str, answer.version))
    wrapped = _is_script(python)
    if wrapped and Path(python).parent.name == "shims" and os.path.isfile(answer.executable):
        python, wrapped = answer.executable, False  # pyenv's and asdf's: found once, not at each start
    own = not wrapped and os.path.realpath(answer.prefix) == os.path.realpath(sys.prefix)
    return Interpreter(sys.executable if own else python, version, why, own, answer.missing)


def _is_script(python: str) -> bool:
    try:
        with open(python, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _own(names: Sequence[str]) -> Interpreter:
    import importlib.util

    missing = []
    for name in names:
        try:
            if importlib.util.find_spec(name) is None:
                missing.append(name)
        except (ImportError, ValueError):
            continue
    version = ".".join(map(str, sys.version_info[:3]))
    return Interpreter(sys.executable, version, "Tunesmith's own", True, tuple(missing))


@lru_cache(maxsize=64)
def _asked(python: str, names: tuple[str, ...], folder: str, path_text: str) -> _Answer | None:
    """What a Python says; None where it does not answer. PATH is part of the question: a shim reads it."""
    if os.path.realpath(os.path.dirname(python)) == os.path.realpath(os.path.dirname(sys.executable)):
        own = _own(names)
        if os.path.basename(python) in PYTHON_WORDS and not _is_script(python):
            base, number = sys.base_prefix, sys.version_info
            version = (number.major, number.minor, number.micro)
            return _Answer(sys.executable, version, sys.prefix, base, False, own.missing)
    try:
        done = subprocess.run(
            [python, "-c", _ASK, *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            cwd=folder if os.path.isdir(folder) else None,
        )
        last = done.stdout.decode(errors="replace").rstrip().rpartition("\n")[2]
        executable, version, prefix, base, conda, missing = json.loads(last)
        major, minor, micro = map(int, version)
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        return None  # not there, not a Python, or one that does not start
    text = [log_line(str(value), 4000) for value in (executable, prefix, base)]
    return _Answer(text[0], (major, minor, micro), text[1], text[2], bool(conda), tuple(map(str, missing)))
