"""`name: value` pairs anywhere in text, and the sets they form.

A pair in prose is believed only where it stands for itself: not `min_lr`, `log lr`, `1-momentum`, `previous
lr`, nor a sentence that says what to avoid. Pairs are gathered in order; a name that comes again with another
value starts a new set in a new sentence and makes the old one contradictory within the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tunesmith.agent.models.replies.outcome import Refused
from tunesmith.agent.models.replies.spelling import Region, alike, unescaped
from tunesmith.agent.models.replies.values import Reading, readers
from tunesmith.errors import short
from tunesmith.space import Space
from tunesmith.trial import Value

_SEPARATOR = re.compile(
    r"""["'`*$}\]]{0,4}[ \t]{0,20}(?:\((?P<note>[^()\n]{0,60})\))?["'`*$]{0,4}[ \t]{0,20}"""
    r"""(?:(?P<sign>:=|:|={1,3}|->|→|=>|\||≈)|"""
    r"""(?P<word>(?:should[ \t]be|(?:is[ \t])?set[ \t]to|equals?(?:[ \t]to)?|is|of|to|at)(?=[ \t])))"""
    r"""[*`]{0,2}[ \t]{0,20}(?P<line>\n[ \t]{0,20}(?![0-9]{1,3}[.)][ \t])(?=[^\n:=#]{1,60}(?:\n|\Z)))?""",
    re.IGNORECASE,
)
_FLAG, _TAG = re.compile(r"[ \t]{1,4}(?!--)"), re.compile(r">[ \t]{0,4}")
_NOT_ITSELF = re.compile(
    r"""(?:[\w)\]][-.+*/^]|\blog(?:10|2|1p)?[ \t(_]*|\bln[ \t(]*|\b(?:exp|sqrt|min|max|minimum|maximum"""
    r"""|minimal|maximal|previous|old|default|earlier|former|original|avoid|not|no|without|never|than|base)"""
    r"""[ \t(]{1,3}["'`*$]{0,3}"""
    r"""|[/^])\Z""",
    re.IGNORECASE,
)
_ADVISED_AGAINST = re.compile(
    r"\b(?:not|never|cannot|avoid|avoiding|instead of|rather than|unlike|wrong|bad|worse|worst|failed"
    r"|diverged)\b|n't\b"
    r"|\b(?:was|were|tried|used|had|gave)\b\W*(?:with\W+)?\Z",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?;][\s]|\n")
