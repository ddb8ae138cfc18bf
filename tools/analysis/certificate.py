"""Which configurations surely keep a bound: planned from the search, tested on items that it never saw.

Fixed-sequence testing, as in Learn then Test (Angelopoulos, Bates, Candes, Jordan and Lei, 2021). The
candidates are put in an order by the search alone, and each is tested for "the mean score over all items of
the kind breaks the bound" at level (1 - confidence) / (failures + 1); after `failures` + 1 tests that did not
reject, nothing more is tested. Whatever is certified is delivered. The probability that one of the certified
breaks the bound is at most 1 - confidence: before the first wrong rejection every tested candidate that
breaks the bound has failed its test, so at most `failures` + 1 of them are tested until then.

The test is exact for scores that are all 0 or 1 (Clopper and Pearson, 1934), which stand for a binomial
number; else it is the bound by betting of `sequences.py`. It takes the items as draws from those that it
speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from tunesmith.goals import Direction, Limit
from tunesmith.history import History
from tunesmith.tools.analysis.compare_goals import unpacked
from tunesmith.tools.analysis.sequences import Floats, lower_bound
from tunesmith.trial import Configuration, Frozen, Value

OUTSIDE = 1e-6
"""How far beyond the range of scores is rounding."""


class Rule(NamedTuple):
    """What is to be certified."""

    limit: Limit
    confidence: float
    scores: tuple[float, float]
    most: int = 6
    failures: int = 0

    @property
    def level(self) -> float:
        """Of one test."""
        return (1 - self.confidence) / (self.failures + 1)

    @property
    def threshold(self) -> float:
        """The bound with scores in [0, 1], larger being better."""
        low, high = self.scores
        share = (self.limit.bound - low) / (high - low)
        return share if self.limit.operator == ">=" else 1 - share

    def normalised(self, scores: Sequence[float]) -> Floats | None:
        """Scores in [0, 1], larger being better; None where one lies outside the range, or there is none."""
        low, high = self.scores
        x = (np.asarray(scores, dtype=np.float64) - low) / (high - low)
        if not x.size or x.min() < -OUTSIDE or x.max() > 1 + OUTSIDE:
            return None
        x = np.clip(x, 0.0, 1.0)
        return x if self.limit.operator == ">=" else 1 - x

    def metric_units(self, share: float) -> float:
        """Back from [0, 1] with larger being better."""
        low, high = self.scores
        return low + (share if self.limit.operator == ">=" else 1 - share) * (high - low)


class Candidate(NamedTuple):
    """A configuration that was run in the search, with all its items."""

    trial: int
    """Its first completed trial."""
    configuration: Configuration
    primary: float
    """Mean of the primary metric over its trials, metric units."""
    mean: float
    """Mean score in the search, metric units."""
    sureness: float
    """By how many standard errors the search's mean keeps the bound; negative where it breaks it."""


class Tested(Frozen):
    """One configuration on the items that the search never saw."""

    trial: int
    values: dict[str, Value]
    """Its hyperparameters."""
    primary: float
    """In the search."""
    searched: float
    """Mean score in the search."""
    n: int = 0
    """Items that it was tested on; 0 where its run failed."""
    mean: float | None = None
    low: float | None = None
    """The bound that its mean keeps at the level of a test: from below for `>=`, from above for `<=`."""
    certified: bool = False
    why: str = ""
    """Why it could not be tested."""


class Certificate(Frozen):
    """What was certified, and what it rests on."""

    limit: Limit
    confidence: float
    level: float
    metric: str
    """The primary one, by which the best certified one is chosen."""
    planned: tuple[int, ...]
    """Trials in the order of the tests."""
    tested: tuple[Tested, ...]
    certified: int | None
    """Trial of the best certified configuration; None: none is."""
    safest: int | None
    """Trial that keeps the bound most surely by the search; None where none has items."""
    times: int = 1
    """How often this run has tested configurations on these items, this time included."""

    @property
    def chosen(self) -> Tested | None:
        return next((one for one in self.tested if one.trial == self.certified), None)

    @property
    def sentence(self) -> str:
        """In words, such as `Certified with 95 % confidence: trial 12 keeps quality >= 0.9 (...)`."""
        found, level = self.chosen, f"{100 * self.confidence:.4g} % confidence"
        if found is not None and found.low is not None and found.mean is not None:
            side = "at least" if self.limit.operator == ">=" else "at most"
            text = (
                f"Certified with {level}: trial {found.trial} keeps {self.limit.text} (on {found.n:,} items "
                f"that the search never saw {found.mean:.4g}, and {side} {found.low:.4g}; "
                f"{found.searched:.4g} in the search)."
            )
            more = len(self.planned) - len(self.tested)
            failed = sum(not one.certified for one in self.tested)
            if failed:
                text += f" {failed} of {len(self.tested)} tested configurations did not pass."
            if more and failed:
                text += f" {more} with a better {self.metric} were not tested after that."
        else:
            text = f"Nothing is certified to keep {self.limit.text} with {level}: {self._why_none()}."
            if self.safest is not None:
                text += f" The safest by the search is trial {self.safest}."
        if self.times > 1:
            again = f" Configurations were tested on these items {self.times} times"
            text += f"{again}; the confidence is that of each time."
        return text

    def _why_none(self) -> str:
        if not self.planned:
            return "no trial with scores by item looks good enough in the search"
        if not self.tested:
            return "no test was made"
        first = self.tested[0]
        if first.why:
            return f"trial {first.trial} could not be tested ({first.why})"
        side = "at least" if self.limit.operator == ">=" else "at most"
        return (
            f"trial {first.trial}, the surest of the search, has {first.mean:.4g} on {first.n:,} items, "
            f"which shows {side} {first.low:.4g}"
        )


