"""Racing: which trials are stopped after a few of their items, by comparison with trials that have them all.

Symbols: N items, scored in one order in all trials; x_i the score of item i under the trial that runs, y_i
under its opponent, the best completed trial when the first item came in; scores are brought to [0, 1], larger
is better. With `bound` the opponent is a mean that has to be kept, y_i = bound.

Three rules stop a trial after n < N items, in this order:

hopeless  The opponent's total cannot be reached even if every item left scores 1. Certain.
worse     Evidence that mean(x) < mean(y) over the N items, by betting on the differences without replacement
          (`sequences.py`), reaches trials / alpha. For a trial that is level with its opponent or better, in
          an order drawn at random, that ever happens with probability at most alpha / trials: one look after
          every item included. So, over all `trials` trials, with probability at least 1 - alpha no trial is
          stopped by this rule whose mean over the N items is at least its opponent's.
futile    The predicted probability of ending at or above the opponent's mean is below `futility`. This is no
          test: it controls no error, and stops some that would have come out ahead by little. It is what
          saves most: among trials of nearly the same quality 50 items prove nothing early. Predicted is the
          sum of the items left: what the best quarter of the completed trials scored on them, and as much
          more or less as the trial did so far. Where all of those were right that says nothing, as it should.
          Not against a bound: the cheapest that keeps it lies near it, and would be stopped half of the time.

The guarantee is about the order: it is over a draw of the order that the scores did not depend on. Trials
whose configuration was chosen by how earlier ones did on the first items of the same order are not covered
strictly; `benchmarks/coverage.py` shows what happens there.

Pure and without clock or random numbers, so that a replay without an engine has the same verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import ndtr

from tunesmith.tools.analysis.sequences import Bets, Floats

Why = Literal["hopeless", "worse", "futile"]

FIRST = 5
"""Items before anything is predicted."""
LEADERS = 0.25
"""Share of the completed trials, the best ones, by whose scores an item is hard or easy."""
PRIOR_ITEMS = 10.0
"""Items that the completed trials' spread of residuals counts as, beside the trial's own."""
SMALLEST_VARIANCE = 0.02
"""Of residuals: completed trials may agree on every item, and the next one not."""
OUTSIDE = 1e-6
"""How far beyond [0, 1] a score is rounding; also how near 0 or 1 it is that."""


class Race:
    """What the completed trials came to, item by item; starts a `Racer` for each trial.

    Args:
        direction_sign: +1 where larger scores are better, -1 where smaller ones are (`Goal.sign`).
        scores: Lowest and highest possible score, metric units.
        alpha: See above; 0 leaves the rule `worse` out.
        futility: See above; 0 leaves the rule `futile` out.
        trials: How many trials share `alpha`, at least 1.
        bound: A mean that has to be kept, metric units; None: the best completed trial is the opponent.
    """

    def __init__(
        self,
        *,
        direction_sign: float = 1.0,
        scores: tuple[float, float] = (0.0, 1.0),
        alpha: float = 0.05,
        futility: float = 0.16,
        trials: int = 50,
        bound: float | None = None,
    ) -> None:
        self._sign, (self._low, self._high) = direction_sign, scores
        self.level, self.futility = alpha / trials, futility
        self._bound = None if bound is None else self._better(bound)
        self._rows: list[Floats] = []
        self._best: Floats | None = None
        self._average: Floats | None = None
        self._spread = 0.0

    @property
    def items(self) -> int | None:
        """N, by the first trial that completed; None before."""
        return len(self._rows[0]) if self._rows else None

    def complete(self, scores: Sequence[float], *, feasible: bool = True) -> bool:
        """Take in a completed trial; False where it has scores of other items, or outside the range.

        Args:
            scores: Of all N items, in order.
            feasible: Whether it may be an opponent.
        """
        row = self.normalised(scores)
        if row is None or self.items not in (None, len(row)):
            return False
        self._rows.append(row)
        if feasible and (self._best is None or row.mean() > self._best.mean()):
            self._best = row
        rows = np.array(self._rows)
        leaders = np.argsort(-rows.mean(axis=1), kind="stable")[: math.ceil(len(rows) * LEADERS)]
        self._average = rows[leaders].mean(axis=0)
        others = np.delete(rows, leaders, axis=0) if len(rows) > len(leaders) else rows
        residuals = others - self._average
        residuals -= residuals.mean(axis=1, keepdims=True)
        self._spread = max(float(np.mean(residuals**2)), SMALLEST_VARIANCE)
        return True

    def start(self) -> Racer | None:
        """For a trial's first item; None while there is nothing to compare it with."""
        if self._average is None:
            return None
        if self._bound is not None:
            opponent = np.full(len(self._average), self._bound)
        elif self._best is not None:
            opponent = self._best
        else:
            return None
        return Racer(self, opponent, self._average, self._spread, self._bound)

    def normalised(self, scores: Sequence[float]) -> Floats | None:
        """Scores in [0, 1], larger is better; None where one lies outside the range."""
        z = np.array([self._better(score) for score in scores], dtype=np.float64)
        if not (np.all(z >= -OUTSIDE) and np.all(z <= 1 + OUTSIDE)):
            return None
        nearest = np.round(z)
        return np.where(np.abs(z - nearest) <= OUTSIDE, nearest, z)

    def _better(self, score: float) -> float:
        share = (score - self._low) / (self._high - self._low)
        return share if self._sign > 0 else 1 - share


