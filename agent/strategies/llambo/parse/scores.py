"""One number, or one label, out of text."""

from __future__ import annotations

import re
from typing import Literal

from tunesmith.agent.llm.parsing import without_thinking
from tunesmith.agent.strategies.llambo.parse.outcome import ParsedNumber, Refused

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def parse_number(
    text: str, *, finished: bool | None = None, decimals: int | None = None
) -> ParsedNumber | Refused:
    """The number that `text` states, such as a performance: `## 0.912345 ##`.

    Args:
        finished: See the package.
        decimals: How many decimals were asked for: a number with as many is whole even where the text is cut.
    """
    found = {float(number) for number in _NUMBER.findall(without_thinking(text))}
    if not found:
        return Refused("garbage", "there is no number")
    if len(found) > 1:
        return Refused("ambiguous", "there are several numbers")
    return ParsedNumber(found.pop(), "strict")


def parse_label(text: str, *, finished: bool | None = None) -> Literal[0, 1] | Refused:
    """The class that `text` states: 0 or 1, as in `## 1 ##`."""
    number = parse_number(text, finished=finished)
    if isinstance(number, Refused):
        return number
    if number.value in (0, 1):
        return 1 if number.value else 0
    return Refused("unknown", "the number is neither 0 nor 1")
