"""Which libraries training code needs, found without running it, so that they are loaded only once.

Third-party libraries only. The standard library loads quickly, and the code's own modules must be
loaded anew by each trial: they may hold state, and they may be edited while a run goes on.
"""

from __future__ import annotations

import ast
import importlib.util
import logging
import pickletools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.objective import Objective

log = logging.getLogger(__name__)

_INSTALLED = {"site-packages", "dist-packages"}
"""A part of the path of whatever is installed, also where one environment builds on another."""
_COMPANIONS = {"torch": ("torch._dynamo",)}
"""Modules that a library loads at first use: making the first torch optimizer takes seconds without it."""


def discover_preload(objective: Objective) -> list[str]:
    """Installed third-party modules that the training code imports when it is loaded, sorted.

    Read with `ast` from the script and from the modules beside it that it imports. For a pickled
    function: the modules of this process that the pickle names. Empty for a command.
    """
    found: set[str] = set()
    if objective.function is not None:
        script = Path(objective.function.rpartition(":")[0])
        _read(script, script.parent, found, set())
    elif objective.pickle is not None:
        for name in _names_in(objective.pickle):
            module = sys.modules.get(name)
            file = getattr(module, "__file__", None)
            if module is None or file is None:
                continue
            if _is_installed(name, file):
                found.add(name)
            elif file.endswith(".py") and name.partition(".")[0] not in _OURS:
                _read(Path(file), Path(file).parent, found, set())
    return sorted(found)


def with_companions(modules: Sequence[str]) -> list[str]:
    """`modules`, and what they would load by themselves later, at first use."""
    tops = {name.partition(".")[0] for name in modules}
    late = [name for library, names in _COMPANIONS.items() if library in tops for name in names]
    return list(dict.fromkeys([*modules, *late]))


_OURS = frozenset({"tunesmith", "__main__"}) | sys.stdlib_module_names


def _read(file: Path, folder: Path, found: set[str], seen: set[Path]) -> None:
    """Add what `file` imports; files in `folder` that it imports are read in turn."""
    if file in seen:
        return
    seen.add(file)
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        log.debug("%s is not searched for imports: %s", file, error)  # the trial will tell
        return
    for module, names in _imports(tree.body):
        top = module.partition(".")[0]
        beside = [folder / f"{top}.py", folder / top]
        if beside[0].is_file() or beside[1].is_dir():
            local = folder.joinpath(*module.split("."))
            for candidate in (local.with_suffix(".py"), local / "__init__.py"):
                if candidate.is_file():
                    _read(candidate, folder, found, seen)
        elif top not in _OURS:
            found.update(_installed([module, *(f"{module}.{name}" for name in names)]))


def _imports(body: list[ast.stmt]) -> Iterator[tuple[str, list[str]]]:
    """Absolute imports that run when the module does: also below `if` and `try`, not in functions."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module is not None:
                yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.If):
            if not _never_runs(node.test):
                yield from _imports(node.body)
            yield from _imports(node.orelse)
        elif isinstance(node, ast.Try):
            yield from _imports(node.body)
            yield from _imports(node.orelse)
            yield from _imports(node.finalbody)
        elif isinstance(node, ast.With):
            yield from _imports(node.body)


def _never_runs(test: ast.expr) -> bool:
    """`if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    names = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(test)
        if isinstance(n, (ast.Name, ast.Attribute))
    }
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _installed(names: list[str]) -> Iterator[str]:
    """Those of `names` that are installed modules; nothing is imported to find out."""
    for name in names:
        top, *rest = name.split(".")
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            continue
        if spec is None or not _is_installed(
            top, spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        ):
            continue
        folders = [Path(p) for p in spec.submodule_search_locations or ()]
        if not rest or any(_is_module(folder.joinpath(*rest)) for folder in folders):
            yield name


def _is_module(path: Path) -> bool:
    return (
        path.is_dir()
        or any(path.parent.glob(f"{path.name}.py"))
        or any(path.parent.glob(f"{path.name}.*.so"))
    )


def _is_installed(name: str, file: str) -> bool:
    return name.partition(".")[0] not in _OURS and not _INSTALLED.isdisjoint(Path(file).absolute().parts)


def _names_in(path: Path) -> Iterator[str]:
    """Every string in a pickle that could be a module's name; the pickle is not executed."""
    try:
        for _, argument, _ in pickletools.genops(path.read_bytes()):
            if isinstance(argument, str) and len(argument) < 200:
                yield argument
    except (OSError, ValueError) as error:
        log.debug("%s is not searched for modules: %s", path, error)
