"""One number at a place in text: every form people write one in, and every reason not to trust it.

What stands behind the digits decides: `8 to 10`, `1/3`, `10k`, `0.00…`, `1.2.3`, `3 million` state no single
plain number, and a reader that took the first digits would be wrong without knowing it. Regular
expressions are anchored and bounded, so that reading takes the same time whatever the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tunesmith.agent.models.replies.outcome import Kind, Refused
from tunesmith.errors import short

_BEFORE = re.compile(
    r"""["'`*$]{0,4}[ \t]{0,20}(?:(?:about|around|approximately|approx\.?|roughly|exactly|~|≈)[ \t]{0,20})?"""
    r"""["'`*$]{0,4}(?P<bracket>[(\[])?[ \t]{0,20}""",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,40})?(?P<groups>(?:[,_'\u00a0][0-9]{3}){1,12}(?![0-9]))?"
    r"(?P<fraction>\.[0-9]{0,40})?(?P<exponent>[eE][+-]?[0-9]{1,4}(?![0-9]))?"
)
_COMMA = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,40}),(?P<fraction>[0-9]{1,40})(?![0-9,.])")
_POWER = re.compile(
    r"(?P<times>[ \t]{0,4}(?:[×xX*·⋅]|\\times|\\cdot)[ \t]{0,4}10)?(?:(?:\^|\*\*)[{(]?[ \t]{0,2}"
    r"(?P<plain>[+-]?[0-9]{1,4})[ \t]{0,2}[})]?|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}))(?![0-9⁰¹²³⁴⁵⁶⁷⁸⁹])"
)
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_PERCENT = re.compile(r"[ \t]{0,4}(?:%|per[ \t]?cent\b)", re.IGNORECASE)
_ELIDED = re.compile(r"\.\.|…")
_SEVERAL = re.compile(
    r"""["'`*$\])]{0,4}[ \t\u00a0]{0,4}(?:"""
    r"""(?:-|—|~|to\b|or\b|and\b|through\b|vs\b|±|\+/-|\+-?|->|→|=>|/|÷|\*|\^|×|x|·|\|\||\.\.\.?|…)"""
    r"""[ \t]{0,4}["'`*$(\[]{0,4}[+-]?\.?[0-9]"""
    r"""|or\b|\^|±|→|->|=>|\+(?![ \t]?[^\W0-9]))""",
    re.IGNORECASE,
)
_NEXT_DIGITS = re.compile(r"[ \t\u00a0]{1,20}(?:[+-]?\.?[0-9]|[eE][+-]?[0-9])|,[0-9]|[_'][0-9]")
_LISTED = re.compile(r"""["'`*$]{0,4}[ \t]{0,4},[ \t]{0,20}["'`*$]{0,4}(?=[+-]?\.?[0-9])""")
_BLANKS = re.compile(r"[ \t\u00a0]{0,4}")
_CLOSED = re.compile(r"[ \t]{0,20}[)\]]")
_HALF_EXPONENT = re.compile(r"[eE][+-]?\Z")
_ENUMERATED = re.compile(r"[0-9]{1,3}[.)][ \t]")
_NOTE = re.compile(r"""["'`*$]{0,4}[ \t]{0,4}[(\[]([^()\[\]\n]{1,80})[)\]]""")
_EQUAL = re.compile(r"[ \t]{0,4}(?:=|≈|i\.e\.,?)[ \t]{0,4}")
_SCALED = re.compile(
    r"[ \t\u00a0-]{0,4}(?:thousand|million|billion|trillion|hundred|dozen|percentage|permille|‰|°|times\b"
    r"|fold\b|orders?\b|squared\b|bps\b|ppm\b|ppb\b|[kKMGTBmµun]\b|[kKMGTmµun]i?(?:B|b|s|sec|Hz|g|m|W|V|A)\b"
    r"|(?:on|in)?[ \t]?(?:an?|the)?[ \t]?(?:log(?:10|2|arithm)?|ln)\b)"
)
_TAIL = re.compile(r"[ \t]{0,20}(?:[,.%×xX*·⋅^+(/\\eE_'-]{0,4}[ \t]{0,4}(?:10?)?[ \t^*{(+-]{0,4})\Z")
_LOG = re.compile(r"log|\bln\b|exponent|power", re.IGNORECASE)
_MAY_FOLLOW = ",;:.!?()[]{}<>|\"'`*#$%=≈×·⋅^~±→—…-/+÷"
"""What may stand right behind a number; some of it is refused for better reasons than as garbage."""
_POINT = re.compile(r"[0-9]\.[0-9]")
_NOT_ONE = re.compile(
    r"""["'`*$]{0,4}[ \t]{0,20}[+-]?(?:nan|none|null|nil|n/?a|inf(?:inity)?|∞|undefined|unspecified|tbd|\?)"""
    r"""(?!\w)""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    """What stands at a place.

    Attributes:
        readings: The numbers it may mean; more than one for a percentage or `1,234`. Empty with a fault.
        end: Where it ends in the text.
        decimals: Digits behind the point as written, without those of an exponent.
        touches: The text ends with it, so that more digits may be missing.
        logged: Its note says that it may be a logarithm.
        fault: Why it is no number to trust.
        changes: What had to be looked through.
    """

    readings: tuple[int | float, ...]
    end: int
    decimals: int = 0
    touches: bool = False
    logged: bool = False
    fault: Refused | None = None
    changes: tuple[str, ...] = ()


def not_a_number(text: str, start: int, stop: int) -> str | None:
    """The word there that says there is no number (NaN, None, inf), or None."""
    match = _NOT_ONE.match(text, start, stop)
    return match[0].strip() if match else None


def read_number(
    text: str,
    start: int,
    stop: int,
    *,
    whole_text: bool = True,
    named: Callable[[int], bool] = lambda position: False,
) -> Number | None:
    """The number at `start`, behind quotes and words such as `about`; None where there is none.

    Args:
        stop: Nothing from here on belongs to it.
        whole_text: Whether `stop == len(text)` is the end of the answer, where it may have been cut.
        named: Whether a name starts at a position: digits behind a comma may be one.
    """
    before = _BEFORE.match(text, start, stop)
    begin = before.end() if before else start
    match = _DIGITS.match(text, begin, stop)
    if match is None or not (match["whole"] or (match["fraction"] or ".") != "."):
        return None
    changes: list[str] = []
    end, readings = match.end(), _plain_readings(match, text, changes)
    comma = None if match["groups"] or match["fraction"] else _COMMA.match(text, begin, stop)
    if comma and not match["exponent"]:
        end, readings = comma.end(), _decimal_comma(comma, text)
        changes.append("decimal comma")
    power = _POWER.match(text, end, stop)
    if power and readings:
        factor = match[0] if power["times"] else "1" if match[0] == "10" else ""
        exponent = power["plain"] or power["raised"].translate(_RAISED)
        if not factor or match["exponent"] or len(readings) > 1:
            return _faulty("ambiguous", text, begin, stop, "is a calculation")
        readings, end = (float(f"{factor}e{exponent}"),), power.end()
        changes.append("power of ten")
    at_end = whole_text and stop == len(text) and _TAIL.match(text, end, stop) is not None
    fault = _fault(text, begin, end, stop, whole_text, named)
    if fault is None and not readings:
        fault = _refused("ambiguous", text, begin, stop, "may be one number or two")
    if fault is None and not all(math.isfinite(reading) for reading in readings):
        fault = _refused("not_a_number", text, begin, stop, "is too large to be a number")
    if fault is None and before and before["bracket"] and not _CLOSED.match(text, end, stop):
        fault = _refused("ambiguous", text, begin, stop, "is not one value")
    if fault is not None:
        return Number((), end, touches=at_end, fault=fault)
    percent = _PERCENT.match(text, end, stop)
    if percent:
        readings = (
            tuple(dict.fromkeys((float(f"{readings[0]!r}e-2"), readings[0]))) if _short(readings) else ()
        )
        changes.append("percent")
        end = percent.end()
    logged, readings, end = _note(text, end, stop, readings, changes)
    if not readings:
        return _faulty("ambiguous", text, begin, stop, "is stated in two ways that differ")
    decimals = len(match["fraction"] or ".") - 1
    return Number(readings, end, decimals, at_end, logged, None, tuple(changes))


def _plain_readings(match: re.Match[str], text: str, changes: list[str]) -> tuple[int | float, ...]:
    sign, whole, groups = match["sign"], match["whole"] or "0", match["groups"] or ""
    rest = (match["fraction"] or "") + (match["exponent"] or "")
    if not groups:
        return (_number(sign + whole + rest),)
    changes.append("thousands separators")
    together = _number(sign + whole + re.sub(r"[^0-9]", "", groups) + rest)
    if len(whole) > 3 or (whole.startswith("0") and groups[0] != ","):
        return ()
    if groups[0] != "," or len(groups) > 4 or rest or whole == "0":
        # 1,234,567 and 1,234.5 and 1_000 have one reading; 0,001 has another, with a decimal comma.
        if whole == "0" and groups[0] == ",":
            return () if _has_point(text) or rest or len(groups) > 4 else (float(f"{sign}0.{groups[1:]}"),)
        return (together,)
    if _has_point(text):
        return (together,)  # the point is this text's decimal mark
    return (together, float(f"{sign}{whole}.{groups[1:]}"))


def _decimal_comma(comma: re.Match[str], text: str) -> tuple[float, ...]:
    if _has_point(text):
        return ()  # the point is this text's decimal mark, so these are two numbers
    return (float(f"{comma['sign']}{comma['whole']}.{comma['fraction']}"),)


@lru_cache(maxsize=4)
def _has_point(text: str) -> bool:
    """Whether the text writes some number with a decimal point."""
    return _POINT.search(text) is not None


def _number(written: str) -> int | float:
    return float(written) if any(mark in written for mark in ".eE") else int(written)


def _short(readings: tuple[int | float, ...]) -> bool:
    """Whether the one reading is written without an exponent, so that one can be put behind it."""
    return len(readings) == 1 and "e" not in repr(readings[0])


def _fault(
    text: str, begin: int, end: int, stop: int, whole_text: bool, named: Callable[[int], bool]
) -> Refused | None:
    """Why what stands behind the digits makes them no number to trust."""
    following = text[end : min(end + 1, stop)]
    if whole_text and stop == len(text) and _HALF_EXPONENT.match(text, end, stop):
        return _refused("truncated", text, begin, stop, "is cut off")
    if _ELIDED.match(text, end, stop) or (text[end - 1 : end] == "." and following == "."):
        return _refused("truncated", text, begin, stop, "is not written out")
    if _SEVERAL.match(text, end, stop) or _NEXT_DIGITS.match(text, end, stop):
        return _refused("ambiguous", text, begin, stop, "is not one value")
    after = text[end + 1 : min(end + 2, stop)]
    if not (following.isspace() or following in _MAY_FOLLOW) or (following in ".:-" and _wordy(after)):
        return _refused("garbage", text, begin, stop, "is no plain number")
    if following and following in "/+÷":
        return _refused("garbage", text, begin, stop, "is no plain number")
    listed = _LISTED.match(text, end, stop)
    if listed and not named(listed.end()) and not _ENUMERATED.match(text, listed.end(), stop):
        return _refused("ambiguous", text, begin, stop, "is a list")
    blanks = _BLANKS.match(text, end, stop)
    if _SCALED.match(text, end, stop) and not (blanks and named(blanks.end())):
        return _refused("ambiguous", text, begin, stop, "has a unit that changes its size")
    return None


def _wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


def _note(
    text: str, end: int, stop: int, readings: tuple[int | float, ...], changes: list[str]
) -> tuple[bool, tuple[int | float, ...], int]:
    """(may be a logarithm, readings that agree, end) by what follows in brackets or behind an equals sign."""
    note, equal = _NOTE.match(text, end, stop), _EQUAL.match(text, end, stop)
    if equal:
        after = _DIGITS.match(text, equal.end(), stop)
        others = (float(after[0]),) if after and after["whole"] and not after["groups"] else ()
        return False, _agree(readings, others), after.end() if after else end
    if not note:
        return False, readings, end
    inside = note[1]
    other = read_number(inside, 0, len(inside), whole_text=False)
    if other is not None and not inside[other.end :].strip(" \t.%"):
        changes.append("the same number twice")
        return False, _agree(readings, other.readings), note.end()
    changes.append("note left out")
    return _LOG.search(inside) is not None, readings, note.end()


def _agree(readings: tuple[int | float, ...], others: tuple[int | float, ...]) -> tuple[int | float, ...]:
    return tuple(a for a in readings if any(math.isclose(a, b, rel_tol=1e-6) for b in others))


def _faulty(kind: Kind, text: str, begin: int, stop: int, why: str) -> Number:
    return Number((), begin, fault=_refused(kind, text, begin, stop, why))


def _refused(kind: Kind, text: str, begin: int, stop: int, why: str) -> Refused:
    piece = text[begin : min(begin + 24, stop)].split("\n")[0]
    return Refused(kind, f"{short(piece.strip())} {why}")
