"""A typed line taken apart: words, values, numbers and ranges. Nothing here raises but `Unreadable`."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from tunesmith.text.literal import one_line

LONGEST_NUMBER = 40
_NUM = r"[+-]?(?:\d[\d_]*(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(_NUM, re.ASCII)
_RATIO = re.compile(rf"({_NUM})\s*/\s*({_NUM})", re.ASCII)
_RANGE = re.compile(
    rf"(?:from\s+|between\s+)?({_NUM})?\s*(?:\.\.\.?|\bto\b|\band\b|[-\u2013\u2014\u2026])\s*({_NUM})?",
    re.ASCII | re.IGNORECASE,
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None, "null": None}
_BARE = re.compile(r"[A-Za-z_][\w./+-]*", re.ASCII)
_DEEPEST = 8


class Unreadable(ValueError):
    """Why a line cannot be read, in a sentence for the person who typed it."""

    def __init__(self, text: str, *, example: bool = False) -> None:
        super().__init__(text)
        self.example = example
        """Whether the verb's own example helps."""


@dataclass(frozen=True)
class Word:
    """One word of a line; `lr=0.03` has a name and a text."""

    name: str
    """What stands before `=`; empty where there is no `=`."""
    text: str
    """The rest, quotes and brackets included."""


def words(text: str) -> list[Word]:
    """The words of a line; blanks around `=`, in quotes and in brackets do not end one."""
    joined: list[str] = []
    for piece in filter(None, _pieces(text, None)):
        if joined and (piece.startswith("=") or joined[-1].endswith("=")):
            joined[-1] += piece
        else:
            joined.append(piece)
    found = []
    for piece in joined:
        name, *rest = _pieces(piece, "=")
        found.append(Word(unquoted(name), "=".join(rest)) if rest else Word("", piece))
    return found


def listed(text: str) -> list[str]:
    """The parts between commas, outside quotes and brackets; blanks around them are dropped."""
    return [part for piece in _pieces(text, ",") if (part := piece.strip())]


def value(text: str) -> Any:
    """What a word means by itself: text in quotes, a number, true, false, none, a list or mapping, or text.

    Raises:
        Unreadable: A quote that does not end.
    """
    if text[:1] in ('"', "'"):
        return unquoted(text)
    if text[:1] in ("[", "{"):
        return _bracketed(text)
    if text.casefold() in _CONSTANTS:
        return _CONSTANTS[text.casefold()]
    found = number(text)
    return text if found is None else found


def number(text: str) -> int | float | None:
    """`3`, `1e-3`, `1_000` or `1/1000`; None for what is no finite number."""
    text = text.strip()
    if len(text) > LONGEST_NUMBER:
        return None
    if ratio := _RATIO.fullmatch(text):
        below = float(ratio[2])
        found = float(ratio[1]) / below if below else math.inf
    elif not _NUMBER.fullmatch(text):
        return None
    else:
        try:
            return int(text)
        except ValueError:
            try:
                found = float(text)
            except ValueError:  # an underscore in an odd place
                return None
    return found if math.isfinite(found) else None


def bounds(text: str) -> tuple[float | None, float | None] | None:
    """The ends of `a..b`, `a to b`, `a-b`, `a..` or `..b`; None for what is no range."""
    text = text.strip()
    if text[:1] in ("[", "(") and text[-1:] in ("]", ")"):
        inner = text[1:-1]
        pair = [number(part) for part in inner.split(",")]
        if len(pair) == 2 and None not in pair:
            return pair[0], pair[1]
        text = inner.strip()
    if len(text) > 3 * LONGEST_NUMBER:
        return None
    match = _RANGE.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    low, high = (None if end is None else number(end) for end in match.groups())
    if (low is None) != (match[1] is None) or (high is None) != (match[2] is None):
        return None
    if None in (low, high) and ".." not in text and "\u2026" not in text:
        return None  # `-3` is a number
    return low, high


def unquoted(text: str) -> str:
    """A text without its quotes, if it has any."""
    if text[:1] == '"':
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise Unreadable(f"the quotes of {one_line(text, 40)} are not closed as they should be") from None
        return str(found)
    if text[:1] == "'" and len(text) > 1 and text[-1] == "'":
        return text[1:-1]
    if text[:1] == "'":
        raise Unreadable(f"the quotes of {one_line(text, 40)} are not closed")
    return text


def written(given: Any) -> str:
    """A value as `value` reads it back."""
    if isinstance(given, str):
        plain = _BARE.fullmatch(given) and given.casefold() not in (*_CONSTANTS, "because", "to", "and")
        return given if plain else json.dumps(given)
    if given is None or isinstance(given, bool):
        return str(given).lower()
    return repr(given) if isinstance(given, int | float) else json.dumps(given)


def _bracketed(text: str, depth: int = 0) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        pass
    if text[-1:] == "]" and text[:1] == "[" and depth < _DEEPEST:  # [a, b] without quotes
        parts = listed(text[1:-1])
        return [_bracketed(part, depth + 1) if part[:1] == "[" else value(part) for part in parts]
    return text


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _pieces(text: str, separator: str | None) -> list[str]:
    """`text` cut at `separator`, or at blanks for None, where it is neither in quotes nor in brackets."""
    pieces, begun, depth, i = [], 0, 0, 0
    while i < len(text):
        character = text[i]
        if character in "\"'" and (i == begun or text[i - 1] in "=,[{:~( "):
            i = _after_quotes(text, i)
            continue
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth = max(depth - 1, 0)
        elif depth == 0 and (character.isspace() if separator is None else character == separator):
            pieces.append(text[begun:i])
            begun = i + 1
        i += 1
    return [*pieces, text[begun:]]


def _after_quotes(text: str, start: int) -> int:
    """Where the quotes that open at `start` end; right after them where they never do."""
    quote, i = text[start], start + 1
    while i < len(text):
        if text[i] == "\\" and quote == '"':
            i += 1
        elif text[i] == quote:
            return i + 1
        i += 1
    return start + 1
