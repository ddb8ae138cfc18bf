"""No module of the package imports itself by way of others; imports in functions and for types count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"
PACKAGE = SOURCES / "tunesmith"


def modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of each module; the folders that the package links to included."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from modules(entry)
        elif entry.suffix == ".py":
            yield ".".join(entry.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__"), entry


def imported(file: Path, known: set[str]) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            names |= {name if name in known else node.module for name in whole}
    return names & known


def rings(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.long
def test_there_is_no_ring_of_imports() -> None:
    found = dict(modules(PACKAGE))
    graph = {name: imported(file, set(found)) - {name} for name, file in found.items()}
    assert len(graph) > 250 and sum(map(len, graph.values())) > 1000
    assert rings(graph) == []


@pytest.mark.parametrize(
    "line", ["import b", "def f():\n    import b", "if TYPE_CHECKING:\n    from b import x"]
)
def test_a_ring_is_found_wherever_its_import_stands(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text(line)
    assert rings({"a": imported(tmp_path / "a.py", {"a", "b"}), "b": {"a"}}) != []
