"""The configuration of a Hydra application: the keys of its YAML files, by dotted names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TaskError
from tunesmith.task.document import read_document
from tunesmith.task.scripts.constants import keywords
from tunesmith.task.scripts.option import Declarations, Option
from tunesmith.task.scripts.source import Script


def hydra_options(script: Script) -> Declarations | None:
    """The keys of the configuration that `@hydra.main` names; None where no function has it."""
    for node in script.nodes:
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and script.full_name(call.func) == "hydra.main":
                return _read(call, script)
    return None


def _read(call: ast.Call, script: Script) -> Declarations:
    given = {
        **dict(zip(("config_path", "config_name"), call.args, strict=False)),
        **keywords(call),
    }
    place, name = (script.constants.value(given.get(key)) for key in ("config_path", "config_name"))
    if not isinstance(name, str):
        return Declarations("hydra", unread=("the configuration: no file is named",), complete=False)
    folder = script.path.parent / (place if isinstance(place, str) else ".")
    reader = _Reader(folder)
    reader.file(name, ())
    options = tuple(Option((), key, default=value, reads="hydra") for key, value in reader.values.items())
    complete = not reader.unread and "ConfigStore" not in script.imports.values()
    return Declarations("hydra", options, tuple(reader.unread), complete, tuple(reader.groups))


class _Reader:
    """Reads a configuration file and the files of its defaults list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.values: dict[str, Any] = {}
        self.groups: dict[str, None] = {}
        self.unread: list[str] = []
        self.files = 0

    def file(self, name: str, above: tuple[str, ...]) -> None:
        path = self.folder / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        self.files += 1
        if self.files > 50:
            return
        try:
            data = dict(read_document(path).data)
            whole = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        except (TaskError, OSError):
            self.unread.append(f"the configuration {path.relative_to(self.folder)}")
            return
        if "@package _global_" in whole:
            above = ()
        defaults = data.pop("defaults", [])
        for item in defaults if isinstance(defaults, list) else []:
            self._default(item, Path(name).parent)
        data.pop("hydra", None)
        self.values |= dict(_flat(data, above))

    def _default(self, item: Any, beside: Path) -> None:
        if isinstance(item, str) and item not in ("_self_",):
            place = beside / item
            self.file(str(place), tuple(p for p in place.parent.parts if p != "."))
        elif isinstance(item, Mapping) and len(item) == 1:
            group, chosen = next(iter(item.items()))
            words = str(group).split()[-1].partition("@")[0].removeprefix("/")
            if words.startswith("hydra") or not isinstance(chosen, str):
                return
            self.groups[words] = None
            self.file(f"{words}/{chosen}", tuple(words.split("/")))


def _flat(data: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*above, key))
        else:
            yield ".".join((*above, key)), value
