"""One number, such as a performance, or one label out of text.

What stands between ## marks is the answer; without them, the only number of the text, or the only one on a
line that names it (`Performance: 0.91`). Two different numbers are none.
"""

from __future__ import annotations

import re
from typing import Literal

from tunesmith.agent.models.parsing import is_refusal, without_thinking
from tunesmith.agent.models.replies.numbers import Number, read_number
from tunesmith.agent.models.replies.outcome import ParsedNumber, Refused
from tunesmith.agent.models.replies.spelling import Region, alike, regions, unbalanced, unescaped
from tunesmith.errors import short

LONGEST = 20_000
"""Characters of an answer that are read."""
_START = re.compile(r"(?<![\w.])[+-]?\.?[0-9]")
_STRICT = re.compile(r"##\s*[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?\s*##")
_LABELLED = re.compile(
    r"""^[\s"'`*>-]{0,8}(?:the )?(?:predicted |expected |estimated |final )?"""
    r"""(?:performance|prediction|estimate|score|value|accuracy|loss|metric|answer|label|class(?:ification)?)"""
    r"""["'`*]{0,4}[ \t]{0,8}[:=][ \t]{0,8}(?=["'`*#]{0,4}[ \t]{0,4}[+-]?\.?[0-9])""",
    re.IGNORECASE | re.MULTILINE,
)
_NOTHING = re.compile(r"(?<!\w)(?:nan|none|null|n/a|inf(?:inity)?|∞)(?!\w)", re.IGNORECASE)


def parse_number(
    text: str, *, finished: bool | None = None, decimals: int | None = None
) -> ParsedNumber | Refused:
    """The number that `text` states: `## 0.912345 ##`.

    Args:
        finished: See the package. A stop sequence ends a text as well as the model does: with `##` as one,
            pass True unless the server says `length`.
        decimals: How many decimals the prompt's own numbers have: one with as many is whole even where the
            text is cut behind it, so that a token limit that cuts the closing ## costs nothing.

    A percentage has two readings and is refused, unless the text gives both (`91.2 % (0.912)`).
    """
    limited = text[:LONGEST]
    cleaned = unescaped(alike(without_thinking(limited)))
    finished = False if len(text) > LONGEST else finished
    if not cleaned.strip():
        return Refused(
            "truncated" if finished is False and limited.strip() else "empty", "there is no answer"
        )
    marked = [region for place, region in enumerate(regions(cleaned)) if place % 2 == 0]
    for where in (
        marked,
        [Region(0, len(cleaned), False, not marked and unbalanced(cleaned, 0, len(cleaned)))],
    ):
        found = [(number, region) for region in where for number in _numbers(cleaned, region, finished)]
        if where is marked and not found and any(_NOTHING.search(_text(cleaned, r)) for r in marked):
            return Refused("not_a_number", f"{short(cleaned.strip())} states no number")
        if found:
            return _only(cleaned, found, finished, decimals, cleaned == limited)
    if _NOTHING.search(cleaned):
        return Refused("not_a_number", f"{short(cleaned.strip())} states no number")
    if is_refusal(cleaned):
        return Refused("refusal", f"the model declined: {short(cleaned.strip())}")
    if finished is False or any(region.open for region in marked):
        return Refused("truncated", f"no number has come yet: {short(cleaned.strip())}")
    return Refused("garbage", f"{short(cleaned.strip())} holds no number")


def parse_label(text: str, *, finished: bool | None = None) -> Literal[0, 1] | Refused:
    """The class that `text` states: 0 or 1, as in `## 1 ##`."""
    number = parse_number(text, finished=finished, decimals=0)
    if isinstance(number, Refused):
        return number
    if number.value in (0, 1):
        return 1 if number.value else 0
    return Refused("unknown", f"{number.value:g} is neither 0 nor 1")


def _numbers(text: str, region: Region, finished: bool | None) -> list[Number]:
    found: list[Number] = []
    match = _START.search(text, region.start, region.stop)
    while match:
        number = read_number(text, match.start(), region.stop, whole_text=finished is not True)
        if number is not None:
            found.append(number)
        end = match.end() if number is None else max(number.end, match.end())
        match = _START.search(text, end, region.stop)
    return found


def _only(
    text: str,
    found: list[tuple[Number, Region]],
    finished: bool | None,
    decimals: int | None,
    untouched: bool,
) -> ParsedNumber | Refused:
    """The one number of those found."""
    labelled: tuple[str, ...] = ()
    if len({number.readings for number, _ in found}) > 1 and not found[0][1].marked:
        starts = [match.end() for match in _LABELLED.finditer(text)]
        lines = [read_number(text, start, len(text), whole_text=finished is not True) for start in starts]
        found = [(number, found[0][1]) for number in lines if number is not None] or found
        labelled = ("text around the answer",)
    faulty = next((number.fault for number, _ in found if number.fault is not None), None)
    if faulty is not None:
        return faulty
    if len({number.readings for number, _ in found}) > 1:
        stated = ", ".join(dict.fromkeys(f"{number.readings[0]:g}" for number, _ in found))
        return Refused("ambiguous", f"there are several numbers: {short(stated)}")
    number, region = found[-1]
    if len(number.readings) > 1 or number.logged:
        return Refused("ambiguous", f"{short(text.strip())} has several readings")
    cut = finished is False or region.open or text[number.end - 1 : number.end] == "."
    whole = decimals is not None and number.decimals >= decimals
    if number.touches and finished is not True and cut and not whole:
        return Refused("truncated", f"{short(text.strip())} may go on")
    if untouched and _STRICT.fullmatch(text.strip()):
        return ParsedNumber(float(number.readings[0]), "strict")
    changes = [*number.changes, *labelled, *([] if region.marked else ["no ## marks"])]
    return ParsedNumber(
        float(number.readings[0]), "tolerant", tuple(dict.fromkeys(changes or ["text around the answer"]))
    )


def _text(text: str, region: Region) -> str:
    return text[region.start : region.stop]
