"""Numbers of weights as people write them: `7B`, `350M`."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.errors import short

_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([kmbt])", re.IGNORECASE)
_FACTORS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def size(given: Any) -> Any:
    """A text such as `7B` as a number; a number as it is.

    Raises:
        ValueError: A text that is none.
    """
    if not isinstance(given, str):
        return given
    if not (found := _SIZE.fullmatch(given.strip())):
        raise ValueError(f"should be a number of weights, got {short(given)}. Write such as `parameters: 7B`")
    return float(found[1]) * _FACTORS[found[2].lower()]
