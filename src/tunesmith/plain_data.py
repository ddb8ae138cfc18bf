"""Values that JSON has no form for, as JSON and back: tuples, and numbers that are not finite.

A value is kept as plain JSON beside `types`, a mapping from the path of each part that JSON cannot say to
what it is: `[(50, 100), nan]` is `[[50, 100], "nan"]` with `{"0": "tuple", "1": "float"}`. Only the standard
library is imported, because a trial's process reads its configuration by this in the user's environment.
"""

from __future__ import annotations

import math
from typing import Any

Types = dict[str, str]


def to_json(value: Any, path: str = "") -> tuple[Any, Types]:
    """The value in JSON's types, and what was lost on the way, by path. For `restored`."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value), {path: "float"}
    if isinstance(value, list | tuple):
        types: Types = {path: "tuple"} if isinstance(value, tuple) else {}
        items = []
        for index, item in enumerate(value):
            plain, lost = to_json(item, _below(path, str(index)))
            items.append(plain)
            types |= lost
        return items, types
    if isinstance(value, dict):
        types, members = {}, {}
        for key, place in _places(value).items():
            members[key], lost = to_json(value[key], _below(path, place))
            types |= lost
        return members, types
    return value, {}


def restored(value: Any, types: dict[str, str], path: str = "") -> Any:
    """Inverse of `to_json`. A path that leads nowhere is ignored."""
    if not types:
        return value
    kind = types.get(path)
    if kind == "float" and isinstance(value, str | int | float):
        return float(value)
    if isinstance(value, list | tuple):
        items = [restored(item, types, _below(path, str(index))) for index, item in enumerate(value)]
        return tuple(items) if kind == "tuple" or isinstance(value, tuple) else items
    if isinstance(value, dict):
        places = _places(value).items()
        return {key: restored(value[key], types, _below(path, place)) for key, place in places}
    return value


def _places(mapping: dict[str, Any]) -> dict[str, str]:
    """Each key's place in a path, in the mapping's order: by its rank, as a key may be any text."""
    ranks = {key: str(rank) for rank, key in enumerate(sorted(mapping))}
    return {key: ranks[key] for key in mapping}


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
