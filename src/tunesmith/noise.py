"""How much the metric of one configuration varies between seeds: stated by the task, or measured.

Symbols: y_ij the j-th value of configuration i, trained n_i times. The pooled standard deviation is
sqrt(sum_ij (y_ij - mean_i)^2 / f) with f = sum_i (n_i - 1) degrees of freedom.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Literal, NamedTuple

import numpy as np

from tunesmith.history import History

Noise = float | Literal["measure", "none"]
"""What a task says of it: a standard deviation in metric units, `measure`, or `none` where training is
deterministic (then no configuration is trained twice)."""


class KnownNoise(NamedTuple):
    """The noise of a metric."""

    sd: float
    """Standard deviation between seeds, metric units, >= 0."""
    freedom: float
    """Degrees of freedom that it was measured with; infinite where it was stated."""

    @property
    def text(self) -> str:
        """`0.004 between seeds, as stated`."""
        source = (
            "as stated" if math.isinf(self.freedom) else f"measured by {self.freedom:.0f} repeated trials"
        )
        return f"{self.sd:.2g} between seeds, {source}"


def known_noise(stated: Noise | None, history: History) -> KnownNoise | None:
    """The noise that a task states, else what repeated trials show; None where neither says anything."""
    if stated == "none":
        return KnownNoise(0.0, math.inf)
    if isinstance(stated, float | int):
        return KnownNoise(float(stated), math.inf)
    return measured_noise(history)


def measured_noise(history: History) -> KnownNoise | None:
    """The pooled standard deviation over configurations that completed more than once; None without any."""
    values: dict[str, list[float]] = defaultdict(list)
    for trial in history.completed:
        if trial.value is not None:
            values[trial.configuration.digest].append(trial.value)
    repeated = [np.array(v) for v in values.values() if len(v) > 1]
    if not repeated:
        return None
    freedom = sum(len(v) - 1 for v in repeated)
    squares = sum(float(((v - v.mean()) ** 2).sum()) for v in repeated)
    return KnownNoise(math.sqrt(squares / freedom), float(freedom))


def noise_text(noise: Noise) -> str:
    """What a task states, in words."""
    if noise == "none":
        return "none: training is deterministic, and no configuration is trained twice"
    if noise == "measure":
        return "to be measured: the default is trained again on other seeds"
    return f"{noise:g} between seeds"
