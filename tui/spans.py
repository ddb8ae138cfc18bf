"""Styled text as plain data: pieces with a role, so that what is said can be tested without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Role = Literal["", "strong", "dim", "accent", "best", "good", "warn", "bad", "model"]
"""What a piece of text is; `theme.py` alone knows the colours."""
Span = tuple[str, Role]
Spans = tuple[Span, ...]


def plain(spans: Sequence[Span]) -> str:
    """The words alone."""
    return "".join(text for text, _ in spans)
