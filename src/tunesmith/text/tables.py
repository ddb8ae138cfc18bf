"""Tables of plain text with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.text.literal import literal


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line a row, made literal: first column to the left, the others to the right, two blanks between.

    Args:
        rows: Cells, as many in each row.
    """
    cells = [[literal(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        padded = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *padded]).rstrip())
    return lines
