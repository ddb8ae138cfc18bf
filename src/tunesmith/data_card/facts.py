"""Facts about single features, and what the fields of a data card are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tunesmith.text.cleaning import clean
from tunesmith.trial import Frozen

TaskType = Literal["classification", "regression"]
STRONG = 0.5
"""From which absolute correlation on a feature, or a pair of features, is counted as correlated."""
MOST_FEATURES_LISTED, MOST_CLASSES_LISTED = 30, 50
NAME_LENGTH = 40
"""Characters."""

Name = Annotated[str, BeforeValidator(lambda value: clean(value, NAME_LENGTH) or "unnamed")]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Spread(Frozen):
    """How a figure lies over the numeric features."""

    median: Finite
    low: Finite
    high: Finite

    def text(self) -> str:
        return f"median {self.median:.3g}, from {self.low:.3g} to {self.high:.3g}"


class FeatureFacts(Frozen):
    """One feature. Figures are None where they are undefined: categorical, constant or empty."""

    name: Name
    kind: Literal["numeric", "categorical"]
    missing: Share = 0.0
    """Share of samples without a finite value."""
    mean: Finite | None = None
    sd: Finite | None = None
    skewness: Finite | None = None
    kurtosis: Finite | None = None
    """Excess kurtosis: 0 for a normal distribution."""
