"""Which value of each metric counts, where a trial has given several, and what is said of that.

The primary metric's value is chosen first. A metric that has no `take`, `regex` or `file` of its own is the
one beside it, in the same object or at the same step: accuracy at its best epoch is meant together with the
latency of that model, not with that of another. Where there is none beside it, its own result counts, and
without one its last value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.errors import MissingMetric
from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.tally import Tally, Value


class Result(NamedTuple):
    """What a trial came to."""

    values: dict[str, float]
    """The task's metrics, which may be infinite or NaN, and further finite ones."""
    notes: tuple[str, ...]
    """Sentences on how the values were read; the first says which was taken, if that is a question."""
    items: Mapping[str, str] = {}
    """Packed scores per item, by metric."""


@dataclass
class Heard:
    """All that was read of one metric."""

    metric: str
    reading: Reading
    tallies: Sequence[Tally]
    """Of each source; the first that has any value counts."""
    why: str = ""
    """A clause on why nothing counted, for a message."""
    fix: str = ""
    """What to do about it where a task has several metrics, a sentence."""
    message: str = ""
    """All of that in one, where it is the task's only metric."""
    notes: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any(self.tallies)


@dataclass
class _Chosen:
    value: Value
    told: list[str] = field(default_factory=list)


def result_of(primary: Heard, further: Sequence[Heard] = (), *, all_needed: bool = True) -> Result:
    """The values that count, of every metric that a task needs.

    Args:
        all_needed: As `Job.further_needed`.
    Raises:
        MissingMetric: Some have none; `missing` says which and why.
    """
    heard = [primary, *further]
    first = choose(primary, several=bool(further)) if primary else None
    chosen = {one.metric: _beside(one, first, primary.reading) for one in further}
    missing = [one for one in heard if (first if one is primary else chosen[one.metric]) is None]
    if missing and (all_needed or first is None):
        raise MissingMetric(primary.message if not further else _missing_text(missing))
    assert first is not None
    values = {primary.metric: first.value.number, **first.value.others}
    items, told = dict(first.value.items), list(first.told)
    for name, one in chosen.items():
        if one is None:
            continue
        values[name] = one.value.number
        items.pop(name, None)
        if name in one.value.items:
            items[name] = one.value.items[name]
        told += one.told
    notes = dict.fromkeys([*told, *(note for one in heard for note in one.notes)])
    return Result(values, tuple(notes), items)


def _missing_text(missing: Sequence[Heard]) -> str:
    """All metrics that are missing first: the end of a long message is cut."""
    names = ", ".join(repr(one.metric) for one in missing)
    clauses: dict[str, list[str]] = {}
    for one in missing:
        clauses.setdefault(one.why, []).append(one.metric)
    told = [
        clause if clause.count(f"`{names[0]}`") or len(clauses) == 1 else f"{', '.join(names)}: {clause}"
        for clause, names in clauses.items()
    ]
    fixes = dict.fromkeys(one.fix for one in missing if one.fix)
    return " ".join([f"it ended without {names}: {'; '.join(filter(None, told))}.", *fixes])


def choose(heard: Heard, *, several: bool) -> _Chosen:
    """The value of one metric by itself, of the first source that has any.

    Args:
        several: Whether the task has several metrics.
    """
    metric, take = heard.metric, heard.reading.take
    used = [tally for tally in heard.tallies if tally]
    tally = used[0]
    assert tally.last is not None
    told: list[str] = []
    if take == "best":
        value = tally.best or tally.last
    elif take == "last" or tally.final is None:
        value = tally.last
    else:
        value = tally.final
    if tally.count > 1 and (value.step is not None or take is not None):
        what = "best" if take == "best" else "last"
        at = "" if value.step is None else f", at step {value.step}"
        compared = ""
        if take == "best" and value.number != tally.last.number:
            compared = f"; the last one is {tally.last.number:g}"
        elif what == "last" and tally.best is not None and tally.best.number != value.number:
            compared = f"; the best one is {tally.best.number:g}"
        told.append(f"The {what} of {tally.count:,} values of {metric} is taken{at}{compared}.")
    key = f"metrics: {{{metric}: {{take: best}}}}" if several else "metric: {take: best}"
    told += _disagreements(tally, used[1:], value, metric, take, key)
    return _Chosen(value, told)


def _beside(heard: Heard, first: _Chosen | None, primary: Reading) -> _Chosen | None:
    """The value of a further metric; None where there is none.

    Args:
        first: The primary metric's.
        primary: How that is read.
    """
    metric, reading = heard.metric, heard.reading
    if first is None or reading.take is not None:
        return choose(heard, several=True) if heard else None
    value = first.value
    elsewhere = reading.regex is not None or reading.file not in (None, primary.file)
    if not elsewhere and metric in value.others:
        items = {metric: value.items[metric]} if metric in value.items else {}
        number = value.others[metric]
        rivals = [] if value.step is not None else [t.final for t in heard.tallies if t.final is not None]
        told = [
            f"{metric} ended with different values: {number:g} ({value.where}) and {rival.number:g} "
            f"({rival.where}); the one beside the value that is taken counts."
            for rival in rivals[:1]
            if _differ(rival.number, number)
        ]
        return _Chosen(Value(number, value.step, {}, value.where, items), told)
    used = [tally for tally in heard.tallies if tally]
    if not used:
        return None
    at = None if value.step is None else used[0].at(value.step)
    if at is not None:
        return _Chosen(at)
    own = choose(heard, several=True)
    if own.value.step is not None and value.step is not None and used[0].count > 1:
        own.told[:] = [
            f"{metric} has no value at step {value.step}, whose value is taken of the first metric; its last "
            f"one, at step {own.value.step}, counts."
        ]
    return own


def _differ(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))


def _disagreements(
    tally: Tally, others: list[Tally], value: Value, metric: str, take: str | None, key: str
) -> list[str]:
    found: list[str] = []
    if take is None and tally.final is not None and tally.final_before is not None:
        one, other = tally.final_before, tally.final
        found.append(
            f"{metric} was printed {tally.stepless:,} times without a step, with different values: "
            f"{one.number:g} ({one.where}) and {other.number:g} ({other.where}); the last one counts. "
            f"`{key}` would take the best."
        )
    elif take is None and tally.final is not None and tally.after_final and tally.last is not None:
        one, other = tally.final, tally.last
        found.append(
            f"{metric} was printed without a step, {one.number:g} ({one.where}), before the last report, "
            f"{other.number:g} ({other.where}); the one without a step counts."
        )
    if tally.repeated is not None and value.step is not None:
        one, other = tally.repeated
        found.append(
            f"Step {other.step} was printed more than once, with {one.number:g} ({one.where}) and with "
            f"{other.number:g} ({other.where}); a curve keeps the first value of a step."
        )
    for rival in others:
        theirs = rival.final if value is tally.final else rival.last
        if theirs is not None and theirs.number != value.number and not math.isnan(value.number):
            found.append(
                f"{metric} ended with different values: {value.number:g} ({value.where}) and "
                f"{theirs.number:g} ({theirs.where}); the first of these counts."
            )
    return found
