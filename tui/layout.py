"""Which panes are where: a pure function of the window's size and of what is open, hidden and zoomed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

Slot = tuple[int, tuple[str, ...]]
"""Share of the column's height, and the panes that take turns there; the first is shown at the start."""
Column = tuple[int, tuple[Slot, ...]]
"""Share of the window's width, and the slots from top to bottom."""


@dataclass(frozen=True)
class Form:
    """An arrangement for windows of at least this size."""

    width: int
    height: int
    columns: tuple[Column, ...]


_REST = ("details", "log", "front", "incidents", "cost")
FORMS: tuple[Form, ...] = (
    Form(
        230, 60,
        (
            (32, ((1, ("talk",)),)),
            (40, ((50, ("trials",)), (26, ("details", "front")), (24, ("log", "incidents", "cost")))),
            (28, ((50, ("beliefs",)), (50, ("plots",)))),
        ),
    ),
    Form(
        180, 44,
        (
            (34, ((1, ("talk",)),)),
            (37, ((58, ("trials",)), (42, _REST))),
            (29, ((50, ("beliefs",)), (50, ("plots",)))),
        ),
    ),
    Form(110, 34, ((45, ((1, ("talk",)),)), (55, ((44, ("trials",)), (56, ("beliefs", "plots", *_REST)))))),
    Form(100, 0, ((48, ((1, ("talk",)),)), (52, ((1, ("trials", "beliefs", "plots", *_REST)),)))),
    Form(0, 0, ((1, ((1, ("talk", "trials", "beliefs", "plots", *_REST)),)),)),
)  # fmt: skip
"""The first that fits counts; the sizes are of the whole window."""
T = TypeVar("T")


@dataclass(frozen=True)
class Arrangement:
    """What a person chose; it holds for every size of the window, and while the app is open."""

    recent: tuple[str, ...] = ()
    """Panes in the order they were opened, the latest last: of the panes of a slot the latest is shown."""
    hidden: frozenset[str] = frozenset()
    zoomed: str | None = None
    """The only pane that is shown; None: all that have room."""

    def opened(self, name: str) -> Arrangement:
        """Bring a pane to the front of its slot, whether or not it was hidden."""
        recent = (*(other for other in self.recent if other != name), name)
        zoomed = None if self.zoomed is None else name
        return Arrangement(recent, self.hidden - {name}, zoomed)

    def without(self, name: str) -> Arrangement:
        """Hide a pane."""
        zoomed = None if self.zoomed == name else self.zoomed
        return replace(self, hidden=self.hidden | {name}, zoomed=zoomed)

    def zoom(self, name: str) -> Arrangement:
        """Show a pane alone, or all of them again."""
        if self.zoomed == name:
            return replace(self, zoomed=None)
        return replace(self.opened(name), zoomed=name)


@dataclass(frozen=True)
class Placed:
    """A pane that is shown: its place in the body, in cells, and the panes that take turns there."""

    name: str
    x: int
    y: int
    width: int
    height: int
    tabs: tuple[str, ...]
    """Names in the order of their titles, its own included."""


def form_for(window: tuple[int, int]) -> Form:
    """The arrangement for a window of this many columns and rows."""
    width, height = window
    return next(form for form in FORMS if width >= form.width and height >= form.height)


def arrange(
    window: tuple[int, int], body: tuple[int, int], names: Collection[str], chosen: Arrangement
) -> tuple[Placed, ...]:
    """Where each visible pane is, from left to right and top to bottom.

    Args:
        window: Columns and rows of the terminal: they choose the form.
        body: Columns and rows that the panes have together.
        names: The panes that there are. One that no form names takes turns with the last slot's.
        chosen: What is open, hidden and zoomed. Where everything is hidden nothing is placed.
    """
    width, height = body
    if width < 1 or height < 1:
        return ()
    if chosen.zoomed in names and chosen.zoomed is not None:
        return (Placed(chosen.zoomed, 0, 0, width, height, (chosen.zoomed,)),)
    shown = [name for name in names if name not in chosen.hidden]
    columns = _known(form_for(window).columns, shown)
    placed: list[Placed] = []
    x = 0
    for slots, column_width in _shares([(weight, slots) for weight, slots in columns], width):
        y = 0
        for tabs, slot_height in _shares(list(slots), height):
            front = max(tabs, key=lambda name: chosen.recent.index(name) if name in chosen.recent else -1)
            placed.append(Placed(front, x, y, column_width, slot_height, tabs))
            y += slot_height
        x += column_width
    return tuple(placed)


def _known(columns: tuple[Column, ...], shown: Sequence[str]) -> list[Column]:
    """The columns with those panes only, further ones last; columns and slots without any are left out."""
    found: list[Column] = []
    named = {name for _, slots in columns for _, tabs in slots for name in tabs}
    further = tuple(name for name in shown if name not in named)
    for index, (weight, slots) in enumerate(columns):
        kept = [(share, tuple(name for name in tabs if name in shown)) for share, tabs in slots]
        if index == len(columns) - 1:
            kept[-1] = (kept[-1][0], kept[-1][1] + further)
        kept = [slot for slot in kept if slot[1]]
        if kept:
            found.append((weight, tuple(kept)))
    return found


def _shares(parts: Sequence[tuple[int, T]], total: int) -> list[tuple[T, int]]:
    """Each part with its share of `total` by weight; parts that are left without a cell are left out."""
    weights = sum(weight for weight, _ in parts)
    result: list[tuple[T, int]] = []
    used = passed = 0
    for weight, part in parts:
        passed += weight
        end = round(total * passed / weights)
        if end > used:
            result.append((part, end - used))
        used = end
    return result