class Racer:
    """A trial that runs: takes its scores one by one, and says when it should stop."""

    def __init__(
        self, race: Race, opponent: Floats, average: Floats, spread: float, bound: float | None
    ) -> None:
        self._race, self._opponent, self._average, self._spread = race, opponent, average, spread
        self._bound = bound
        self._target = float(opponent.sum())
        self._average_left = float(average.sum())
        # Bets are on the scores' mean being below: of 1 - x, or of (1 - (x - y)) / 2, being above.
        self._bets = Bets(0.5 if bound is None else min(1 - bound, 1.0), total=len(opponent))
        self.seen = 0
        """n, the scores so far."""
        self._sum = self._residual = self._squares = 0.0
        self.broken = False
        """Whether a score was outside the range, or there were too many: nothing is said any more."""

    @property
    def items(self) -> int:
        """N."""
        return len(self._opponent)

    def add(self, score: float) -> Why | None:
        """Take in the score of the next item, metric units; why the trial should stop, or None."""
        one = self._race.normalised([score])
        if one is None or self.seen >= len(self._opponent):
            self.broken = True
        if self.broken or one is None:
            return None
        x, y, expected = float(one[0]), float(self._opponent[self.seen]), float(self._average[self.seen])
        self.seen += 1
        self._sum += x
        self._residual += x - expected
        self._squares += (x - expected) ** 2
        self._average_left -= expected
        evidence = self._bets.add((1 - (x - y)) / 2 if self._bound is None else 1 - x)
        left = len(self._opponent) - self.seen
        if left == 0:
            return None
        if self._sum + left < self._target - OUTSIDE:
            return "hopeless"
        if self._race.level > 0 and evidence >= -math.log(self._race.level):
            return "worse"
        if self._bound is None and self.seen >= FIRST and self.chance() < self._race.futility:
            return "futile"
        return None

    def chance(self) -> float:
        """Predicted probability of a mean over all items at or above the opponent's; the trial has begun.

        Normal: each item left scores what the leaders scored on it on average, plus the mean
        residual r of the items seen (with no prior on it), plus a residual of variance s^2 for each.
        """
        n, left = self.seen, len(self._opponent) - self.seen
        mean = self._residual / n
        own = max(self._squares - n * mean * mean, 0.0)
        variance = (PRIOR_ITEMS * self._spread + own) / (PRIOR_ITEMS + n - 1)
        lead = self._sum + self._average_left + left * mean - self._target
        if left == 0:
            return float(lead >= 0)
        return float(ndtr(lead / math.sqrt(left * variance * (1 + left / n))))
