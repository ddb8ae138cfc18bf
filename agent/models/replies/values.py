"""The value of one parameter at a place in text: a number, or one of its choices.

Words are matched against the parameter's own choices, whole, longest first, exactly before without regard
to case; what is none of them is a refusal, never the likeliest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tunesmith.agent.models.replies.numbers import Number, not_a_number, read_number
from tunesmith.agent.models.replies.outcome import Kind, Refused
from tunesmith.agent.models.replies.spelling import alike, unescaped
from tunesmith.errors import short
from tunesmith.space import Int, Space
from tunesmith.space.choices import Bool, Listed
from tunesmith.space.labels import label_of
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import is_number
from tunesmith.trial import Value

_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "enabled", "1"), True),
    **dict.fromkeys(("false", "no", "off", "disabled", "0"), False),
}
_DECORATION = re.compile(r"[ \t*$]{0,20}")
_QUOTED = re.compile(r"""(["'`])([^\n]{0,200}?)\1""")
_BEHIND_WORD = r"(?!\w|[-./+:]\w)"
_WORD = re.compile(r"[^\W_][\w./+-]{0,60}")
_OTHER = re.compile(r"""["'`*]{0,4}[ \t]{0,4}(?:or\b|/|->|→|vs\b)""", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What stands at a place.

    Attributes:
        value: Of the parameter's type; None with a fault.
        end: Where it ends.
        touches: The text ends with it, so that more of it may be missing.
        plain: Written as asked: nothing around it, nothing looked through.
    """

    value: Value | None
    end: int
    touches: bool = False
    fault: Refused | None = None
    plain: bool = False
    changes: tuple[str, ...] = ()


class ValueReader:
    """Reads the values of one parameter."""

    def __init__(self, name: str, parameter: Parameter) -> None:
        self.name, self.parameter = name, parameter
        listed = parameter.listed if isinstance(parameter, Listed) else ()
        spellings = _spellings(parameter) if isinstance(parameter, Listed) else []
        self._words = _by_spelling(spellings)
        kept = set(self._words.values())
        self._folded = _by_spelling([s for s in spellings if s[1] in kept], fold=True)
        self._booleans = isinstance(parameter, Bool) or any(isinstance(choice, bool) for choice in listed)
        self._numbers = [choice for choice in listed if is_number(choice)]
        self._takes_numbers = not isinstance(parameter, Listed) or bool(self._numbers)
        self._pattern = _any_of(self._words)
        self._fold_pattern = _any_of(self._folded, re.IGNORECASE)
        self._longest = max(map(len, self._words), default=0)

    def read(
        self,
        text: str,
        start: int,
        stop: int,
        *,
        whole_text: bool = True,
        named: Callable[[int], bool] = lambda position: False,
    ) -> Reading | None:
        """The value at `start`; None where nothing there claims to be one. See `read_number`."""
        if self._words and whole_text and stop == len(text) and self._begins_choice(text, start):
            cut = Refused("truncated", f"{self.name}: {short(text[start:stop].strip())} may be cut off")
            return Reading(None, stop, True, cut)
        word = self._word(text, start, stop, whole_text) if isinstance(self.parameter, Listed) else None
        if not self._takes_numbers:
            return word
        number = read_number(text, start, stop, whole_text=whole_text, named=named)
        if number is None:
            absent = not_a_number(text, start, stop) if word is None else None
            return word if absent is None else self._refused("not_a_number", absent, start)
        reading = self._number(text, start, number)
        if word is None:
            return reading
        # "1" and 1.0 may both be choices; and a choice such as `10-best` starts with a number.
        if reading.fault is None and reading.value in self._numbers and not _quotes(text, start, stop):
            return self._refused("ambiguous", text[start : word.end], word.end)
        return word

    def word(self, raw: str, *, quoted: bool) -> Reading:
        """The value that a whole text of its own states, such as one of an object."""
        text = unescaped(alike(raw)).strip()
        exact = self._words.get(text) or self._folded.get(text.casefold())
        if exact is not None and (quoted or not self._also_number(text)):
            return Reading(exact, len(raw), plain=exact == raw)
        if isinstance(self.parameter, Listed) and (meant := self.parameter.meant_by(text)) is not None:
            return Reading(meant, len(raw))
        reading = self.read(text, 0, len(text), whole_text=False)
        if reading is None or (reading.fault is None and self._goes_on(text, reading.end)):
            kind: Kind = "not_a_number" if self._takes_numbers and not self._words else "unknown"
            return self._refused(kind, text or "nothing", len(text))
        if quoted and reading.fault is None and not isinstance(reading.value, str):
            return Reading(reading.value, reading.end, changes=(*reading.changes, "value in quotes"))
        return reading

    def legal(self, value: object) -> bool:
        return self.parameter.check(self.name, value) is None

    def _begins_choice(self, text: str, start: int) -> bool:
        """Whether the rest of the text is the start of a choice, and of a longer one than it is itself."""
        if len(text) - start > self._longest + 24:
            return False
        rest = text[_undecorated(text, start, len(text)) :].casefold()
        bare = rest.lstrip("\"'`")
        return bool(bare) and any(
            word.startswith(bare) and (word != bare or bare != rest) for word in self._folded
        )

    def _also_number(self, text: str) -> bool:
        number = read_number(text, 0, len(text), whole_text=False)
        return number is not None and any(value in self._numbers for value in number.readings)

    def _goes_on(self, text: str, end: int) -> bool:
        """Whether a text that should be one value is a sentence that starts with one."""
        rest = text[end:].strip(" \t.\"'`*")
        return len(rest.split()) > 3 or any(character.isdigit() for character in rest)

    def _number(self, text: str, start: int, number: Number) -> Reading:
        if number.fault is not None:
            fault = Refused(number.fault.kind, f"{self.name}: {number.fault.detail}")
            return Reading(None, number.end, number.touches, fault)
        legal = [value for value in map(self._typed, number.readings) if self.legal(value)]
        value = legal[0] if legal else self._typed(number.readings[0])
        doubtful = len(number.readings) > 1 or "decimal comma" in number.changes
        grouped = "thousands separators" in number.changes
        # A comma is a decimal mark only where nothing else can be meant.
        misgrouped = grouped and doubtful and not self.legal(self._typed(number.readings[0]))
        if doubtful and (misgrouped or len({float(v) for v in legal if is_number(v)}) != 1):
            return self._refused("ambiguous", text[start : number.end], number.end)
        if number.logged and not (legal and not self._legal_power(value)):
            return self._refused("ambiguous", text[start : number.end] + " (perhaps a logarithm)", number.end)
        if number.touches and not legal:
            detail = f"{short(text[start : number.end].strip())} is out of range, and the text ends there"
            return Reading(None, number.end, True, Refused("truncated", f"{self.name}: {detail}"))
        plain = not number.changes and text[start : number.end].strip()[:1] in "+-.0123456789"
        return Reading(value, number.end, number.touches, None, plain, number.changes)

    def _typed(self, number: int | float) -> Value:
        """The number in the parameter's own type where it has one for it: 3.0 as 3 for an Int."""
        if self._numbers:
            return next((choice for choice in self._numbers if choice == number), number)
        if isinstance(self.parameter, Int):
            return int(number) if math.isfinite(number) and number == int(number) else number
        if isinstance(self.parameter, Bool):
            return bool(number) if number in (0, 1) else number
        return float(number)

    def _legal_power(self, value: Value) -> bool:
        if not is_number(value) or abs(value) > 300:
            return False
        return any(self.legal(self._typed(base**value)) for base in (10.0, 2.0, math.e))

    def _word(self, text: str, start: int, stop: int, whole_text: bool) -> Reading | None:
        begin = _undecorated(text, start, stop)
        quoted = _quotes(text, start, stop)
        if quoted:
            inside = quoted[2].strip()
            choice: Value | None = self._words.get(inside) or self._folded.get(inside.casefold())
            if choice is None and self._booleans:
                choice = _BOOLEANS.get(inside.casefold())
            if choice is not None:
                return Reading(choice, quoted.end())
            return None if self._takes_numbers else self._refused("unknown", inside, quoted.end())
        for at in dict.fromkeys((start, begin)):  # a choice may itself start with a mark
            for pattern, table in ((self._pattern, self._words), (self._fold_pattern, self._folded)):
                match = pattern.match(text, at, stop) if pattern else None
                if match:
                    key = match[0] if table is self._words else match[0].casefold()
                    return self._chosen(table[key], text, at, match.end(), stop, whole_text)
        word = _WORD.match(text, begin, stop)
        if word is None:
            return None
        token, end = word[0].rstrip("./+-"), word.end()
        touches = whole_text and end >= len(text) - 1
        if self._booleans and token.casefold() in _BOOLEANS:
            boolean = _BOOLEANS[token.casefold()]
            return Reading(boolean, begin + len(token), touches and end == len(text), plain=begin == start)
        if touches and any(choice.startswith(token.casefold()) for choice in self._folded):
            return Reading(None, end, True, Refused("truncated", f"{self.name}: {short(token)} is cut off"))
        return None if self._takes_numbers else self._refused("unknown", token, end)

    def _chosen(self, choice: Value, text: str, start: int, end: int, stop: int, whole_text: bool) -> Reading:
        if _OTHER.match(text, end, stop):
            return self._refused("ambiguous", text[start : min(end + 12, stop)], end)
        touches = whole_text and end == len(text)
        written = text[start:end].casefold()
        if touches and any(other != written and other.startswith(written) for other in self._folded):
            detail = f"{self.name}: {short(written)} may be cut off"
            return Reading(None, end, True, Refused("truncated", detail))
        return Reading(choice, end, touches, plain=text[start:end] == choice)

    def _refused(self, kind: Kind, words: str, end: int) -> Reading:
        why = {
            "not_a_number": "is not a number",
            "unknown": f"is not {self.parameter.describe()}",
            "ambiguous": "has several readings",
        }[kind]
        return Reading(None, end, fault=Refused(kind, f"{self.name}: {short(words.strip())} {why}"))


def _undecorated(text: str, start: int, stop: int) -> int:
    match = _DECORATION.match(text, start, stop)
    return match.end() if match else start


def _quotes(text: str, start: int, stop: int) -> re.Match[str] | None:
    return _QUOTED.match(text, _undecorated(text, start, stop), stop)


@lru_cache(maxsize=32)
def readers(space: Space) -> dict[str, ValueReader]:
    """A reader for every parameter."""
    return {name: ValueReader(name, parameter) for name, parameter in space.parameters.items()}


def _spellings(parameter: Listed) -> list[tuple[str, str]]:
    """Each choice that is text as it may be written, and the choice.

    A list is also read without blanks or brackets, or with others; None as `null`.
    """
    words = [choice for choice in parameter.listed if isinstance(choice, str)]
    found = [(word, word) for word in words]
    known = {str(choice).casefold() for choice in parameter.listed}
    for label, choice in zip(parameter.listed, parameter.meanings, strict=True):
        others: list[str] = []
        if choice is None:
            others = ["none", "None", "null"]
        elif isinstance(choice, list | tuple) and isinstance(label, str):
            inside = label_of(choice)[1:-1].rstrip(",")
            forms = [inside, inside.replace(" ", "")]
            others = [f"{a}{form}{b}" for form in forms for a, b in ("[]", "()")]
            others += forms if len(choice) > 1 else []
        found += [
            (other, str(label)) for other in dict.fromkeys(others) if other and other.casefold() not in known
        ]
    return found


def _by_spelling(choices: list[tuple[str, str]], *, fold: bool = False) -> dict[str, str]:
    """Choices by how they look in cleaned text; those that cannot be told apart so are left out."""
    found: dict[str, list[str]] = {}
    for written, choice in choices:
        spelled = unescaped(alike(written)).strip()
        same = found.setdefault(spelled.casefold() if fold else spelled, [])
        if choice not in same:
            same.append(choice)
    return {spelled: same[0] for spelled, same in found.items() if len(same) == 1 and spelled}


def _any_of(words: dict[str, str], flags: int = 0) -> re.Pattern[str] | None:
    longest_first = sorted(words, key=len, reverse=True)
    return (
        re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){_BEHIND_WORD}", flags) if words else None
    )