_LOG = re.compile(r"log|\bln\b", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A name and what stands behind it, at `text[start:stop]`."""

    name: str
    reading: Reading
    start: int
    stop: int
    plain: bool
    """Written exactly as `name: value`."""


@dataclass
class Draft:
    """Pairs that may be one configuration, first come first."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    extra: int = 0
    """Names repeated with the same value."""

    def values(self) -> dict[str, Value]:
        return {n: p.reading.value for n, p in self.pairs.items() if p.reading.value is not None}

    def faults(self, space: Space) -> tuple[Refused | None, list[str], str]:
        """What is wrong with values of active parameters, names without a value, and both as text."""
        values, lacking = self.values(), absent(self, space)
        faults = [
            pair.reading.fault
            for name, pair in self.pairs.items()
            if pair.reading.fault is not None and (name in lacking or active(name, values, space))
        ]
        texts = [*(fault.detail for fault in faults), *(f"{short(name)} has no value" for name in lacking)]
        text = "; ".join(texts[:8])
        return Refused(faults[0].kind, text) if faults else None, lacking, text


class Names:
    """Finds the names of a space's parameters in text."""

    def __init__(self, space: Space) -> None:
        self.readers = readers(space)
        spelled: dict[str, list[str]] = {}
        folded: dict[str, list[str]] = {}
        for name in space.names:
            spelled.setdefault(unescaped(alike(name)).strip(), []).append(name)
            folded.setdefault(_fold(name), []).append(name)
        # Names that look the same in cleaned text cannot be told apart there.
        self.exact = {text: names[0] for text, names in spelled.items() if len(names) == 1 and text}
        self.folded = {text: names[0] for text, names in folded.items() if len(names) == 1 and text}
        self._exact = _pattern([re.escape(text) for text in self.exact], 0)
        self._loose = _pattern([_loosely(text) for text in self.exact], re.IGNORECASE)

    def key(self, text: str) -> str | None:
        """The name that a key of an object means, or None."""
        cleaned = unescaped(alike(text)).strip()
        if cleaned in self.exact:
            return self.exact[cleaned]
        return self.folded.get(_fold(cleaned)) or self.folded.get(_fold(cleaned.split("(")[0]))

    def starts(self, text: str, position: int, stop: int) -> bool:
        """Whether a name stands at a position."""
        return self._exact is not None and self._exact.match(text, position, stop) is not None

    def pairs(self, text: str, region: Region, *, loose: bool, ended: bool = False) -> list[Pair]:
        """The pairs of a region in order.

        Args:
            loose: Take names in another spelling too: `Learning rate` for `learning_rate`.
            ended: Whether the text is known to end where the model ended it, so that no value is cut off.
        """
        pattern = self._loose if loose else self._exact
        found: list[Pair] = []
        position = region.start
        while pattern and (match := pattern.search(text, position, region.stop)):
            position = match.end()
            name = self.folded.get(_fold(match[0])) if loose else self.exact[match[0]]
            pair = None if name is None else self._pair(name, text, match, region, ended)
            if pair is not None:
                found.append(pair)
                position = max(position, pair.stop)
        return found

    def _pair(self, name: str, text: str, match: re.Match[str], region: Region, ended: bool) -> Pair | None:
        start = match.start()
        before = text[max(start - 24, region.start) : start]
        if _NOT_ITSELF.search(before):
            return None
        separator = _SEPARATOR.match(text, match.end(), region.stop)
        if separator is None and before.endswith("--"):
            separator = _FLAG.match(text, match.end(), region.stop)
        elif separator is None and before.endswith("<"):
            separator = _TAG.match(text, match.end(), region.stop)
        if separator is None:
            return None
        groups = separator.groupdict()

        def named(position: int) -> bool:
            return self.starts(text, position, region.stop)

        reading = self.readers[name].read(
            text, separator.end(), region.stop, whole_text=not ended, named=named
        )
        if reading is None or (reading.fault is not None and not _claims(groups, reading.fault)):
            return None
        note = groups.get("note")
        if note and _LOG.search(note) and reading.fault is None:
            noted = f"{short(reading.value)} (log)"
            again = self.readers[name].read(noted, 0, len(noted), whole_text=False)
            reading = again if again is not None and again.fault is not None else reading
        plain = reading.plain and text[match.end() : separator.end()].rstrip(" ") == ":"
        return Pair(name, reading, start, reading.end, plain)


@lru_cache(maxsize=32)
def names(space: Space) -> Names:
    """The finder of a space's names, made once."""
    return Names(space)


def drafts(text: str, pairs: Sequence[Pair], space: Space) -> list[Draft]:
    """The sets that the pairs form, in order; at least one pair each."""
    found: list[Draft] = []
    current = Draft()
    for pair in pairs:
        old = current.pairs.get(pair.name)
        if old is None and current.pairs and not absent(current, space) and _apart(text, current, pair):
            current = _next(found, current)
        elif old is not None and _same(old, pair) and (absent(current, space) or _line(text, current, pair)):
            current.extra += 1
            continue
        elif old is not None and not absent(current, space):
            current = _next(found, current)
        elif old is not None and (ends := list(_SENTENCE.finditer(text, old.stop, pair.start))):
            before, current = current, _next(found, current)
            # What the new sentence has said so far belongs to the new set.
            current.pairs = {n: p for n, p in before.pairs.items() if p.start >= ends[-1].start()}
            for name in current.pairs:
                del before.pairs[name]
        elif old is not None:
            detail = f"{pair.name} is given twice: {_shown(old)} and {_shown(pair)}"
            reading = Reading(None, old.reading.end, fault=Refused("ambiguous", detail))
            current.pairs[pair.name] = Pair(pair.name, reading, old.start, pair.stop, False)
            continue
        current.pairs[pair.name] = pair
    return [*found, current] if current.pairs else found


def absent(draft: Draft, space: Space) -> list[str]:
    """Names of active parameters without a pair, as far as the parents say which are active."""
    values: dict[str, Value] = {}
    missing: list[str] = []
    for name in space.order:
        if not active(name, values, space):
            continue
        pair = draft.pairs.get(name)
        if pair is None:
            missing.append(name)
        elif pair.reading.value is not None:
            values[name] = pair.reading.value
    return missing


def active(name: str, values: dict[str, Value], space: Space) -> bool:
    """Whether a parameter applies, where a value out of range counts as the nearest legal one."""
    for parent, allowed in space.conditions.get(name, {}).items():
        if parent not in values:
            return False
        fault = space.parameters[parent].check(parent, values[parent])
        value = values[parent] if fault is None else fault.nearest
        if value is None or space.parameters[parent].canonical(value) not in allowed:
            return False
    return True


def advised_against(text: str, draft: Draft) -> bool:
    """Whether the sentence that leads to a set says not to use it, or that it was tried."""
    start = min(pair.start for pair in draft.pairs.values())
    lead = text[max(start - 120, 0) : start]
    *_, sentence = _SENTENCE.split(lead)
    return _ADVISED_AGAINST.search(sentence) is not None


def _next(found: list[Draft], done: Draft) -> Draft:
    found.append(done)
    return Draft()


def _same(old: Pair, pair: Pair) -> bool:
    return old.reading.fault is None and old.reading.value == pair.reading.value


def _line(text: str, draft: Draft, pair: Pair) -> bool:
    """Whether a pair stands in the line in which a set ended."""
    last = max(p.stop for p in draft.pairs.values())
    return text.find("\n", last, pair.start) < 0


def _apart(text: str, draft: Draft, pair: Pair) -> bool:
    last = max(p.stop for p in draft.pairs.values())
    return _SENTENCE.search(text, last, pair.start) is not None


def _claims(groups: dict[str, str | None], fault: Refused) -> bool:
    """Whether a fault behind this separator is an attempt at a value, not prose such as `lr is high`."""
    return fault.kind != "unknown" or groups.get("sign") in (":", "=", ":=")


def _shown(pair: Pair) -> str:
    return short(pair.reading.value) if pair.reading.fault is None else "something else"


def _fold(text: str) -> str:
    return re.sub(r"[\s_-]+", "", unescaped(alike(text))).casefold()


def _loosely(text: str) -> str:
    if len(text) < 3:  # `A is 3` is prose
        return re.escape(text)
    return r"[ _-]?".join(re.escape(part) for part in re.split(r"[\s_-]+", text) if part)


def _pattern(alternatives: Iterator[str] | list[str], flags: int) -> re.Pattern[str] | None:
    longest_first = sorted(filter(None, alternatives), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", flags) if longest_first else None
