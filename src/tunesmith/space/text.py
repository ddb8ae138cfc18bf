"""A space and its values in words, for people and for prompts."""

from __future__ import annotations

import difflib
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


def perhaps(word: object, options: Iterable[str]) -> str:
    """` (did you mean 'lr'?)`, to stand before the list of all; empty if none is close."""
    hint = did_you_mean(word, options)
    return f" ({hint})" if hint.endswith("?") else ""


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """`did you mean 'lr'?`, or the list of what there is; at most 20 names."""
    names = list(options)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(word)[:100].casefold(), list(folded), n=1)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"there are {', '.join(names[:20])}{more}" if names else "there are none"
