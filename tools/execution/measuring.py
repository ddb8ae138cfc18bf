"""Numbers from training code: what counts as one, and the metrics in a return value."""

from __future__ import annotations

import decimal
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.errors import short
from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.choice import Heard
from tunesmith.tools.execution.printed.item_scores import scored
from tunesmith.tools.execution.printed.nearest import Nearest, stated
from tunesmith.tools.execution.printed.numbers_in import MOST_IN_A_LIST, number_from, numbers_of
from tunesmith.tools.execution.printed.tally import Tally, Value

if TYPE_CHECKING:
    from tunesmith.tools.execution.job import Job
    from tunesmith.tools.execution.reports import Reports


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


def returned(given: Any, reports: Reports, job: Job) -> list[Heard]:
    """What a training function that returned `given` says of each metric, the primary one first.

    Args:
        given: A number, or what holds the metrics by name (`_by_name`). None, and a mapping without the
            metric where `take` is given, leaves the choice to the reports.
        reports: What was reported before; takes in what was returned where both count.
    Raises:
        TypeError: A metric is there and is no number.
    """
    names = [name for name, _ in job.readings]
    named = _by_name(given, names)
    further = [_returned_further(name, named, reports.further[name], job) for name in names[1:]]
    found = [_returned_primary(given, named, reports, job), *further]
    for heard in found:
        scores = reports.items.get(heard.metric)
        if not heard and scores is not None:
            tally = Tally(maximize=heard.reading.maximize)
            items = {heard.metric: scores.packed} if scores.packed else {}
            tally.add(Value(scores.mean, None, {}, "reported items", items))
            heard.tallies = [tally]
        if not heard:
            _explain(heard, given, named, job)
    return found


def _returned_primary(given: Any, named: Mapping[Any, Any] | None, reports: Reports, job: Job) -> Heard:
    metric, reading, reported = job.metric, job.reading, reports.primary
    heard = Heard(metric, reading, [reported])
    number = _one_number(given)
    lacks = named is not None and metric not in named
    of_another = named is not None and any(name in named for name, _ in job.further)
    if reading.file is not None:
        heard.tallies = []
        return heard
    if reported and (given is None or (lacks and (reading.take is not None or of_another))):
        return heard
    values = {metric: given} if number is not None else named or {}
    if number is None and reading.items and named is None and scored(given, metric) is not None:
        values = {metric: given}  # the scores themselves
    history = None if reading.take is None or reading.items else _history(values.get(metric))
    if history is not None:
        for step, one in enumerate(history):
            reported.add(Value(one, step))
        return heard
    if metric not in values:
        heard.tallies = []
        return heard
    number, items = _metric(metric, reading, values[metric], job, heard)
    value = Value(number, None, _others(values, metric, job, items), "returned", items)
    if reading.take != "best" or not reported:
        heard.tallies = [Tally(maximize=reading.maximize)]
    heard.tallies[0].add(value)
    return heard


def _returned_further(name: str, named: Mapping[Any, Any] | None, tally: Tally, job: Job) -> Heard:
    reading = dict(job.further)[name]
    heard = Heard(name, reading, [tally])
    if named is None or name not in named or reading.file is not None:
        return heard
    takes = reading.take is not None or job.reading.take is not None
    history = _history(named[name]) if takes and not reading.items else None
    if history is None:
        number, items = _metric(name, reading, named[name], job, heard)
        tally.add(Value(number, None, {}, "returned", items))
    for step, one in enumerate(history or ()):
        tally.add(Value(one, step))
    return heard


