"""The items of a pipeline, and which of them a search may see. Workers import this file: Python 3.9."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.errors import PipelineError
from tunesmith.items import LONGEST_ID, MOST_ITEMS
from tunesmith.tools.pipelines.calling import load_callable
from tunesmith.tools.pipelines.plain import digest_of, plain

LARGEST_FILE = 1 << 30
"""Bytes of a file of items."""
PARTS = {
    "search": "search",
    "train": "search",
    "validation": "search",
    "confirm": "confirm",
    "test": "confirm",
}
"""What an item's own field `split` may say, and the part that it means."""
CONFIRMED_SHARE = 3
"""One item in so many is kept for the confirmation where the task does not say."""


@dataclass(frozen=True)
class Item:
    """One item, as the stages' callables get it."""

    id: str
    value: Any
    """Any JSON; a mapping's `input` is what the first stage is given as `previous`."""
    digest: str
    """Of what it says, `id` and `split` left out: equal items have the same."""
    part: str | None = None
    """The part that it says it belongs to."""
    place: str = ""
    """Where it stands, such as `items.jsonl:7`."""

    @property
    def input(self) -> Any:
        """What the first stage starts from: the item's field `input`, else all of it."""
        return self.value["input"] if isinstance(self.value, dict) and "input" in self.value else self.value


class Split(NamedTuple):
    """Items in the order in which every trial meets them."""

    search: tuple[Item, ...]
    confirm: tuple[Item, ...]


def load_items(reference: str, folder: Path) -> list[Item]:
    """The items that a task names: a JSON lines file, or `stages.py:items`, a callable that returns them.

    Args:
        folder: What a relative path is relative to.
    Raises:
        PipelineError: There is no such file, a line is no JSON, ids are not different, or there are none.
        Exception: Whatever the callable raises.
    """
    if ".py:" in reference:
        found = [(f"{reference}[{i}]", value) for i, value in enumerate(load_callable(reference, folder)())]
    else:
        found = _lines(folder / reference)
    if not found:
        raise PipelineError(f"{reference}: there are no items")
    if len(found) > MOST_ITEMS:
        raise PipelineError(f"{reference}: {len(found):,} items are more than {MOST_ITEMS:,}")
    items = [_item(place, value) for place, value in found]
    seen: dict[str, Item] = {}
    named: list[Item] = []
    for item in items:
        name = item.id or f"item-{item.digest[:12]}"
        if not item.id:
            count = 1
            while name in seen:  # the same item again, without an id
                count += 1
                name = f"item-{item.digest[:12]}-{count}"
        elif name in seen:
            raise PipelineError(f"{item.place}: the id {name!r} is that of {seen[name].place} too")
        named.append(Item(name, item.value, item.digest, item.part, item.place))
        seen[name] = named[-1]
    return named


