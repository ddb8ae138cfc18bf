"""Which libraries training code needs, found without running it, so that they are loaded only once.

Third-party libraries only. The standard library loads quickly, and people's own modules must be loaded anew
by each trial: they may hold state, and they may be edited while a run goes on. So a package that is installed
for editing is read for what it imports in turn, and not loaded itself.

What is installed, and where, is a matter of the Python that trains: for a function in another Python than
Tunesmith's this file runs there, as `PYTHON bootstrap.py PACKAGE tunesmith.tools.execution.preload FILE...`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import logging
import os
import pickletools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.objective import PYTHON_WORDS
from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.environment import trial_environment
from tunesmith.tools.execution.own_module import module_command

if TYPE_CHECKING:
    from tunesmith.objective import Objective

log = logging.getLogger(__name__)

_SITE_FOLDERS = {"site-packages", "dist-packages"}
"""A part of the path of whatever is installed, also where one environment builds on another."""
_COMPANIONS = {"torch": ("torch._dynamo",)}
"""Modules that a library loads at first use: making the first torch optimizer takes seconds without it."""
_MOST_FILES = 500
_LIMIT_S = 60.0


def _standard_library() -> frozenset[str]:
    names: frozenset[str] | None = getattr(sys, "stdlib_module_names", None)  # new in Python 3.10
    if names is not None:
        return names
    folder = Path(os.__file__).parent
    files = [*folder.iterdir(), *(folder / "lib-dynload").glob("*")]
    return frozenset(sys.builtin_module_names) | {file.name.partition(".")[0] for file in files}


_OURS = frozenset({"tunesmith", "__main__"}) | _standard_library()


class Discovered(NamedTuple):
    """What `discover` found."""

    modules: list[str]
    """Installed modules that the training code imports when it is loaded, sorted."""
    fault: str = ""
    """Why nothing could be found, in one line; empty where it could."""


def discover(objective: Objective) -> Discovered:
    """Which modules to load once for all trials, as the Python that trains finds them.

    Read with `ast` from the script and from people's own modules that it imports. For a pickled
    function: the modules of this process that the pickle names. None for a command.
    """
    if objective.function is not None and objective.python not in (None, sys.executable):
        return _asked_of(objective)
    return Discovered(discover_preload(objective))


def discover_preload(objective: Objective) -> list[str]:
    """As `discover`, by this process's own Python."""
    if objective.function is not None:
        return _of_files(objective.files)
    found = _Imports()
    if objective.pickle is not None:
        for name in _names_in(objective.pickle):
            module = sys.modules.get(name)
            file = getattr(module, "__file__", None)
            if module is None or file is None or name.partition(".")[0] in _OURS:
                continue
            if _is_installed(file):
                found.installed.add(name)
            elif file.endswith(".py"):
                found.read(Path(file), Path(file).parent)
    return sorted(found.installed)


def _of_files(scripts: Sequence[Path]) -> list[str]:
    found = _Imports()
    for script in scripts:
        found.read(script, script.parent)
    return sorted(found.installed)


