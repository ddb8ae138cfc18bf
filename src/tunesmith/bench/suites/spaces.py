"""Search spaces of suites, read from `bench/data/*.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tunesmith.space import Space
from tunesmith.task.document import parse_document


@dataclass(frozen=True)
class Entry:
    """One entry of such a file.

    Attributes:
        space: Under `space`, as in a task file.
        default: The `default` of each parameter that has one; the others are inactive in it. May be empty.
        more: The other keys of the entry, which differ between suites.
    """

    space: Space
    default: dict[str, Any]
    more: dict[str, Any]


@cache
def read_spaces(file: str) -> dict[str, Entry]:
    """The entries of `bench/data/<file>`, by name."""
    text = files("tunesmith.bench").joinpath("data", file).read_text(encoding="utf-8")
    entries = {}
    for name, entry in parse_document(text).data.items():
        parameters = entry.pop("space")
        default = {key: data.pop("default") for key, data in parameters.items() if "default" in data}
        entries[name] = Entry(Space.from_dict(parameters), default, entry)
    return entries