def split_items(
    items: Sequence[Item], *, search: int | None = None, confirm: int | None = None, seed: int = 0
) -> Split:
    """The items of a search and those that only its final choice meets: no item, by what it says, is in both.

    The order is by a digest of the seed and of what an item says, so that it does not depend on the file's
    order, and is the same however many items there are.

    Args:
        search, confirm: How many items; None: what the other leaves, and where neither says, one item in
            three is kept for the confirmation, or fewer where equal items would be parted.
    Raises:
        PipelineError: There are too few, or equal items say that they belong to different parts.
    """
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.id):
        groups.setdefault(item.digest, []).append(item)
    shuffled = sorted(groups.values(), key=lambda group: digest_of(str(seed), group[0].digest))
    parts: dict[str, list[Item]] = {"search": [], "confirm": []}
    free: list[list[Item]] = []
    for group in shuffled:
        said = {item.part for item in group if item.part is not None}
        if len(said) > 1:
            one, other = (next(item for item in group if item.part == part) for part in ("search", "confirm"))
            raise PipelineError(
                f"{one.place} and {other.place} are the same item and say that they belong to different parts"
            )
        if said:
            parts[said.pop()].extend(group)
        else:
            free.append(group)
    total = len(items)
    if search is None and confirm is None:
        stated = any(parts.values())
        confirm = len(parts["confirm"]) if stated else total // CONFIRMED_SHARE
        if not stated and confirm:
            confirm = _most_kept([len(group) for group in free], confirm)
    if confirm is None:
        assert search is not None
        confirm = max(total - search, 0)
    wanted_search = search if search is not None else total - confirm
    if search is not None and search + confirm > total or wanted_search < 1:
        raise PipelineError(
            f"there are {total:,} items, too few for {wanted_search:,} to search with and {confirm:,} to "
            "confirm with"
        )
    for group in reversed(free):  # the confirmation gets the last ones, so that a search's order is stable
        short = len(parts["confirm"]) < confirm
        parts["confirm" if short and len(parts["confirm"]) + len(group) <= confirm else "search"].extend(
            group
        )
    found = Split(
        _ordered(parts["search"], seed)[: search or None], _ordered(parts["confirm"], seed)[:confirm]
    )
    if len(found.search) < (search or 1) or len(found.confirm) < confirm:
        raise PipelineError(
            f"of {total:,} items {len(parts['search']):,} can be searched with and {len(parts['confirm']):,} "
            f"confirmed with, by their fields `split` and as equal items stay together; {search or 1:,} and "
            f"{confirm:,} are asked for"
        )
    return found


def _most_kept(sizes: Sequence[int], wanted: int) -> int:
    """How many items the confirmation gets, of groups of equal ones from the last on, `wanted` at most."""
    kept = 0
    for size in reversed(sizes):
        kept += size if kept + size <= wanted else 0
    return kept


def check_leak(split: Split) -> None:
    """Make sure that no item is in both parts.

    Raises:
        PipelineError: One is.
    """
    searched = {item.digest: item for item in split.search}
    for item in split.confirm:
        if item.digest in searched:
            other = searched[item.digest].place
            raise PipelineError(f"{item.place} is the same item as {other}, and they are in both parts")


def _ordered(items: Sequence[Item], seed: int) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (digest_of(str(seed), item.digest), item.id)))


def _lines(path: Path) -> list[tuple[str, Any]]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PipelineError(f"{path}: the file of items has more than {LARGEST_FILE:,} bytes")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error  # without the path once more
        raise PipelineError(f"{path}: the items cannot be read: {why}") from None
    found = []
    if text.lstrip().startswith("[") and _is_one_list(text):
        raise PipelineError(
            f"{path.name}:1: the file is one JSON list, and items are lines; write one item a line, or a "
            "function that returns the list (`items: stages.py:items`)"
        )
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            found.append((place, json.loads(line)))
        except (ValueError, RecursionError) as error:
            said = "nests too deeply" if isinstance(error, RecursionError) else str(error)
            raise PipelineError(f"{place}: the line is not JSON ({said}); write one item a line") from None
    return found


def _is_one_list(text: str) -> bool:
    """Whether a file is a JSON list of mappings, and not a line of it."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(whole, list) and all(isinstance(one, dict) for one in whole)


def _item(place: str, value: Any) -> Item:
    value, _ = plain(value, f"{place}: the item")
    name, part = "", None
    said = value
    if isinstance(value, dict):
        name = value.get("id", "")
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            raise PipelineError(f"{place}: id is {name!r}; it must be a text or a whole number")
        name = str(name)
        if len(name) > LONGEST_ID:
            raise PipelineError(f"{place}: the id has more than {LONGEST_ID} characters")
        if value.get("split") is not None:
            part = PARTS.get(str(value["split"]))
            if part is None:
                raise PipelineError(
                    f"{place}: split is {value['split']!r}; it can be {', '.join(PARTS)}, or be left out"
                )
        said = {key: one for key, one in value.items() if key not in ("id", "split")}
    _, text = plain(said, f"{place}: the item")
    return Item(name, value, digest_of(text), part, place)
