"""Early stopping by forecast: a trial stops once even a lucky end would leave it behind the best ones.

A rule that compares with the median stops half of all trials whatever they are worth: once a search has found
the good region, its trials are all about as good, and the noise of their first step decides. Here a curve is
stopped when its forecast final value plus two standard deviations is below the level of the leaders, so that
one within the noise of the leaders goes on, however many of them there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.history import Direction
from tunesmith.tools.analysis.forecast import Forecaster
from tunesmith.trial import Trial, TrialState

LIKELY, HARDLY = 2.0, 3.0
"""How many standard deviations above its forecast a final value may lie; the second one when cautious."""
FEW = 2.0
"""n completed trials make these a share FEW / n larger: a spread that rests on few is itself uncertain."""
LEADERS = 0.75
"""Quantile of the results that is the leaders' level: a quarter of them, not one lucky best."""
GRANTED, LATEST = 0.2, 0.75
"""Shares of the usual number of reports: what every trial is granted, two at least, and from where on it is
not stopped any more, because a result then tells more than the rest of its training costs."""


class ForecastRule:
    """`pruning.Rule` for the kind `forecast`."""

    def __init__(self, direction: Direction) -> None:
        self._forecaster = Forecaster(1.0 if direction == "maximize" else -1.0)
        self._usual = 0.0
        """Median number of reports of the completed trials."""

    def observe(self, trial: Trial) -> None:
        if trial.state is TrialState.COMPLETED:
            self._forecaster.add(trial)
            self._usual = float(np.median(self._forecaster.lengths))

    def should_stop(self, number: int, curve: Sequence[tuple[int, float]], *, cautious: bool) -> bool:
        if not len(self._forecaster):
            return False
        usual = self._usual
        if not max(2, math.ceil(GRANTED * usual)) <= len(curve) < LATEST * usual:
            return False
        score, spread = self._forecaster.forecast(curve)
        level = float(np.quantile(self._forecaster.finals, 0.5 if cautious else LEADERS))
        reach = (HARDLY if cautious else LIKELY) * (1 + FEW / len(self._forecaster))
        return score + reach * spread < level
