"""Numbers from training code: what counts as one, and the metrics in a return value."""

from __future__ import annotations

import decimal
import math
import numbers
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingMetric, short
from tunesmith.tools.execution.printed.nearest import Nearest
from tunesmith.tools.execution.printed.numbers_in import MOST_IN_A_LIST, number_from, numbers_of
from tunesmith.tools.execution.printed.output import Result, choose
from tunesmith.tools.execution.printed.tally import Tally, Value

if TYPE_CHECKING:
    from tunesmith.tools.execution.job import Job


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
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, decimal.Decimal)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator] # Real lacks it in typeshed


def returned_result(returned: Any, reported: Tally, job: Job) -> Result:
    """The result of a training function that returned `returned` after the reports in `reported`.

    Args:
        returned: A number, or a mapping, named tuple or dataclass that holds the metric. None, and a mapping
            without the metric where `take` is given, leaves the choice to the reports.
    Raises:
        MissingMetric: There is no metric in it, and nothing was reported.
        TypeError: The metric is there and is no number.
    """
    metric, take, what = job.metric, job.reading.take, job.objective.description
    if reported and (returned is None or (take is not None and _lacks(returned, metric))):
        return choose([reported], metric, take, [], "")
    history = None if take is None else _history(returned, metric)
    if history is not None:
        for step, one in enumerate(history):
            reported.add(Value(one, step))
        return choose([reported], metric, take, [], "")
    values = returned_values(returned, metric, what)
    number = values.pop(metric)
    if take != "best" or not reported:
        return Result({metric: number, **values}, ())
    reported.add(Value(number, None, values, "returned"))
    return choose([reported], metric, take, [], "")


def returned_values(returned: Any, metric: str, what: str) -> dict[str, float]:
    """The metrics in what a training function returned; the task's own may be infinite or NaN.

    Args:
        returned: A number, or something that holds `metric` by name. Other entries are kept when they are
            finite numbers and dropped otherwise.
        what: The training code, for messages.
    Raises:
        MissingMetric: There is no `metric` in it; the nearest name is told.
        TypeError: `metric` is there and is no number.
    """
    number = _one_number(returned)
    if number is not None:
        return {metric: number}
    named = _by_name(returned)
    if named is None or metric not in named:
        nearest = None if named is None else Nearest(metric).name({str(key): None for key in named})[0]
        hint = f" Its nearest key is {short(nearest)}." if nearest else ""
        raise MissingMetric(
            f"{what} ended without {metric!r} (it returned {_summary(returned)}).{hint} Return a number, or "
            f"a dict with the key {metric!r}; or change `metric` in the task."
        )
    value = _one_number(named[metric])
    if value is None and _history(named, metric) is not None:
        raise TypeError(
            f"{what} returned {metric!r} = {short(named[metric])}, which is no number but several. "
            f"Return one, or let `metric: {{name: {metric}, take: last}}` (or best) in the task take one."
        )
    if value is None:
        raise TypeError(
            f"{what} returned {metric!r} = {short(named[metric])}, which is no number. "
            f"Return a float; for a tensor of one element, its .item()."
        )
    found = {metric: value}
    for name, extra in named.items():
        number = as_number(extra)
        if isinstance(name, str) and number is not None and math.isfinite(number):
            found.setdefault(name, number)
    return found


def _one_number(value: Any) -> float | None:
    """`value` as a float, also from a text that is a number, or from a list or tuple of one."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and not hasattr(value, "_fields"):
        value = value[0]
    number = as_number(value)
    return number if number is not None or not isinstance(value, str) else number_from(value)


def _by_name(returned: Any) -> Mapping[Any, Any] | None:
    """What has names: a mapping, a named tuple, a dataclass, or what pandas calls a Series."""
    if isinstance(returned, Mapping):
        return returned
    if isinstance(returned, tuple) and hasattr(returned, "_asdict"):
        return dict(returned._asdict())
    if is_dataclass(returned) and not isinstance(returned, type):
        return {field.name: getattr(returned, field.name) for field in fields(returned)}
    if type(returned).__name__ == "Series" and hasattr(returned, "to_dict"):
        return dict(returned.to_dict())
    return None


def _history(returned: Any, metric: str) -> list[float] | None:
    """Several numbers under the metric's name: a list, a tuple or an array of one dimension."""
    named = _by_name(returned)
    found = None if named is None else named.get(metric)
    if found is not None and not isinstance(found, (list, tuple)) and hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(found, (list, tuple)):
        found = [as_number(item) if as_number(item) is not None else item for item in found[:MOST_IN_A_LIST]]
    return numbers_of(found)


def _lacks(returned: Any, metric: str) -> bool:
    named = _by_name(returned)
    return named is not None and metric not in named


def _summary(returned: Any) -> str:
    if returned is None:
        return "nothing"
    if isinstance(returned, Mapping):
        return f"a dict with {short(sorted(map(str, returned)))}" if returned else "an empty dict"
    return f"{type(returned).__name__} {short(returned)}"