def _metric(name: str, reading: Reading, raw: Any, job: Job, heard: Heard) -> tuple[float, dict[str, str]]:
    """The number of a metric, and its packed scores by its name.

    Raises:
        TypeError: It is no number.
    """
    number = _one_number(raw)
    if number is None and reading.items and (scores := scored(raw, name)) is not None:
        heard.notes = [scores.note] if scores.note else []
        return scores.mean, {name: scores.packed} if scores.packed else {}
    if number is not None:
        return number, {}
    what = job.objective.description
    if reading.items and not isinstance(raw, str) and (hasattr(raw, "__len__") or hasattr(raw, "__iter__")):
        raise TypeError(
            f"{what} returned {name!r} = {short(raw)}, which is no list of scores per item (`items: true`). "
            f"Return at least one number, or a mapping of ids to numbers; of an array the .ravel()."
        )
    several = bool(job.further)
    if _history(raw) is not None:
        raise TypeError(
            f"{what} returned {name!r} = {short(raw)}, which is no number but several. Return one, or let "
            f"{stated(name, 'take: last', several=several)} or best in the task take one, or `items: true` "
            f"their mean, as scores per item."
        )
    if not isinstance(raw, Mapping) and scored(raw, name) is not None:  # right and wrong answers
        raise TypeError(
            f"{what} returned {name!r} = {short(raw)}, which is no number but several. Return one, or let "
            f"{stated(name, 'items: true', several=several)} in the task take their mean, as scores per item."
        )
    raise TypeError(
        f"{what} returned {name!r} = {short(raw)}, which is no number. "
        f"Return a float; for a tensor of one element, its .item()."
    )


def _others(values: Mapping[Any, Any], metric: str, job: Job, items: dict[str, str]) -> dict[str, float]:
    """What stands beside the metric: finite numbers, and the task's further metrics whatever they are."""
    found: dict[str, float] = {}
    for name, raw in values.items():
        number = as_number(raw)
        if isinstance(name, str) and name != metric and number is not None and math.isfinite(number):
            found[name] = number
    for name, reading in job.further:
        if name in values and (number := _one_number(values[name])) is not None:
            found[name] = number
        elif name in values and reading.items and (scores := scored(values[name], name)) is not None:
            found[name] = scores.mean
            items |= {name: scores.packed} if scores.packed else {}
    return found


def _explain(heard: Heard, given: Any, named: Mapping[Any, Any] | None, job: Job) -> None:
    """Say why a metric is missing."""
    metric, what = heard.metric, job.objective.description
    nearest = None if named is None else Nearest(metric).name({str(key): None for key in named})[0]
    hint = f" Its nearest key is {short(nearest)}." if nearest else ""
    heard.message = (
        f"{what} ended without {metric!r} (it returned {_summary(given)}).{hint} Return a number, or "
        f"a dict with the key {metric!r}; or change `metric` in the task."
    )
    heard.why = f"its nearest key is {short(nearest)}" if nearest else f"{what} returned {_summary(given)}"
    keys = ", ".join(repr(name) for name, _ in job.readings)
    heard.fix = f"Return a dict with the keys {keys}; or change `metrics` or `limits` in the task."


def _one_number(value: Any) -> float | None:
    """`value` as a float, also from a text that is a number, or from a list or tuple of one."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and not hasattr(value, "_fields"):
        value = value[0]
    number = as_number(value)
    return number if number is not None or not isinstance(value, str) else number_from(value)


def finite_values(given: Any) -> dict[str, float]:
    """The finite numbers in what a training function returned by name; empty where there are no names."""
    named = _by_name(given, ()) or {}
    numbers = {str(name): as_number(one) for name, one in named.items()}
    return {name: one for name, one in numbers.items() if one is not None and math.isfinite(one)}


def _by_name(given: Any, metrics: Sequence[str]) -> Mapping[Any, Any] | None:
    """What has names: a mapping, a named tuple, a dataclass, or what pandas calls a Series.

    Any other object counts where it has one of `metrics` as an attribute of its own.
    """
    if isinstance(given, Mapping):
        return given
    if isinstance(given, tuple) and hasattr(given, "_asdict"):
        return dict(given._asdict())
    if is_dataclass(given) and not isinstance(given, type):
        return {field.name: getattr(given, field.name) for field in fields(given)}
    if type(given).__name__ == "Series" and hasattr(given, "to_dict"):
        return dict(given.to_dict())
    own = getattr(given, "__dict__", None)
    return own if isinstance(own, dict) and any(name in own for name in metrics) else None


def _history(found: Any) -> list[float] | None:
    """Several numbers: a list, a tuple or an array of one dimension."""
    if found is not None and not isinstance(found, (list, tuple)) and hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(found, (list, tuple)):
        found = [as_number(item) if as_number(item) is not None else item for item in found[:MOST_IN_A_LIST]]
    return numbers_of(found)


def _summary(returned: Any) -> str:
    if returned is None:
        return "nothing"
    if isinstance(returned, Mapping):
        return f"a dict with {short(sorted(map(str, returned)))}" if returned else "an empty dict"
    return f"{type(returned).__name__} {short(returned)}"
