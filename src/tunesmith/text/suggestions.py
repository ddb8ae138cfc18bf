"""The known name closest to an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def perhaps(word: object, options: Iterable[str]) -> str:
    """` (did you mean 'lr'?)`, to stand before the list of all; empty if none is close."""
    hint = did_you_mean(word, options)
    return f" ({hint})" if hint.endswith("?") else ""


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """`did you mean 'lr'?`, or the list of what there is; at most 20 names."""
    names = list(options)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(word)[:100].casefold(), list(folded), n=1)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"there are {', '.join(names[:20])}{more}" if names else "there are none"
