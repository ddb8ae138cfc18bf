"""A function of the space of branches.yaml with a known optimum; it trains nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def train(config: Mapping[str, Any], trial: Any) -> float:
    """A loss, exact to the last digit on every machine that adds as IEEE 754 says."""
    loss = 0.02 * abs(math.log2(config["batch"]) - 6) + (0.0 if config["early"] else 0.01)
    if config["kind"] == "svm":
        return loss + 0.3 + 0.05 * abs(math.log10(config["C"]) - 1)
    if config["kind"] == "forest":
        return loss + 0.35 + 0.02 * abs(config["depth"] - 12) / 12 - 0.02 * math.log10(config["trees"])
    return (
        loss
        + 0.2
        + 0.06 * abs(math.log10(config["learning_rate"]) + 2.5)
        + 0.01 * abs(config["layers"] - 3)
        + 0.02 * abs(math.log2(config["width"]) - 6)
    )
