"""To and from Optuna's distributions. Optuna is imported inside: a space does not need it.

What Optuna cannot say is left out: conditions, constraints, the logit scale (a plain float there) and the
order of an Ordinal (a categorical there).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.errors import SpaceError, short
from tunesmith.space.choices import Bool, Categorical, Listed
from tunesmith.space.floats import Float
from tunesmith.space.ints import Int
from tunesmith.space.parameter import Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def to_distribution(parameter: Parameter, originals: bool = False) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(parameter, Float) and parameter.step is not None:
        # A step such as 1/3 is no exact decimal: with our own `high`, Optuna may find it a hair too low for
        # the last step and drop that. So `high` is a little larger, which it cuts off with a warning.
        more = 0.0 if parameter.exact_step else 1e-6 * parameter.step
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return FloatDistribution(parameter.low, parameter.high + more, step=parameter.step)
    if isinstance(parameter, Float):
        return FloatDistribution(parameter.low, parameter.high, log=parameter.scale == "log")
    if isinstance(parameter, Int) and not (parameter.exact or originals):
        return FloatDistribution(parameter.low, parameter.high, log=parameter.scale == "log")
    if isinstance(parameter, Int):
        return IntDistribution(
            parameter.low, parameter.high, log=parameter.scale == "log", step=parameter.step
        )
    assert isinstance(parameter, Listed)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # of lists, which only the caller's own study would store
        return CategoricalDistribution(
            parameter.given if originals else [parameter.stored(value) for value in parameter.listed]
        )


def from_distributions(distributions: Mapping[str, Any]) -> dict[str, Parameter]:
    """Parameters for Optuna's distributions.

    Raises:
        SpaceError: A kind of distribution or choice (None, say) that has no counterpart here.
    """
    return {name: _parameter(name, distribution) for name, distribution in distributions.items()}


def _parameter(name: str, distribution: object) -> Parameter:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, FloatDistribution | IntDistribution):
        kind: Any = Float if isinstance(distribution, FloatDistribution) else Int
        scale = "log" if distribution.log else "linear"
        parameter: Parameter = kind(distribution.low, distribution.high, scale, distribution.step)
        return parameter
    if isinstance(distribution, CategoricalDistribution):
        if len(distribution.choices) == 2 and all(
            isinstance(choice, bool) for choice in distribution.choices
        ):
            return Bool()
        return Categorical(distribution.choices)
    raise SpaceError(f"{name}: {short(distribution)} is no distribution of Optuna", key=(name,))
