"""The footer: which keys work now, as many as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tunesmith.tui.spans import Span, Spans

GAP = 2
"""Cells between two of them."""


def hint_line(hints: Sequence[tuple[str, str]], width: int, last: Sequence[tuple[str, str]] = ()) -> Spans:
    """(key, what it does) side by side; the end of `hints` is left out where there is no room.

    Args:
        width: Cells.
        last: These stand at the end, whatever else is left out.
    """
    room = width - sum(_length(hint) for hint in last)
    kept: list[tuple[str, str]] = []
    for hint in hints:
        room -= _length(hint)
        if room < -GAP:
            break
        kept.append(hint)
    spans: list[Span] = []
    for key, effect in (*kept, *last):
        spans += [(" " * GAP if spans else "", ""), (key, "accent"), (f" {effect}", "dim")]
    return tuple(spans)


def _length(hint: tuple[str, str]) -> int:
    return cell_len(hint[0]) + 1 + cell_len(hint[1]) + GAP
