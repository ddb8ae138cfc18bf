"""Where a person expects the best value of a hyperparameter, settled on its range."""

from __future__ import annotations

import math

from tunesmith.commands import SetPrior
from tunesmith.errors import short
from tunesmith.space import Bool, Categorical, Space
from tunesmith.space.parameter import Parameter
from tunesmith.steering.faults import CannotSteer
from tunesmith.steering.naming import legal_value, parameter_named
from tunesmith.text.numbers import readable

FACTOR = 3.0
"""The usual width on a logarithmic scale: from a third of the best value to three times it."""
SHARE = 0.15
"""The usual width on a linear scale: this share of the range to both sides."""


def settled(space: Space, command: SetPrior) -> tuple[SetPrior, str]:
    """The command with its range, clipped to the space, and what it says in words.

    Raises:
        CannotSteer: The parameter is none of the space, is frozen, or has no such value.
    """
    name = parameter_named(space, command.parameter)
    parameter = space.parameters[name]
    if parameter.size == 1:
        raise CannotSteer(f"{name} is {parameter.describe()}, so nothing is to be expected of it.")
    best = legal_value(name, parameter, command.best)
    if isinstance(parameter, Categorical | Bool):
        if command.low is not None or command.high is not None:
            raise CannotSteer(f"{name} is {parameter.describe()}: give one of them, without a range.")
        update = {"parameter": name, "best": best, "low": None, "high": None}
        return command.model_copy(update=update), f"{name} is expected to be best at {parameter.format(best)}"
    if not parameter.numeric:
        raise CannotSteer(f"The values of {name} are no numbers, so no range can be expected of it.")
    number = float(best)
    low, high = _range(parameter, number, command)
    update = {"parameter": name, "best": best, "low": low, "high": high}
    text = f"{name} is expected to be best near {readable(number)} ({readable(low)} to {readable(high)})"
    return command.model_copy(update=update), text


def _range(parameter: Parameter, best: float, command: SetPrior) -> tuple[float, float]:
    ends = sorted(float(parameter.from_unit(u)) for u in (0.0, 1.0))
    if getattr(parameter, "scale", "linear") != "linear" and best > 0:
        usual = best / FACTOR, best * FACTOR
    else:
        width = SHARE * (ends[1] - ends[0])
        usual = best - width, best + width
    low = usual[0] if command.low is None else command.low
    high = usual[1] if command.high is None else command.high
    if not (low <= best <= high) or not (math.isfinite(low) and math.isfinite(high)):
        raise CannotSteer(
            f"{command.parameter}: the range {short(low)} to {short(high)} does not hold {short(best)}."
        )
    return max(low, ends[0]), min(high, ends[1])
