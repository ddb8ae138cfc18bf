"""Styled text as plain data: pieces with a role, so that it can be tested without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Role = Literal["", "strong", "dim", "accent", "best", "good", "warn", "bad", "model"]
"""What a piece of text is; `theme.py` has the colours."""
Span = tuple[str, Role]
Spans = tuple[Span, ...]


def plain(spans: Sequence[Span]) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def joined(lines: Sequence[Spans]) -> Spans:
    """Several lines as one text."""
    spans: list[Span] = []
    for number, line in enumerate(lines):
        spans += [("\n", ""), *line] if number else line
    return tuple(spans)
