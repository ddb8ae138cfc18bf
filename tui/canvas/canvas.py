"""A drawing of characters: points and lines in dots of braille, 2 by 4 to a cell, with marks on top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.tui.spans import Role, Span, Spans

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


class Dot(NamedTuple):
    """A place in dots: `x` from the left, `y` from the bottom."""

    x: int
    y: int


@dataclass
class Canvas:
    """`width` by `height` cells, at least one each; nothing is ever drawn outside.

    A cell has one role: that of what was drawn on it last. A mark hides the dots of its cell.
    """

    width: int
    height: int
    _bits: list[list[int]] = field(init=False, repr=False)
    _roles: list[list[Role]] = field(init=False, repr=False)
    _marks: dict[tuple[int, int], Span] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.width, self.height = max(self.width, 1), max(self.height, 1)
        self._bits = [[0] * self.width for _ in range(self.height)]
        self._roles = [[""] * self.width for _ in range(self.height)]

    @property
    def dots(self) -> tuple[int, int]:
        """Columns and rows of dots."""
        return 2 * self.width, 4 * self.height

    def dot(self, x: int, y: int, role: Role = "") -> None:
        """Set the dot at `x` from the left and `y` from the bottom."""
        row, column = self.height - 1 - (y >> 2), x >> 1
        if 0 <= row < self.height and 0 <= column < self.width:
            self._bits[row][column] |= _DOTS[3 - (y & 3)][x & 1]
            self._roles[row][column] = role

    def line(self, start: Dot, end: Dot, role: Role = "", every: int = 1) -> None:
        """A straight line; with `every` > 1 only every so many dots of it."""
        across, up = end.x - start.x, end.y - start.y
        steps = max(abs(across), abs(up))
        for k in range(0, steps + 1, every):
            share = k / steps if steps else 0.0
            self.dot(round(start.x + share * across), round(start.y + share * up), role)

    def path(self, points: Iterable[Dot], role: Role = "", every: int = 1) -> None:
        """Straight lines from each point to the next; a single point is a dot."""
        before: Dot | None = None
        for point in points:
            self.line(before or point, point, role, every)
            before = point

    def mark(self, x: int, y: int, character: str, role: Role = "") -> None:
        """Put one character, a single cell wide, where the dot (x, y) is."""
        row, column = self.height - 1 - (y >> 2), x >> 1
        if 0 <= row < self.height and 0 <= column < self.width:
            self._marks[row, column] = (character, role)

    def marked(self, x: int, y: int) -> bool:
        """Whether the cell of this dot has a mark."""
        return (self.height - 1 - (y >> 2), x >> 1) in self._marks

    def rows(self) -> list[Spans]:
        """The cells, from the top, each row in as few pieces as its roles allow."""
        rows = []
        for row in range(self.height):
            pieces: list[Span] = []
            text, role = "", self._roles[row][0]
            for column in range(self.width):
                marked = self._marks.get((row, column))
                bits = self._bits[row][column]
                new = marked[1] if marked else self._roles[row][column] if bits else role
                if new != role:
                    if text:
                        pieces.append((text, role))
                    text, role = "", new
                text += marked[0] if marked else chr(_BLANK + bits) if bits else " "
            pieces.append((text, role))
            rows.append(tuple(pieces))
        return rows
