"""Checks what a text says about trials against the records.

For a sentence such as 'trial #12 -> 0.93': that there is a trial 12, and that the value written right after
its number is one of its recorded values. What is wrong is corrected in the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from tunesmith.history import History
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CITATION = re.compile(
    # Only joins that plainly claim a result: '#12 with 3 layers' and '#12, 14 trials later' claim none.
    rf"#(\d{{1,7}})\b(?:\s*\(\s*({_NUMBER})\s*(?=[),;±])"
    rf"|\s*(?:->|→|=|scored|reached)\s*({_NUMBER})(?!\.?\d|\w|%|\s*(?:epoch|step|layer|trial)))?"
)
MAX_NAMED = 5


@dataclass(frozen=True)
class WrongCitation:
    """A citation that the records contradict.

    Attributes:
        number: The trial it names.
        claimed: The value it gives, or None where the trial does not exist.
        correction: What the records say, as a clause.
    """

    number: int
    claimed: str | None
    correction: str


def wrong_citations(
    text: str, history: History, *, launched: Collection[int] = ()
) -> tuple[WrongCitation, ...]:
    """Every citation in `text` that names no trial, or gives a value the trial does not have.

    Args:
        launched: Numbers of trials that were queued after the snapshot; naming them is right.
    """
    found: dict[tuple[int, str | None], WrongCitation] = {}
    for match in _CITATION.finditer(text):
        number, claimed = int(match[1]), match[2] or match[3]
        trial = history.get(number)
        if trial is None:
            if number in launched:
                continue
            found[number, None] = WrongCitation(number, None, f"there is no trial #{number}")
        elif claimed is not None and not _holds(claimed, trial):
            records = "no value" if trial.value is None else format_metric(history, trial.value)
            found[number, claimed] = WrongCitation(
                number, claimed, f"the records hold {records} for #{number}, not {claimed}"
            )
    return tuple(found.values())


def mark_wrong_citations(text: str, history: History, *, launched: Collection[int] = ()) -> str:
    """`text`, followed by a bracket with corrections where a citation is wrong."""
    wrong = wrong_citations(text, history, launched=launched)
    return f"{text} {correction(wrong)}" if wrong else text


def correction(wrong: tuple[WrongCitation, ...]) -> str:
    """The corrections as one bracket."""
    clauses = [citation.correction for citation in wrong[:MAX_NAMED]]
    if len(wrong) > MAX_NAMED:
        clauses.append(f"{len(wrong) - MAX_NAMED} more citations are wrong")
    return f"[checked against the records: {'; '.join(clauses)}]"


def _holds(claimed: str, trial: Trial) -> bool:
    """Whether a value is one of the trial's, to the digits it was written with."""
    said = float(claimed)
    mantissa, _, exponent = claimed.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    tolerance = 0.501 * 10.0**-decimals if -300 < decimals < 300 else 0.0
    held = [trial.value, trial.proposal.expected, *trial.values.values(), *(v for _, v in trial.curve)]
    held += [float(v) for v in trial.configuration.values() if isinstance(v, int | float)]
    return any(value is not None and abs(value - said) <= tolerance for value in held)
