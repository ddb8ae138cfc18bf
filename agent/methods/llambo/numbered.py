"""Several predictions in one answer: one line a candidate, each by its number.

    1: ## 0.912345 ##
    2: ## 0.874100 ##

A value belongs to a candidate only by its number, never by its place: a model that leaves one out must not
move all that follow.
"""

from __future__ import annotations

import json
import re

from tunesmith.agent.models.parsing import without_thinking
from tunesmith.agent.models.replies import ParsedNumber, Refused, parse_number

_LINE = re.compile(
    r"^[\s>*_`(\[-]*(?:candidate|configuration|no\.?|#)?\s*(\d{1,3})[\s*_`)\]]*(?:[:.=|-]\s+|:)", re.I
)
_INLINE = re.compile(r"(?<![\w.])(\d{1,3})\s*[:.)=]\s*(?=##)")


def read_numbered(
    text: str, count: int, *, finished: bool | None = None, decimals: int | None = None
) -> list[ParsedNumber | Refused]:
    """The prediction for each of the candidates 1 to `count`.

    Args:
        finished, decimals: As for `parse_number`; only the last line of a text can be cut.
    Returns:
        `count` values or refusals: `missing` for a number that does not occur, `ambiguous` for one
        that occurs with different values.
    """
    spoken = without_thinking(text)
    if not spoken.strip():
        return [Refused("empty", "the answer is empty")] * count
    found: dict[int, list[ParsedNumber | Refused]] = {}
    pieces = _pieces(spoken)
    for place, (number, words) in enumerate(pieces):
        last = place == len(pieces) - 1
        value = parse_number(words, finished=finished if last else True, decimals=decimals)
        found.setdefault(number, []).append(value)
    return [_one(found.get(number, [])) for number in range(1, count + 1)]


def _pieces(spoken: str) -> list[tuple[int, str]]:
    """(number, what is said about it), in order."""
    whole = _object(spoken)
    if whole is not None:
        return whole
    pieces: list[tuple[int, str]] = []
    for line in spoken.splitlines():
        inline = list(_INLINE.finditer(line))
        if len(inline) > 1:
            ends = [match.start() for match in inline[1:]] + [len(line)]
            pieces += [(int(m[1]), line[m.end() : end]) for m, end in zip(inline, ends, strict=True)]
        elif match := _LINE.match(line):
            pieces.append((int(match[1]), line[match.end() :]))
    return pieces


def _object(spoken: str) -> list[tuple[int, str]] | None:
    """The pairs of an answer that is one JSON object with numbers as keys; None for any other."""
    bare = re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", spoken).strip()
    if not bare.startswith("{"):
        return None
    try:
        pairs = json.loads(bare, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    if not all(re.fullmatch(r"\d{1,3}", key) for key, _ in pairs):
        return None
    return [(int(key), value if isinstance(value, str) else json.dumps(value)) for key, value in pairs]


def _one(values: list[ParsedNumber | Refused]) -> ParsedNumber | Refused:
    if not values:
        return Refused("missing", "a candidate has no prediction")
    numbers = [value for value in values if isinstance(value, ParsedNumber)]
    if not numbers:
        return values[0]
    if len({number.value for number in numbers}) > 1:
        return Refused("ambiguous", "a candidate has different predictions")
    return numbers[0]
