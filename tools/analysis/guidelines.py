"""What became of guidelines: whether the trials since bear their claims out.

A claim sets two groups of configurations against each other (`tunesmith/guidelines.py`). A trial that was
started after it was stated, and is in one of the groups, is compared with the best comparable trial of the
other one, if it is itself the best of its own that is comparable with that: what is worse than what was known
tests nothing. Comparable: every other hyperparameter is the same choice, or a number within NEAR of it.
Where the claim is about a choice, numbers of the same part of the configuration are left free, since a
cheaper choice is worth having for what it leaves to them. Part: what a name has before its last dot.

A pair with scores per item is judged by its 95 % interval over the items that both have
(`paired.py`), one without by the sign of its difference. Claims of a gain are refuted by a significant loss,
claims of none by a significant gain. Pairs that point both ways count by majority. This describes the
records; nothing is corrected for how many claims are looked at, and no trial waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ItemsError
from tunesmith.events import Event, GuidelinesStated
from tunesmith.guidelines import Claim, Guideline
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.space import Space
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted, significant
from tunesmith.tools.analysis.paired import paired
from tunesmith.trial import Configuration, Trial, Value

Verdict = Literal["held", "did not hold", "not distinguishable", "not tested"]
NEAR = 0.1
"""Largest difference of a number that is to be the same, as a share of its range."""
SAME = 1e-9
"""The same for a choice, whose place is one of a few."""
NO_GAIN = 0.01
"""A gain that is smaller than this for certain counts as none, metric units."""
LATEST = 200
"""Trials that are looked at; the latest."""
SHOWN = 3


class Pair(NamedTuple):
    """Two comparable trials: the first in the group that a claim calls better, or beyond."""

    first: int
    second: int
    difference: float
    """Of the first against the second; positive where the first is better."""
    low: float | None
    high: float | None
    """The 95 % interval; None without scores per item."""
    items: int
    """In common; 0 without."""


class Scored(NamedTuple):
    """A guideline, and what the trials since say of it."""

    round: int
    stated_after: int
    """Trials that had been started when it was stated."""
    guideline: Guideline
    verdict: Verdict
    pairs: tuple[Pair, ...]
    again: tuple[int, ...] = ()
    """Later rounds that stated the same; filled in by `merged`."""

    @property
    def rounds(self) -> str:
        """`round 1`, `rounds 1, 2 and 4`."""
        *before, last = map(str, (self.round, *self.again))
        return f"rounds {', '.join(before)} and {last}" if before else f"round {last}"

    @property
    def why(self) -> str:
        """The pairs in words: `#14 against #6: +0.04 (0.01 to 0.07, 50 items)`; empty without any."""
        said = [_said(pair) for pair in self.pairs[:SHOWN]]
        more = len(self.pairs) - SHOWN
        return "; ".join(said + ([f"and {counted(more, 'further pair')}"] if more > 0 else []))

    @property
    def text(self) -> str:
        """Guideline and verdict in one cleaned line."""
        guideline = self.guideline
        cited = ", ".join(f"#{number}" for number in guideline.evidence)
        parts = [clean(guideline.text, 400), *([f"(from {cited})"] if cited else [])]
        if guideline.claim is not None:
            parts.append(
                f"[{clean(guideline.claim.text, 200)}: {self.verdict}{self.why and f'; {self.why}'}]"
            )
        return " ".join(parts)


def guidelines(history: History, events: Iterable[Event]) -> tuple[Scored, ...]:
    """Every guideline that a run has stated, in order, with what the trials since say of it."""
    stated = (event for event in events if isinstance(event, GuidelinesStated))
    return tuple(scored for event in stated for scored in scored_round(history, event))


def merged(scored: Iterable[Scored]) -> tuple[Scored, ...]:
    """What several rounds state alike once, where it was stated first: more trials judge it from there."""
    found: dict[tuple[str, str], Scored] = {}
    for one in scored:
        claim = one.guideline.claim
        first = found.setdefault((one.guideline.text, "" if claim is None else claim.text), one)
        if first is not one and one.round not in (first.round, *first.again):
            key = (one.guideline.text, "" if claim is None else claim.text)
            found[key] = first._replace(again=(*first.again, one.round))
    return tuple(found.values())


def scored_round(history: History, event: GuidelinesStated) -> tuple[Scored, ...]:
    """The guidelines of one round."""
    return tuple(
        Scored(event.round, event.trials, guideline, *score(guideline, history, event.trials))
        for guideline in event.guidelines
    )


def score(guideline: Guideline, history: History, after: int) -> tuple[Verdict, tuple[Pair, ...]]:
    """The verdict on one guideline, and the pairs of trials that it rests on.

    Args:
        after: Trials with smaller numbers were known when it was stated.
    """
    claim = guideline.claim
    if claim is None or claim.parameter not in history.space:
        return "not tested", ()
    metric, sign = judged_by(history)
    known = [
        t
        for t in history.scored[-LATEST:]
        if _matches(claim.where, t.configuration) and math.isfinite(_mean(t, metric))
    ]
    if not known:
        return "not tested", ()
    groups = np.array([_group(claim, t) for t in known])
    # Best first, of equal ones the earliest: the first comparable trial is the best one.
    order = sorted(range(len(known)), key=lambda i: (-sign * _mean(known[i], metric), known[i].number))
    rank = np.empty(len(known), dtype=int)
    rank[order] = np.arange(len(known))
    beside = _comparable(history.space, claim, known)
    pairs: dict[tuple[int, int], Pair] = {}
    for i in np.flatnonzero((groups > 0) & np.array([t.number >= after for t in known])):
        j = _first(beside[i] & (groups == 3 - groups[i]), rank)
        if j is None or _first(beside[j] & (groups == groups[i]), rank) != i:
            continue
        pair = _pair(*((known[i], known[j]) if groups[i] == 1 else (known[j], known[i])), metric, sign)
        if pair is not None:
            pairs[pair.first, pair.second] = pair
    found = tuple(pairs[key] for key in sorted(pairs))
    return _verdict(claim, found), found


def _first(chosen: NDArray[np.bool_], rank: NDArray[np.int_]) -> int | None:
    """The place of the best of those chosen; None without any."""
    places = np.flatnonzero(chosen)
    return int(places[np.argmin(rank[places])]) if len(places) else None


def judged_by(history: History) -> tuple[str, float]:
    """The metric that claims are about, and +1 where larger is better, else -1.

    That with scores per item: what a configuration costs is known before it is run, and needs no guideline.
    """
    signs = {limit.metric: -limit.sign for limit in history.limits}
    signs |= {goal.metric: goal.sign for goal in history.goals.objectives}
    for trial in reversed(history.scored):
        for name in history.goals.names:
            if name in trial.items:
                return name, signs[name]
    return history.metric, history.sign


def _matches(where: dict[str, Value], configuration: Configuration) -> bool:
    return all(configuration.get(name) == value for name, value in where.items())


def _group(claim: Claim, trial: Trial) -> Literal[0, 1, 2]:
    """1: the group that is called better, or beyond; 2: the other; 0: neither."""
    value = trial.configuration.get(claim.parameter)
    if value is None:
        return 0
    if claim.relation == "better":
        if value == claim.value:
            return 1
        return 2 if claim.than is None or value == claim.than else 0
    if isinstance(value, str | bool) or isinstance(claim.value, str | bool):
        return 0
    if claim.relation == "gain_up_to":
        return 1 if value >= claim.value else 2
    return 1 if value > claim.value else 2


def _comparable(space: Space, claim: Claim, trials: Sequence[Trial]) -> NDArray[np.bool_]:
    """Whether two trials differ in nothing but what a claim is about, shape (n, n)."""
    part = claim.parameter.rpartition(".")[0]
    of_choice = not space.parameters[claim.parameter].numeric
    alike = np.ones((len(trials), len(trials)), dtype=bool)
    for name, parameter in space.parameters.items():
        here = bool(part) and name.rpartition(".")[0] == part
        if name == claim.parameter or name in claim.where or (of_choice and here and parameter.numeric):
            continue
        given = [t.configuration.get(name) for t in trials]
        # Place in its range on its own scale, in [0, 1]; NaN where the parameter does not apply.
        place = np.array([np.nan if value is None else parameter.to_unit(value) for value in given])
        idle = np.isnan(place)
        near = np.abs(place[:, None] - place[None]) <= (NEAR if parameter.numeric else SAME)
        # What does not apply at one sample, such as how they are joined, follows from the claim's parameter.
        alike &= near | (idle[:, None] | idle[None] if here else idle[:, None] & idle[None])
    return alike


def _mean(trial: Trial, metric: str) -> float:
    found = trial.values.get(metric, trial.value)
    if found is None and (items := _items(trial.items.get(metric, ""))) is not None:
        found = items.mean
    return math.nan if found is None else found


def _pair(first: Trial, second: Trial, metric: str, sign: float) -> Pair | None:
    """The comparison; None where neither items nor two means are known."""
    ours, theirs = (_items(trial.items.get(metric, "")) for trial in (first, second))
    if ours is not None and theirs is not None:
        try:
            found = paired(ours, theirs, sign=sign)
            return Pair(first.number, second.number, found.difference, found.low, found.high, found.n)
        except ItemsError:
            pass  # of other items: their means are what is left
    if first.value is None or second.value is None:
        return None  # one that was stopped early was judged by other items
    means = _mean(first, metric), _mean(second, metric)
    return Pair(first.number, second.number, sign * (means[0] - means[1]), None, None, 0)


@lru_cache(maxsize=1024)
def _items(packed: str) -> Items | None:
    try:
        return Items.unpack(packed) if packed else None
    except ItemsError:
        return None


def _verdict(claim: Claim, pairs: Sequence[Pair]) -> Verdict:
    if not pairs:
        return "not tested"
    says = [_says(claim, pair) for pair in pairs]
    held, against = says.count(1), says.count(-1)
    if held == against:
        return "not distinguishable"
    return "held" if held > against else "did not hold"


def _says(claim: Claim, pair: Pair) -> int:
    """+1 for the claim, -1 against it, 0 neither."""
    low = pair.difference if pair.low is None else pair.low
    high = pair.difference if pair.high is None else pair.high
    if claim.relation == "no_gain_beyond":
        if low > (0 if pair.items else NO_GAIN):
            return -1
        return 1 if pair.difference <= 0 or high < NO_GAIN else 0
    if low > 0:
        return 1
    return -1 if high < 0 else 0


def _said(pair: Pair) -> str:
    text = f"#{pair.first} against #{pair.second}: {pair.difference:+.3g}"
    if pair.low is None or pair.high is None:
        return text
    return (
        f"{text} ({significant(pair.low, 3)} to {significant(pair.high, 3)}, {counted(pair.items, 'item')})"
    )
