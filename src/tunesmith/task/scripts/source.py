"""A script as a syntax tree, and the files beside it that it imports."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tunesmith.errors import ObjectiveError
from tunesmith.task.scripts.constants import Constants, dotted, last_name

LARGEST_SCRIPT = 4 << 20
"""Bytes."""
_MOST_FILES = 30
_LARGEST_TOGETHER = 1 << 20
"""Bytes of the files beside a script that are read."""


@dataclass(frozen=True)
class Script:
    """A parsed script."""

    path: Path
    tree: ast.Module

    @cached_property
    def constants(self) -> Constants:
        return Constants(self.tree)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node, in the order of `ast.walk`."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """Every call, in the order of the lines."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        return tuple(sorted(found, key=lambda node: (node.lineno, node.col_offset)))

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each name at hand was imported as: `Option` -> `typer.Option`."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    names[bound] = alias.name if alias.asname else bound
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    module = "." * node.level + (node.module or "")
                    names[alias.asname or alias.name] = f"{module}.{alias.name}".lstrip(".")
        return names

    def full_name(self, node: ast.AST | None) -> str:
        """The dotted name of an expression with its imports followed: `click.option`."""
        first, _, rest = dotted(node).partition(".")
        known = self.imports.get(first, first)
        return f"{known}.{rest}" if rest else known

    def uses(self, package: str) -> bool:
        """Whether the script imports a package."""
        return any(name.partition(".")[0] == package for name in self.imports.values())

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Top-level functions by name."""
        return {n.name: n for n in self.tree.body if isinstance(n, ast.FunctionDef)}

    @cached_property
    def called(self) -> frozenset[str]:
        """Last names of everything that is called."""
        return frozenset(last_name(call.func) for call in self.calls)

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Names that are read somewhere."""
        return frozenset(n.id for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))

    @cached_property
    def beside(self) -> tuple[Script, ...]:
        """The files of the same folder that it imports, and those that they import."""
        found: dict[Path, Script] = {}
        waiting: list[Script] = [self]
        room = _LARGEST_TOGETHER
        while waiting:
            for path in _imported_files(waiting.pop(0)):
                if path in found or path == self.path or len(found) >= _MOST_FILES:
                    continue
                try:
                    room -= path.stat().st_size
                    if room < 0:
                        return tuple(found.values())
                    found[path] = read_script(path)
                except (ObjectiveError, OSError):
                    continue  # not to be read: what it declares stays unknown
                waiting.append(found[path])
        return tuple(found.values())


def read_script(path: Path) -> Script:
    """Parse a script; ObjectiveError where it cannot be read or is not Python."""
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST_SCRIPT + 1)
    except OSError as error:
        raise ObjectiveError(f"{path} cannot be read ({error.strerror}).") from None
    if len(source) > LARGEST_SCRIPT:
        raise ObjectiveError(f"{path} is larger than {LARGEST_SCRIPT:,} bytes, too large for a script.")
    return parse_script(path, source)


def parse_script(path: Path, source: bytes | str) -> Script:
    """Parse the text of a script; `path` is named in errors.

    Raises:
        ObjectiveError: It is not Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about the script's own string escapes
            return Script(path, ast.parse(source))
    except SyntaxError as error:
        raise ObjectiveError(f"{path}:{error.lineno or 1}: not Python: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ObjectiveError(f"{path}: not Python: {error}.") from None


def _imported_files(script: Script) -> Iterator[Path]:
    parents = script.path.absolute().parents
    for node in script.nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)]
        for name in filter(None, names):
            for folder in parents[:3]:  # above it: where `python -m package.train` is started
                if folder.name in ("site-packages", "dist-packages"):
                    break
                place = folder.joinpath(*name.split("."))
                found = [p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()]
                if found:
                    yield found[0]
                    break
