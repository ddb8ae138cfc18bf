"""Tables of plain text with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.text.literal import cut, literal


def aligned(rows: Sequence[Sequence[str]], *, width: int | None = None) -> list[str]:
    """One line a row, made literal: first column to the left, the others to the right, two blanks between.

    Args:
        rows: Cells, as many in each row.
        width: Characters of a line. The last column is a text then: to the left, and cut.
    """
    cells = [[literal(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        last = others.pop() if width is not None else ""
        padded = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=width is None)]
        line = "  ".join([first.ljust(widths[0]), *padded])
        lines.append((line if width is None else cut(f"{line}  {last}".rstrip(), width)).rstrip())
    return lines
