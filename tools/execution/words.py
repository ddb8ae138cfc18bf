"""Text that training code left behind, made fit for records: short and without terminal codes."""

from __future__ import annotations

import re

from tunesmith.text.cleaning import clean

MESSAGE_LIMIT, TRACEBACK_LIMIT = 500, 4000
_TERMINAL_CODE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def one_line(text: str) -> str:
    """`text` as one line of at most 500 characters."""
    return clean(_TERMINAL_CODE.sub("", text[:20_000]), MESSAGE_LIMIT)


def cleaned_tail(text: str, limit: int = TRACEBACK_LIMIT) -> str:
    """The last lines of `text`, whole where that is possible, at most `limit` characters."""
    kept = clean(_TERMINAL_CODE.sub("", text[-4 * limit :]), 4 * limit, lines=True)
    if len(kept) <= limit:
        return kept
    kept = kept[-limit:]
    _, line_end, rest = kept.partition("\n")
    return rest if line_end and rest else kept
