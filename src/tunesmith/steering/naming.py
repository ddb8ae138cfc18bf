"""Which hyperparameter and which of its values a command means."""

from __future__ import annotations

from typing import Any

from tunesmith.errors import short
from tunesmith.space import Space
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import plain
from tunesmith.steering.faults import CannotSteer
from tunesmith.task.lineage import legal_from_text
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Value


def parameter_named(space: Space, name: str) -> str:
    """The parameter's name as the space has it.

    Raises:
        CannotSteer: There is none.
    """
    if name in space:
        return name
    close = [known for known in space.names if known.casefold() == name.casefold()]
    if len(close) == 1:
        return close[0]
    raise CannotSteer(
        f"{short(name)} is no hyperparameter of this run; {did_you_mean(name, list(space.names))}."
    )


def legal_value(name: str, parameter: Parameter, value: Any) -> Value:
    """A value of a command as the parameter has it; text and whole floats are read as what they stand for.

    Raises:
        CannotSteer: It is not legal; says what is.
    """
    value = plain(value)
    if isinstance(value, str):
        value = legal_from_text(parameter, value)
    elif isinstance(value, float) and value.is_integer() and parameter.check(name, value) is not None:
        value = int(value)
    if parameter.check(name, value) is not None:
        raise CannotSteer(f"{name} cannot be {short(value)}: it is {parameter.describe()}.")
    return parameter.canonical(value)
