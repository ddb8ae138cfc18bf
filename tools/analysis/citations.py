"""Checks what a text says about trials against the records.

For a sentence such as 'trial #12 -> 0.93': that there is a trial 12, and that the value written right after
its number is one of its recorded values. With several metrics or limits also that '#12 has latency_ms 18' is
what was measured, and that a trial called the best keeps the limits. What is wrong is corrected in the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from tunesmith.history import History
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.goals_text import cell, limits_text
from tunesmith.tools.analysis.limits import broken_text
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CITATION = re.compile(
    # Only joins that plainly claim a result: '#12 with 3 layers' and '#12, 14 trials later' claim none.
    rf"#(\d{{1,7}})\b(?:\s*\(\s*({_NUMBER})\s*(?=[),;±])"
    rf"|\s*(?:->|→|=|scored|reached)\s*({_NUMBER})(?!\.?\d|\w|%|\s*(?:epoch|step|layer|trial)))?"
)
_CLAIMS = 160
"""Characters after a trial's number in which values of its metrics are looked for."""
_NEXT = re.compile(r"#\d|[;!?\n]|\.(?=\s|$)")
_WITHIN = r"(?:[^.;!?\n#]|\.(?=\d))"
"""A character of the same sentence."""
_BEST = re.compile(
    rf"\b(?:best|winner|recommend(?:ed|ation)?|optimum|optimal)\b{_WITHIN}{{0,60}}#(\d{{1,7}})\b"
    rf"|#(\d{{1,7}})\b{_WITHIN}{{0,60}}\b(?:is|as|remains|stays)\b{_WITHIN}{{0,20}}\b(?:best|winner|optim(?:um|al))\b",
    re.IGNORECASE,
)
_KNOWS = re.compile(
    r"break|broke|infeasib|exceed|violat|limit|too (?:slow|large|big|high|low|small)|\bnot\b|n't", re.I
)
_CHANGE = (
    r"(?:changed|raised|lowered|relaxed|set|increased|decreased"
    r"|moved|updated|loosened|tightened|lifted|removed)"
)
_CHANGED = re.compile(
    rf"\bI(?:'ve| have)?(?: now)? {_CHANGE}\b{_WITHIN}{{0,40}}\blimits?\b"
    rf"|\blimits?\b{_WITHIN}{{0,40}}\b(?:(?:has|have) been|was|were|is|are)(?: now)? {_CHANGE}\b"
    rf"|\blimits?\b{_WITHIN}{{0,40}}\b(?:is|are) now(?: [\w.]+)? ?(?:[<>]=?|[-+]?\d)",
    re.IGNORECASE,
)
MAX_NAMED = 5


@dataclass(frozen=True)
class WrongCitation:
    """A citation that the records contradict.

    Attributes:
        number: The trial it names; -1 where it names none.
        claimed: The value it gives, or None where none is at fault.
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
        if trial is not None and not history.goals.plain:
            rest = text[match.end(1) : match.end(1) + _CLAIMS]
            rest = rest[: end.start()] if (end := _NEXT.search(rest)) else rest
            found |= {(w.number, w.correction): w for w in _wrong_values(rest, history, trial)}
    found |= {(wrong.number, wrong.correction): wrong for wrong in infeasible_best(text, history)}
    found |= {(wrong.number, wrong.correction): wrong for wrong in _changed_limits(text, history)}
    return tuple(found.values())


def infeasible_best(text: str, history: History) -> tuple[WrongCitation, ...]:
    """What a text calls the best trial although it breaks a limit.

    Not where the sentence itself says that the trial breaks a limit.
    """
    if not history.limits:
        return ()
    found: dict[int, WrongCitation] = {}
    for match in _BEST.finditer(text):
        trial = history.get(int(match[1] or match[2]))
        start = max(text.rfind(mark, 0, match.start()) for mark in (". ", ";", "!", "?", "\n")) + 1
        end = _NEXT.search(text, match.end())
        if trial is None or _KNOWS.search(text[start : len(text) if end is None else end.start()]):
            continue
        if told := broken_text(history, trial):
            correction = f"#{trial.number} {told}, so it is not the best"
            found[trial.number] = WrongCitation(trial.number, None, correction)
    return tuple(found.values())


def _changed_limits(text: str, history: History) -> list[WrongCitation]:
    """A claim that a limit was changed, which nothing in a run can do."""
    if not history.limits or not _CHANGED.search(text):
        return []
    stays = f"the limits are still {limits_text(history)}; they are changed in the task file alone"
    return [WrongCitation(-1, None, stays)]


def _wrong_values(text: str, history: History, trial: Trial) -> list[WrongCitation]:
    """Claims such as `latency_ms 18`, `latency_ms = 18` that follow a trial's number and do not hold."""
    found = []
    for name in history.goals.names:
        claim = rf"(?<![\w.]){re.escape(name)}\s*(?:[=:→]|->|of|is|was|at)?\s*({_NUMBER})(?!\.?\d|\w|%)"
        bounds = [limit.bound for limit in history.limits if limit.metric == name]
        held = trial.values.get(name, trial.value if name == history.metric else None)
        own = [trial.proposal.expected, *(v for _, v in trial.curve)] if name == history.metric else []
        for match in re.finditer(claim, text):
            if not any(v is not None and _equal(match[1], v) for v in (held, *bounds, *own)):
                records = "no value" if held is None else significant(held)
                said = f"the records hold {cell(name)} {records} for #{trial.number}, not {match[1]}"
                found.append(WrongCitation(trial.number, match[1], said))
    return found


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
    held = [trial.value, trial.proposal.expected, *trial.values.values(), *(v for _, v in trial.curve)]
    held += [float(v) for v in trial.configuration.values() if isinstance(v, int | float)]
    return any(value is not None and _equal(claimed, value) for value in held)


def _equal(claimed: str, value: float) -> bool:
    """Whether a number is a value to the digits it was written with."""
    mantissa, _, exponent = claimed.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    tolerance = 0.501 * 10.0**-decimals if -300 < decimals < 300 else 0.0
    return abs(value - float(claimed)) <= tolerance
