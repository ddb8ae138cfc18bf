"""A space and its values in words, for people and for prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tunesmith.space import conditions as cond
from tunesmith.space.conditions import Conditions
from tunesmith.space.constraints import Constraint
from tunesmith.space.parameter import Parameter


def describe_parameter(parameter: Parameter, conditions: Conditions | None) -> str:
    """Legal values and condition: `a number from 0 to 0.99; only when optimizer is sgd`."""
    only = f"; only when {cond.describe(conditions)}" if conditions else ""
    return parameter.describe() + only


def describe(
    parameters: Mapping[str, Parameter],
    conditions: Mapping[str, Conditions],
    constraints: Iterable[Constraint],
) -> str:
    """One bullet a parameter, then one a constraint."""
    lines = [f"- {name}: {describe_parameter(p, conditions.get(name))}" for name, p in parameters.items()]
    return "\n".join(lines + [f"- constraint: {constraint.text}" for constraint in constraints])
