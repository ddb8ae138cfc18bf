"""Groups of parameters: `optimizer: {lr: ..., name: ...}` holds `optimizer.lr` and `optimizer.name`.

Groups exist only where a space, a default or an answer is written. Everything behind has dotted names, the
training code too: `config["optimizer.lr"]`, and `{optimizer.lr}` in a command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tunesmith.errors import SpaceError

DEEPEST = 8


def is_group(data: object) -> bool:
    """Whether what stands under a name is parameters by name, rather than one parameter."""
    return (
        isinstance(data, Mapping)
        and bool(data)
        and not isinstance(data.get("type"), str)
        and all(isinstance(name, str) and isinstance(item, Mapping) for name, item in data.items())
    )


def ungrouped(data: Mapping[str, Any], group: Callable[[object], bool] = is_group) -> dict[str, Any]:
    """What stands under each name, with the names in groups dotted; in the order written.

    Raises:
        SpaceError: one name twice, or groups deeper than 8.
    """
    found: dict[str, Any] = {}

    def walk(members: Mapping[str, Any], prefix: str, depth: int) -> None:
        if depth > DEEPEST:
            raise SpaceError(f"groups of parameters are at most {DEEPEST} deep", key=(prefix[:-1],))
        for name, item in members.items():
            if group(item):
                walk(item, f"{prefix}{name}.", depth + 1)
            elif (full := f"{prefix}{name}" if prefix else name) in found:
                raise SpaceError(f"{full} is given twice", key=(full,))
            else:
                found[full] = item

    walk(data, "", 0)
    return found


def condition(name: str, when: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The `when` of a parameter in a group with full names: a name is looked for in the group first.

    `momentum: {when: {name: sgd}}` in the group `optimizer` means `optimizer.name`.
    """
    known = set(names)
    return {_full(parent, name, known): values for parent, values in when.items()}


def _full(parent: Any, name: str, known: set[str]) -> Any:
    group = name
    while isinstance(parent, str) and "." in group:
        group = group.rpartition(".")[0]
        if f"{group}.{parent}" in known:
            return f"{group}.{parent}"
    return parent


def flat_values(values: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Values by dotted name, out of groups: `{"optimizer": {"lr": 0.1}}` is `{"optimizer.lr": 0.1}`.

    A mapping under the name of a parameter is that parameter's value.
    """
    if not any(isinstance(value, Mapping) for value in values.values()):
        return values
    known = set(names)
    groups = {name[:place] for name in known for place in range(len(name)) if name[place] == "."} - known
    found: dict[str, Any] = {}

    def walk(members: Mapping[str, Any], prefix: str, depth: int) -> None:
        for key, value in members.items():
            full = f"{prefix}{key}" if prefix else key
            if isinstance(value, Mapping) and full in groups and depth < DEEPEST:
                walk(value, f"{full}.", depth + 1)
            else:
                found[full] = value

    walk(values, "", 0)
    return found
