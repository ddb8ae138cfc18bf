"""Configurations out of text, in the order in which ways of writing one can be trusted.

    an object of exactly the right keys and types, or `## a: 1, b: 0.2 ##` and nothing else      strict
    objects and what looks like them | sets between ## marks | pairs in prose | values alone     tolerant

The first of these that yields a whole configuration is the answer; of several there, the first one. Pairs are
never put together from two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tunesmith.agent.models.parsing import is_refusal, without_thinking
from tunesmith.agent.models.replies.documents import Answers, strict_documents
from tunesmith.agent.models.replies.lists import parse_list
from tunesmith.agent.models.replies.outcome import Parsed, Refused
from tunesmith.agent.models.replies.pairs import (
    Draft,
    Pair,
    absent,
    active,
    advised_against,
    drafts,
    names,
)
from tunesmith.agent.models.replies.spelling import (
    Region,
    alike,
    before_cut_object,
    regions,
    unbalanced,
    unescaped,
)
from tunesmith.errors import short
from tunesmith.space import Space
from tunesmith.trial import Value

LONGEST = 100_000
"""Characters of an answer that are read: a configuration that comes later is none."""


def parse_configuration(text: str, space: Space, *, finished: bool | None = None) -> Parsed | Refused:
    """The first complete configuration that `text` states, else why there is none.

    Args:
        text: One answer, as it came.
        finished: See the package. With None, a value that ends the text counts as cut off where a mark or
            bracket is still open, or where it is not legal as it stands.
    """
    found = parse_configurations(text, space, finished=finished)
    parsed = next((outcome for outcome in found if isinstance(outcome, Parsed)), None)
    if parsed is not None:
        return parsed
    telling = [outcome for outcome in found if isinstance(outcome, Refused) and outcome.kind != "missing"]
    return telling[0] if telling else found[0]


def parse_configurations(text: str, space: Space, *, finished: bool | None = None) -> list[Parsed | Refused]:
    """Every configuration that `text` states, in order, with a refusal for each that is not whole.

    A list of objects, `##` pairs one after the other, numbered lines: whatever `parse_configuration` reads,
    several times. At least one element; the same configuration twice comes twice.
    """
    limited = text[:LONGEST]
    finished = False if len(text) > LONGEST else finished
    exact = strict_documents(limited, space)
    if exact:
        return list(exact)
    cleaned = alike(without_thinking(limited))
    if not cleaned.strip():
        what = "nothing but thinking" if limited.strip() else "nothing"
        return [
            Refused(
                "truncated" if finished is False and limited.strip() else "empty", f"the answer is {what}"
            )
        ]
    thought = without_thinking(limited) != limited
    changes = ("thinking left out",) if thought else ()
    if not thought and cleaned != limited.replace("\r\n", "\n"):
        changes = ("characters that look alike",)
    return [_changed(outcome, changes) for outcome in _tolerant(cleaned, space, finished)]


def _tolerant(cleaned: str, space: Space, finished: bool | None) -> list[Parsed | Refused]:
    written = Answers(cleaned, space, finished)
    escaped = Answers(unescaped(cleaned), space, finished) if "\\" in cleaned else written
    if not written.outcomes and escaped.outcomes:  # an object in a JSON string
        written = escaped
    if any(isinstance(outcome, Parsed) for outcome in written.outcomes):
        return written.outcomes
    rest = before_cut_object(written.rest)
    if rest != written.rest:
        finished = False  # whatever comes before it, the answer was still to come
    text = unescaped(rest)
    changes = ("markdown escapes",) if text != rest else ()
    answer = _Text(text, space, finished)
    found = answer.sets(answer.marked) or answer.sets([answer.prose]) or answer.joined()
    if found:
        return [_changed(outcome, changes) for outcome in found]
    refused = [*written.outcomes, *answer.refused]
    if not refused:
        listed = parse_list(text, space, finished=finished)
        if listed is not None:
            return [_changed(listed, changes)]
    if is_refusal(text) and all(isinstance(r, Refused) and r.kind == "missing" for r in refused):
        return [Refused("refusal", f"the model declined: {short(text.strip())}")]
    if refused:
        return refused
    if finished is False:
        return [Refused("truncated", f"no value has come yet: {short(text.strip())}")]
    return [Refused("garbage", f"no parameter has a value: {short(text.strip())}")]


@dataclass
class _Text:
    """One cleaned answer, and what is refused in it on the way."""

    text: str
    space: Space
    finished: bool | None
    refused: list[Parsed | Refused] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names, self.ended = names(self.space), self.finished is True
        self.marked = regions(self.text)
        first = self.text.find("##") if self.marked else len(self.text)
        self.prose = Region(0, first, False, not self.marked and unbalanced(self.text, 0, first))

    def sets(self, where: Sequence[Region]) -> list[Parsed | Refused]:
        """Sets of pairs in some regions; empty unless one is whole."""
        refused: list[Parsed | Refused] = []
        for loose in (False, True):
            found: list[Parsed | Refused] = []
            beside: list[Parsed | Refused] = []
            for place, region in enumerate(where):
                outcomes = self._outcomes(region, loose)
                # Behind every second mark stands what is outside: half a set there is talk about the answer.
                inside = not region.marked or place % 2 == 0
                for outcome in outcomes:
                    (found if inside or isinstance(outcome, Parsed) else beside).append(outcome)
            if any(isinstance(outcome, Parsed) for outcome in found):
                return found
            refused = found or beside or refused
        self.refused += refused
        return []

    def joined(self) -> list[Parsed | Refused]:
        """One set with a mark before each of its pairs, as headings have it; empty if a name comes twice."""
        whole = Draft()
        last = self.prose
        for region in (self.prose, *self.marked):
            for pair in self.names.pairs(self.text, region, loose=False, ended=self.ended):
                if pair.name in whole.pairs or pair.reading.fault is not None:
                    return []
                whole.pairs[pair.name] = pair
                last = region
        if not self.marked or absent(whole, self.space):
            return []
        outcome = self._outcome(whole, last, False)
        return [_changed(outcome, ("text around the answer",))] if isinstance(outcome, Parsed) else []

    def _outcomes(self, region: Region, loose: bool) -> list[Parsed | Refused]:
        found: list[Parsed | Refused] = []
        previous: dict[str, Value] = {}
        pairs = self.names.pairs(self.text, region, loose=loose, ended=self.ended)
        for draft in drafts(self.text, pairs, self.space):
            if not region.marked and advised_against(self.text, draft):
                continue
            values = draft.values()
            lacking = absent(draft, self.space)
            if lacking and previous and _only_echoes(values, previous, self.space):
                continue
            if not lacking:
                previous = values
            found.append(self._outcome(draft, region, loose))
        return found

    def _outcome(self, draft: Draft, region: Region, loose: bool) -> Parsed | Refused:
        refused = self._refusal(draft, region)
        if refused is not None:
            return refused
        values, idle = applicable(draft.values(), self.space)
        if self._strict(draft, region) and not loose and not idle:
            return Parsed(values, "strict")
        pairs = [draft.pairs[name] for name in values]
        changes = [change for pair in pairs for change in pair.reading.changes]
        changes += ["names in another spelling"] if loose else []
        changes += [f"left out, as inactive: {', '.join(map(short, idle))}"] if idle else []
        changes += ["text around the answer" if region.marked else "no ## marks"]
        return Parsed(values, "tolerant", tuple(dict.fromkeys(changes)))

    def _refusal(self, draft: Draft, region: Region) -> Refused | None:
        refused, lacking, problems = draft.faults(self.space)
        if refused is not None:
            return refused
        last = max(draft.pairs.values(), key=lambda pair: pair.stop)
        to_end = region.stop == len(self.text)
        cut = self.finished is False or (self.finished is None and region.open)
        if lacking:
            ended = f"the text ends after {short(last.name)}; " if cut and to_end else ""
            return Refused("truncated" if ended else "missing", ended + problems)
        if last.reading.touches and to_end and (cut or self._half(last)):
            return Refused("truncated", f"the text ends within the value of {short(last.name)}")
        return None

    def _half(self, pair: Pair) -> bool:
        """Whether the last number ends in its point."""
        number = isinstance(pair.reading.value, float) and self.finished is None
        return number and self.text[pair.reading.end - 1 : pair.reading.end] == "."

    def _strict(self, draft: Draft, region: Region) -> bool:
        text = self.text.strip()
        if len(self.marked) != 2 or not (text.startswith("##") and text.endswith("##")) or draft.extra:
            return False
        position = region.start
        for place, pair in enumerate(sorted(draft.pairs.values(), key=lambda pair: pair.start)):
            between = self.text[position : pair.start].strip()
            if not pair.plain or between != ("," if place else ""):
                return False
            position = pair.reading.end
        return not self.text[position : region.stop].strip()


def applicable(values: dict[str, Value], space: Space) -> tuple[dict[str, Value], list[str]]:
    """The values of active parameters in the space's order, and the names of the others."""
    applies = [name for name in space.order if name in values and active(name, values, space)]
    idle = [name for name in values if name not in applies]
    return {name: values[name] for name in space.names if name in applies}, idle


def _only_echoes(values: dict[str, Value], previous: dict[str, Value], space: Space) -> bool:
    """Whether half a set only talks of the whole one before it, or gives what does not apply there."""
    return all(
        previous.get(name) == value if name in previous else not active(name, previous, space)
        for name, value in values.items()
    )


def _changed(outcome: Parsed | Refused, changes: tuple[str, ...]) -> Parsed | Refused:
    if isinstance(outcome, Refused) or not changes:
        return outcome
    return replace(outcome, how="tolerant", changes=tuple(dict.fromkeys([*changes, *outcome.changes])))
