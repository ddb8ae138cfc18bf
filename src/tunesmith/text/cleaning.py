"""Text from logs, models, people and task files, made safe to record, to show and to put into a prompt.

It is data: nothing in it may move a cursor, hide text, or close the fence it stands in. Secrets of the
environment are taken out before anything is cut, so that no part of one is left.
"""

from __future__ import annotations

import re
from unicodedata import category

from tunesmith.text.literal import UNSEEN, without_escapes
from tunesmith.text.secrets import redact

CUT = " […] "
MESSAGE_LIMIT, TRACEBACK_LIMIT = 500, 4000
_FENCE = re.compile(r"<\s*(/?)\s*data\b", re.IGNORECASE)
_KEPT = frozenset("\n\t")


def clean(text: object, limit: int = 2000, *, lines: bool = False) -> str:
    """`text` without control, format and surrogate characters, at most about `limit` characters.

    Args:
        text: Anything; `str()` of it is used.
        limit: Of a longer text, head and tail are kept with a mark between them.
        lines: Keep line breaks; else every run of white space becomes one blank.
    """
    # Far more than could be kept is dropped first: the text may be a whole log.
    whole = redact(str(text))
    if len(whole) > 8 * limit + 1000:
        whole = whole[: 4 * limit + 500] + CUT + whole[-(4 * limit + 500) :]
    kept = "".join(c if c in _KEPT or category(c) not in UNSEEN else " " for c in whole)
    kept = "\n".join(line.rstrip() for line in kept.splitlines()) if lines else " ".join(kept.split())
    kept = kept.strip()
    if len(kept) <= limit:
        return kept
    if limit < 40:
        return kept[: max(limit - 1, 0)] + "…"
    tail = limit // 3
    return kept[: limit - tail - len(CUT)].rstrip() + CUT + kept[-tail:].lstrip()


def storable(text: str, limit: int) -> str:
    """`text` as every store can hold it: at most `limit` characters, UTF-8, without NUL.

    Of a longer text, head and tail are kept with a mark between them.
    """
    if len(text) > limit:
        tail = limit // 3
        text = text[: limit - tail - len(CUT)] + CUT + text[-tail:]
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


def fenced(text: object, source: str, limit: int = 2000) -> str:
    """`text` between `<data from="source">` and `</data>`, cleaned, unable to end its own fence."""
    inner = _FENCE.sub(r"‹\1data", clean(text, limit, lines=True))
    return f'<data from="{clean(source, 60).replace(chr(34), chr(39))}">\n{inner}\n</data>'


def log_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Output of training code as one line of at most `limit` characters, without terminal escapes."""
    return clean(without_escapes(redact(text)[:20_000]), limit)


def log_tail(text: str, limit: int = TRACEBACK_LIMIT) -> str:
    """The last lines of a log, whole where that is possible, at most `limit` characters."""
    kept = clean(without_escapes(redact(text)[-4 * limit :]), 4 * limit, lines=True)
    if len(kept) <= limit:
        return kept
    kept = kept[-limit:]
    _, line_end, rest = kept.partition("\n")
    return rest if line_end and rest else kept


def error_line(error: BaseException, limit: int = MESSAGE_LIMIT) -> str:
    """`ValueError: what was wrong`, on one line."""
    return clean(f"{type(error).__name__}: {error}", limit)
