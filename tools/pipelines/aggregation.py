"""How many samples a stage draws for one input, and which output they make. Python 3.9, standard library.

`votes.py` has the same rules for many inputs at once; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.pipeline.allocation import StageChoice

PASSES = 0.5
"""The verifier's score from which an output passes the check of check_then_vote; True is 1."""
FUSE = -1
"""What `winner` says where the samples are to be fused by one more call."""


@dataclass(frozen=True)
class Drawn:
    """One sample of a stage, as it is stored and voted with."""

    output: Any
    text: str
    """The output's one text; samples agree where it is the same."""
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    thinking_tokens: float | None = None
    cached_tokens: float | None = None
    seconds: float | None = None
    weight: float = 1.0
    score: float | None = None
    """The verifier's, by the stage's `verify` where it has one, else what the sample said."""


def still_wanted(choice: StageChoice, drawn: Sequence[Drawn]) -> int:
    """How many samples more are certainly needed; 0: no more.

    Without `agree` that is all that are allowed. With it, sampling stops as soon as so many agree; only those
    that pass count where the aggregator is check_then_vote. Fewer than are missing for that cannot end it, so
    they can be drawn together.
    """
    left = choice.samples - len(drawn)
    if choice.agree is None or left <= 0:
        return max(left, 0)
    missing = choice.agree - _most_agreeing(choice, drawn)
    return 0 if missing <= 0 else min(left, missing)


def winner(choice: StageChoice, drawn: Sequence[Drawn]) -> int:
    """The place of the sample whose output is the stage's; `FUSE` where one more call makes it.

    Samples that agreed early are not fused, nor is a single one. Of equals the earliest wins.
    """
    if choice.aggregator == "best_of_n":
        scores = [_checked(sample) for sample in drawn]
        return scores.index(max(scores))
    if choice.aggregator == "fusion":
        agreed = choice.agree is not None and _most_agreeing(choice, drawn) >= choice.agree
        if len(drawn) > 1 and not agreed:
            return FUSE
    able = list(range(len(drawn)))
    if choice.aggregator == "check_then_vote":
        able = [i for i in able if _checked(drawn[i]) >= PASSES] or able
    totals: dict[str, float] = {}
    first: dict[str, int] = {}
    for i in able:
        text = drawn[i].text
        first.setdefault(text, i)
        totals[text] = totals.get(text, 0.0) + (drawn[i].weight if choice.aggregator == "weighted" else 1.0)
    best = max(totals.values())
    return min(first[text] for text, total in totals.items() if total == best)


def _most_agreeing(choice: StageChoice, drawn: Sequence[Drawn]) -> int:
    counts: dict[str, int] = {}
    for sample in drawn:
        if choice.aggregator != "check_then_vote" or _checked(sample) >= PASSES:
            counts[sample.text] = counts.get(sample.text, 0) + 1
    return max(counts.values(), default=0)


def _checked(sample: Drawn) -> float:
    assert sample.score is not None, "the runner makes sure of it"
    return sample.score