def _asked_of(objective: Objective) -> Discovered:
    assert objective.function is not None
    command = module_command(__name__ if __name__ != "__main__" else __spec__.name, objective.python)
    try:
        done = subprocess.run(
            [*command, *map(str, objective.files)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            cwd=objective.workdir,
            env=trial_environment(objective),
        )
        modules = json.loads(done.stdout.decode(errors="replace").rstrip().rpartition("\n")[2])
        return Discovered([str(name) for name in modules])
    except subprocess.TimeoutExpired:
        fault = f"no answer within {_LIMIT_S:g} s"
    except (OSError, ValueError, TypeError) as error:
        fault = str(error)
        if not isinstance(error, OSError):
            fault = done.stderr.decode(errors="replace").rstrip().rpartition("\n")[2] or fault
    where = f"{objective.python} does not tell which libraries it has, so each trial loads its own (slower)"
    return Discovered([], log_line(f"{where}: {fault}"))


def imported_names(objective: Objective) -> set[str]:
    """Names of the third-party packages that training code imports at its top, whether installed or not.

    An import inside `try`, `if`, a function or a class is not counted: the code may do without. Of a command,
    the script or module that it names is read; empty where it names none.
    """
    scripts = objective.files or (_script(objective),)
    found = _Imports(finding=False)
    for script in scripts:
        if script is not None:
            found.read(script, script.parent)
    return found.needed


def _script(objective: Objective) -> Path | None:
    words, folder = list(objective.command or ()), objective.workdir or Path.cwd()
    if words and not words[0].endswith(".py") and words[0] not in PYTHON_WORDS:
        return None
    for place, word in enumerate(words):
        if word == "-m" and place + 1 < len(words):
            base = folder.joinpath(*words[place + 1].split("."))
            files = [base.with_suffix(".py"), base / "__main__.py"]
            return next((file for file in files if file.is_file()), None)
        if word.endswith(".py") and (folder / word).is_file():
            return folder / word
    return None


def with_companions(modules: Sequence[str]) -> list[str]:
    """`modules`, and what they would load by themselves later, at first use."""
    tops = {name.partition(".")[0] for name in modules}
    late = [name for library, names in _COMPANIONS.items() if library in tops for name in names]
    return list(dict.fromkeys([*modules, *late]))


@dataclass
class _Imports:
    """What a script and people's own modules that it imports need from outside."""

    finding: bool = True
    """Whether to look for what is installed; else only the names are taken."""
    installed: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    """Names at the top of a file that no condition guards."""
    seen: set[Path] = field(default_factory=set)

    def read(self, file: Path, folder: Path) -> None:
        """Add what `file` imports; own modules, beside it in `folder` or installed for editing, in turn."""
        if file in self.seen or len(self.seen) >= _MOST_FILES:
            return
        self.seen.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            log.debug("%s is not searched for imports: %s", file, error)  # the trial will tell
            return
        for found in _imports(tree.body):
            if found.level:
                self._read_below(file.parents[min(found.level, len(file.parents)) - 1], folder, found)
                continue
            top = found.module.partition(".")[0]
            if (folder / f"{top}.py").is_file() or (folder / top).is_dir():
                self._read_below(folder, folder, found)
            elif top not in _OURS:
                if not found.guarded:
                    self.needed.add(top)
                if self.finding:
                    self._find(top, found)

    def _read_below(self, base: Path, folder: Path, found: _Import) -> None:
        place = base.joinpath(*found.module.split(".")) if found.module else base
        for local in (place, *(place / name for name in found.names if name.isidentifier())):
            for candidate in (local.with_suffix(".py"), local / "__init__.py"):
                if candidate.is_file():
                    self.read(candidate, folder)

    def _find(self, top: str, found: _Import) -> None:
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            return
        if spec is None:
            return
        folders = [Path(place) for place in spec.submodule_search_locations or ()]
        place = spec.origin or (str(folders[0]) if folders else "")
        if not _is_installed(place):
            if place.endswith(".py"):
                file = Path(place)
                above = file.parents[1] if file.name == "__init__.py" else file.parent
                self.read(file, above)
                self._read_below(above, above, found)
            return
        for name in (found.module, *(f"{found.module}.{name}" for name in found.names)):
            rest = name.split(".")[1:]
            if not rest or any(_is_module(folder.joinpath(*rest)) for folder in folders):
                self.installed.add(name)


class _Import(NamedTuple):
    """One statement: `import module`, or `from module import names`."""

    module: str
    names: tuple[str, ...]
    level: int
    """Dots of a relative import."""
    guarded: bool
    """Whether it stands below `if` or `try`."""


def _imports(body: list[ast.stmt], guarded: bool = False) -> Iterator[_Import]:
    """Imports that run when the module does: also below `if` and `try`, not in functions."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(alias.name, (), 0, guarded)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield _Import(node.module or "", names, node.level, guarded)
        elif isinstance(node, ast.If):
            if not _never_runs(node.test):
                yield from _imports(node.body, True)
            yield from _imports(node.orelse, True)
        elif isinstance(node, ast.Try):
            yield from _imports(node.body, True)
            yield from _imports(node.orelse, True)
            yield from _imports(node.finalbody, guarded)
        elif isinstance(node, ast.With):
            yield from _imports(node.body, guarded)


def _never_runs(test: ast.expr) -> bool:
    """`if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    names = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(test)
        if isinstance(n, (ast.Name, ast.Attribute))
    }
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _is_module(path: Path) -> bool:
    return (
        path.is_dir()
        or any(path.parent.glob(f"{path.name}.py"))
        or any(path.parent.glob(f"{path.name}.*.so"))
    )


def _is_installed(file: str) -> bool:
    """Whether a module's file is where packages are installed, rather than people's own code."""
    path = Path(file).absolute()
    if not _SITE_FOLDERS.isdisjoint(path.parts):
        return True
    return any(
        entry in path.parents and _holds_packages(entry) for entry in map(Path, filter(None, sys.path))
    )


@lru_cache(maxsize=256)
def _holds_packages(folder: Path) -> bool:
    """Whether packages are installed in a folder, by whatever tool: an overlay, a `--target`."""
    return any(folder.glob("*.dist-info"))


def _names_in(path: Path) -> Iterator[str]:
    """Every string in a pickle that could be a module's name; the pickle is not executed."""
    try:
        for _, argument, _ in pickletools.genops(path.read_bytes()):
            if isinstance(argument, str) and len(argument) < 200:
                yield argument
    except (OSError, ValueError) as error:
        log.debug("%s is not searched for modules: %s", path, error)


if __name__ == "__main__":
    print(json.dumps(_of_files([Path(file) for file in sys.argv[1:]])))
