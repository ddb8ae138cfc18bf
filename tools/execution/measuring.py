"""Numbers from training code: what counts as one, and the metrics in a return value."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import MissingMetric, short


def as_number(value: Any) -> float | None:
    """`value` as a float, also from a NumPy scalar or a tensor of one element; None where it is no number.

    Booleans are no numbers here: a metric that is one is a mistake more often than not. Numbers
    beyond the range of a float become infinite.
    """
    if hasattr(value, "item") and not isinstance(value, (int, float)):
        try:
            value = value.item()
        except (ValueError, RuntimeError, TypeError):
            return None  # an array or tensor of several elements
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator] # Real lacks it in typeshed


def returned_values(returned: Any, metric: str, what: str) -> dict[str, float]:
    """The metrics in what a training function returned; the task's own may be infinite or NaN.

    Args:
        returned: A number, or a mapping that holds `metric`. Other entries are kept when they are
            finite numbers and dropped otherwise.
        what: The training code, for messages.
    Raises:
        MissingMetric: There is no `metric` in it.
        TypeError: `metric` is there and is no number.
    """
    number = as_number(returned)
    if number is not None:
        return {metric: number}
    if not isinstance(returned, Mapping) or metric not in returned:
        raise MissingMetric(
            f"{what} ended without {metric!r} (it returned {_summary(returned)}). Return a number, or a dict "
            f"with the key {metric!r}; or change `metric` in the task."
        )
    value = as_number(returned[metric])
    if value is None:
        raise TypeError(
            f"{what} returned {metric!r} = {short(returned[metric])}, which is no number. "
            f"Return a float; for a tensor of one element, its .item()."
        )
    found = {metric: value}
    for name, extra in returned.items():
        number = as_number(extra)
        if isinstance(name, str) and number is not None and math.isfinite(number):
            found.setdefault(name, number)
    return found


def _summary(returned: Any) -> str:
    if returned is None:
        return "nothing"
    if isinstance(returned, Mapping):
        return f"a dict with {short(sorted(map(str, returned)))}" if returned else "an empty dict"
    return f"{type(returned).__name__} {short(returned)}"
