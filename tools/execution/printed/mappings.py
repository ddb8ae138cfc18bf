"""The mappings in a text: JSON objects, and dicts as Python prints them. Nothing is evaluated.

A dict that was printed has single quotes, None, nan, and numbers as NumPy and PyTorch write them:

    {'val_accuracy': np.float64(0.91), 'loss': tensor(0.2, device='cuda:0'), 'note': None}
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_ATTEMPTS = 8
LONGEST_PRINTED_DICT = 1 << 16
"""Characters; JSON may be longer."""
_DEEPEST = 20
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<word>[-+]?[A-Za-z_][\w.]*)
    | (?P<sign>[{}\[\]():,=])
    | (?P<shown><[^<>{}]*>)
    )""",
    re.VERBOSE,
)
_ARGUMENT = re.compile(r"\s*[A-Za-z_]\w*=")
_WORDS: dict[str, Any] = {
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "none": None,
    "null": None,
    "true": True,
    "false": False,
}
_JSON = json.JSONDecoder()


class Found:
    """A mapping and where it stands in its text."""

    __slots__ = ("end", "start", "values")

    def __init__(self, values: dict[str, Any], start: int, end: int) -> None:
        self.values, self.start, self.end = values, start, end


def mappings_in(text: str, attempts: int = MOST_ATTEMPTS) -> list[Found]:
    """Every mapping in `text`, in order; those inside another one are part of that.

    Args:
        attempts: How many braces may turn out to open nothing.
    """
    found: list[Found] = []
    place = text.find("{")
    while place >= 0 and attempts:
        one = _json(text, place) or _printed(text, place)
        if one is None:
            attempts -= 1
            place = text.find("{", place + 1)
        else:
            found.append(one)
            place = text.find("{", one.end)
    return found


def _json(text: str, place: int) -> Found | None:
    try:
        values, end = _JSON.raw_decode(text, place)
    except (ValueError, RecursionError):
        return None
    return Found(values, place, end) if values else None


def _printed(text: str, place: int) -> Found | None:
    closing = text.rfind("}", place, place + LONGEST_PRINTED_DICT)
    if closing < 0:
        return None
    reader = _Reader(text, place, closing + 1)
    try:
        values = reader.value(0)
    except (ValueError, OverflowError):
        return None
    return Found(values, place, reader.place) if isinstance(values, dict) and values else None


class _Reader:
    """Reads one value by recursive descent; each token is looked at once or twice."""

    def __init__(self, text: str, place: int, end: int) -> None:
        self._text, self.place, self._end = text, place, end
        self._ahead: re.Match[str] | None = None

    def value(self, depth: int) -> Any:
        """The value that begins here.

        Raises:
            ValueError: It is none that is understood.
        """
        if depth > _DEEPEST:
            raise ValueError("too deep")
        token = self._next()
        kind, text = token.lastgroup, token[token.lastgroup or 0]
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text) if len(text) > 300 or not text.lstrip("+-").isdigit() else int(text)
        if kind == "word":
            return self._word(text, depth)
        if kind == "shown":
            return None
        if text == "{":
            return self._pairs(depth)
        if text in "[(":
            return self._items("]" if text == "[" else ")", depth)
        raise ValueError(f"unexpected {text}")

    def _word(self, text: str, depth: int) -> Any:
        if self._peek("("):
            self._next()
            items = self._items(")", depth)  # np.float64(0.9), tensor(0.9, device='cuda:0')
            return items[0] if items else None
        value = _WORDS.get(text.lstrip("+-").lower())  # a class or a dtype is no number either way
        return -value if text.startswith("-") and isinstance(value, float) else value

    def _pairs(self, depth: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while not self._peek("}"):
            key = self._key(depth)
            self._expect(":")
            pairs[key] = self.value(depth + 1)
            if not self._peek("}"):
                self._expect(",")
        self._next()
        return pairs

    def _key(self, depth: int) -> str:
        if self._look().lastgroup == "word":
            raise ValueError("a bare word is no key")  # a set, or the braces of another language
        return str(self.value(depth + 1))

    def _items(self, closing: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._peek(closing):
            named = self._named()
            value = self.value(depth + 1)
            if not named:
                items.append(value)
            if not self._peek(closing):
                self._expect(",")
        self._next()
        return items

    def _named(self) -> bool:
        """Step over `name=` of an argument, if there is one."""
        here = _ARGUMENT.match(self._text, self.place, self._end)
        if here is None:
            return False
        self.place, self._ahead = here.end(), None
        return True

    def _look(self) -> re.Match[str]:
        if self._ahead is None or self._ahead.start() != self.place:
            self._ahead = _TOKEN.match(self._text, self.place, self._end)
        if self._ahead is None:
            raise ValueError("no value")
        return self._ahead

    def _peek(self, sign: str) -> bool:
        token = self._look()
        return token.lastgroup == "sign" and token["sign"] == sign

    def _next(self) -> re.Match[str]:
        token = self._look()
        self.place, self._ahead = token.end(), None
        return token

    def _expect(self, sign: str) -> None:
        if not self._peek(sign):
            raise ValueError(f"no {sign}")
        self._next()