def candidates(history: History, rule: Rule) -> list[Candidate]:
    """Every configuration with scores of the metric by item, the surest first."""
    scores: dict[Configuration, list[float]] = {}
    primary: dict[Configuration, list[float]] = {}
    first: dict[Configuration, int] = {}
    others = [limit for limit in history.limits if limit.metric != rule.limit.metric]
    for trial in history.completed:
        items = unpacked(trial.items.get(rule.limit.metric))
        if items is None or trial.value is None:
            continue
        if not all(limit.met(trial.values.get(limit.metric)) for limit in others):
            continue
        first.setdefault(trial.configuration, trial.number)
        scores.setdefault(trial.configuration, []).extend(items.scores)
        primary.setdefault(trial.configuration, []).append(trial.value)
    found = []
    for configuration, pooled in scores.items():
        x = rule.normalised(pooled)
        if x is None:
            continue
        # Two items of the middle are added, so that all right on few items is not without doubt.
        n = len(x) + 2
        mean = (float(x.sum()) + 1) / n
        variance = (float((x**2).sum()) + 0.5) / n - mean**2
        error = float(np.sqrt(max(variance, 1e-12) / n))
        found.append(
            Candidate(
                trial=first[configuration],
                configuration=configuration,
                primary=float(np.mean(primary[configuration])),
                mean=rule.metric_units(float(x.mean())),
                sureness=(mean - rule.threshold) / error,
            )
        )
    return sorted(found, key=lambda one: (-one.sureness, one.trial))


def plan(found: Sequence[Candidate], rule: Rule, direction: Direction) -> list[Candidate]:
    """What is tested, in order: from the surest on what is ever better by the primary metric.

    Only what keeps the bound by its mean in the search; at most `rule.most`, evenly from all of them with the
    surest among them.

    Args:
        found: As `candidates` has it.
        direction: Of the primary metric.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    chain: list[Candidate] = []
    for one in found:
        better = not chain or sign * one.primary > sign * chain[-1].primary
        if better and rule.limit.met(one.mean):
            chain.append(one)
    if len(chain) <= rule.most:
        return chain
    places = np.unique(np.linspace(0, len(chain) - 1, rule.most).round().astype(int))
    return [chain[place] for place in places]


def bound_of(scores: Sequence[float], rule: Rule) -> float | None:
    """What the mean over all items keeps at the level of one test, metric units; None for no legal scores."""
    x = rule.normalised(scores)
    if x is None:
        return None
    n, total = len(x), float(x.sum())
    if np.all((x == 0) | (x == 1)):
        low = float(stats.beta.ppf(rule.level, total, n - total + 1)) if total else 0.0
    else:
        low = lower_bound(x, rule.level)
    return rule.metric_units(low)


def judged(one: Candidate, scores: Sequence[float] | None, rule: Rule, why: str = "") -> Tested:
    """The test of a candidate on items that the search never saw.

    Args:
        scores: Its scores there; None where it has none, and `why`.
    """
    known = Tested(
        trial=one.trial, values=dict(one.configuration), primary=one.primary, searched=one.mean, why=why
    )
    if scores is None:
        return known
    low = bound_of(scores, rule)
    if low is None:
        outside = f"a score lies outside {rule.scores[0]:g} to {rule.scores[1]:g}"
        return known.model_copy(update={"why": outside})
    update: Mapping[str, object] = {
        "n": len(scores),
        "mean": float(np.mean(scores)),
        "low": low,
        "certified": rule.limit.met(low),
    }
    return known.model_copy(update=dict(update))


def decided(results: Sequence[Tested], rule: Rule) -> bool:
    """Whether no further test may be made."""
    return sum(not one.certified for one in results) > rule.failures


def best_certified(results: Sequence[Tested], direction: Direction) -> int | None:
    """Trial of the certified configuration with the best primary metric; None where none is certified."""
    sign = 1.0 if direction == "maximize" else -1.0
    passed = [one for one in results if one.certified]
    return max(passed, key=lambda one: sign * one.primary).trial if passed else None
