"""What comes of reading one answer of a model: a value the text states, or a typed refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tunesmith.prompts import render
from tunesmith.space import Space
from tunesmith.trial import Value

How = Literal["strict", "tolerant"]
Kind = Literal["empty", "refusal", "truncated", "missing", "unknown", "not_a_number", "ambiguous", "garbage"]


@dataclass(frozen=True)
class Parsed:
    """A configuration as the text states it.

    Attributes:
        values: Of the active parameters, in the space's order, each of its parameter's type but not moved
            into its range: 400 for a maximum of 250, and 8.5 for an integer, stay for `Space.snap` to
            repair and to report.
        how: strict: exactly the format that was asked for; tolerant: something had to be looked through.
        changes: What that was, a few words each, such as `markdown escapes`; empty when strict.
    """

    values: dict[str, Value]
    how: How
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedNumber:
    """A finite number as the text states it; `how` and `changes` as in `Parsed`."""

    value: float
    how: How
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """No value: the text states none, or none for certain.

    Attributes:
        kind: empty: nothing but thinking or white space; refusal: the model declined; truncated: the text
            ends where the value might go on; missing: parameters without a value (named in `detail`);
            unknown: a value that is none of a parameter's choices; not_a_number: NaN, an infinity, None or
            a word where a number belongs; ambiguous: several values, or one with several readings;
            garbage: nothing of the kind that was asked for.
        detail: For a person and for the question back: names and what was found, made safe to show.
    """

    kind: Kind
    detail: str


def repair_question(refused: Refused, space: Space) -> str:
    """What to ask the model, after its answer, to get a configuration that can be read."""
    prompt = render("llambo/repair", kind=refused.kind, detail=refused.detail, names=list(space.names))
    return prompt.messages[-1][1]
