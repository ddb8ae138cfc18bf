"""Values without names, as in `[0.01, 32, adam]`: an answer only where they fit the parameters in one way."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter

from tunesmith.agent.models.replies.outcome import Parsed, Refused
from tunesmith.agent.models.replies.values import ValueReader, readers
from tunesmith.space import Space
from tunesmith.trial import Value

_LABEL = re.compile(
    r"\A(?:the )?(?:recommended |suggested )?(?:hyper-?parameters?|configuration|values|answer)"
    r"(?: configuration| values)?[ \t]*[:=]?\s*",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\A```[\w+-]{0,20}\n(.{0,2000}?)```\s*\Z", re.DOTALL)
_ENDS = {"(": ")", "[": "]", "{": "}"}
_PLAIN = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,30})?(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,4})?")


def parse_list(text: str, space: Space, *, finished: bool | None) -> Parsed | Refused | None:
    """The whole of `text` as one value for each parameter, in the space's order; None where it is no list.

    Refused where any other order would fit as well: nothing says then which value belongs to which name.
    """
    if len(text) > 4000:
        return None
    body, closed = _bare(text)
    words = [word.strip().strip("\"'`") for word in re.split(r"[,;\n]", body)]
    if len(words) != len(space) or not all(words):
        return None
    values: list[Value] = []
    for word, reader in zip(words, readers(space).values(), strict=True):
        if word[:1] in "+-.0123456789" and not _PLAIN.fullmatch(word):
            return None
        reading = reader.word(word, quoted=False)
        if reading.value is None or reading.changes or not reader.legal(reading.value):
            return None
        values.append(reading.value)
    if space.conditions:
        return Refused(
            "ambiguous", "there are values without names, and which parameters apply depends on some"
        )
    if finished is False and not closed or finished is None and not closed and body[-1:].strip():
        return Refused("truncated", "the list may go on")
    if _fits_otherwise(words, values, space):
        return Refused("ambiguous", "there are values without names that would fit in another order too")
    return Parsed(dict(zip(space.names, values, strict=True)), "tolerant", ("values without names",))


def _bare(text: str) -> tuple[str, bool]:
    """The text without marks, fences, label and brackets, and whether any of them closed it."""
    body, closed = text, False
    for _ in range(6):
        before = body
        fenced = _FENCE.match(body.strip())
        if fenced:
            body, closed = fenced[1], True
        inner = body.strip()
        if inner.startswith("##") and inner.endswith("##") and len(inner) > 4:
            body, closed = inner.strip("#"), True
        elif inner[:1] in _ENDS and inner.endswith(_ENDS[inner[0]]):
            body, closed = inner[1:-1], True
        body = _LABEL.sub("", body.lstrip(), count=1)
        if body == before:
            break
    return body if not closed else body.strip(), closed


def _fits_otherwise(words: list[str], values: list[Value], space: Space) -> bool:
    """Whether some other assignment is legal too: a ring of parameters, each fit for the next one's value."""

    def fits(reader: ValueReader, word: str) -> bool:
        reading = reader.word(word, quoted=False)
        return reading.value is not None and reader.legal(reading.value)

    takes = {
        place: [
            other
            for other, word in enumerate(words)
            if other != place and str(values[other]) != str(values[place]) and fits(reader, word)
        ]
        for place, reader in enumerate(readers(space).values())
    }
    try:
        TopologicalSorter(takes).prepare()
    except CycleError:
        return True
    return False
