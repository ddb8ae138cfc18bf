"""Words from logs, models, people and task files, made safe to show and to put into a prompt.

They are data: nothing in them may move a cursor, hide text, or close the fence it stands in.
"""

from __future__ import annotations

import re
import unicodedata

CUT = " […] "
_FENCE = re.compile(r"<\s*(/?)\s*data\b", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT = frozenset("\n\t")


def clean(text: object, limit: int = 2000, *, lines: bool = False) -> str:
    """`text` without control, format and surrogate characters, at most about `limit` characters.

    Args:
        text: Anything; `str()` of it is used.
        limit: Head and tail are kept, and what was cut is said in between.
        lines: Keep line breaks; else every run of white space becomes one blank.
    """
    # Far more than could be kept is dropped first: the text may be a whole log.
    whole = str(text)
    if len(whole) > 8 * limit + 1000:
        whole = whole[: 4 * limit + 500] + CUT + whole[-(4 * limit + 500) :]
    kept = "".join(c if c in _KEPT or unicodedata.category(c) not in _UNSEEN else " " for c in whole)
    kept = "\n".join(line.rstrip() for line in kept.splitlines()) if lines else " ".join(kept.split())
    kept = kept.strip()
    if len(kept) <= limit:
        return kept
    if limit < 40:
        return kept[: max(limit - 1, 0)] + "…"
    tail = limit // 3
    return kept[: limit - tail - len(CUT)].rstrip() + CUT + kept[-tail:].lstrip()


def fenced(text: object, source: str, limit: int = 2000) -> str:
    """`text` between `<data from="source">` and `</data>`, cleaned, unable to end its own fence."""
    inner = _FENCE.sub(r"‹\1data", clean(text, limit, lines=True))
    return f'<data from="{clean(source, 60).replace(chr(34), chr(39))}">\n{inner}\n</data>'
