"""The keys of a task that say what is looked for: `metric` and `direction`, or `metrics`, and `limits`.

    metric: val_accuracy                     one metric, with `direction: maximize` beside it
    metric: {name: val_accuracy, take: best}
    metrics: {val_accuracy: maximize, latency_ms: {direction: minimize, regex: 'latency (?P<value>[0-9.]+)'}}
    limits: {latency_ms: "<= 20", params_m: "<= 5"}

The first of `metrics` is the primary one, unless `metric` names another of them. One without a direction is
only measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tunesmith.errors import TaskError, short
from tunesmith.goals import Direction, Limit
from tunesmith.space import Space
from tunesmith.space.values import legal_text
from tunesmith.task.faults import fault, translated
from tunesmith.task.fixes import direction_meant
from tunesmith.task.limits_key import read_limits
from tunesmith.task.metric_spec import FurtherMetric, MetricSpec
from tunesmith.text.suggestions import did_you_mean

METRICS_FIX = "Write `metrics: {val_accuracy: maximize, latency_ms: minimize}`."
METRIC_FIX = "Write `metric: {name: val_accuracy, take: best}`, with the name of the value to optimise."
MOST_OBJECTIVES = 8
"""Of more metrics to optimise nearly every trial is the best one in some: nothing would be learned."""
MOST_METRICS = 50
"""Metrics that a trial must have, those with a limit included."""
_ENTRY = ("direction", *(key for key in MetricSpec.model_fields if key != "name"))


def read_goals(fields: dict[str, Any]) -> list[TaskError]:
    """Turn `metrics`, `metric` and `limits` into `metric`, `direction`, `metric_spec`, `further`, `limits`.

    With several metrics to optimise `pruner` is none where it is not stated.

    Args:
        fields: A task's keys, the space read already; changed in place. What has a fault is left out.
    Returns:
        The faults found.
    """
    space = fields.get("space")
    parameters = space.names if isinstance(space, Space) else ()
    several = fields.get("metrics") is not None
    problems = _read_metrics(fields, parameters) if several else _read_metric(fields)
    fields.pop("metrics", None)
    others = fields.get("further")
    others = others if isinstance(others, list | tuple) else ()
    further = [one for one in others if isinstance(one, FurtherMetric)]
    directions: dict[str, Direction | None] = {one.name: one.direction for one in further}
    if fields.get("direction") in ("maximize", "minimize"):
        directions[str(fields.get("metric"))] = fields["direction"]
    limits, wrong = read_limits(fields.pop("limits", None), directions.get)
    fields["limits"] = tuple(limits)
    if fields.get("pruner") is None and any(one.direction is not None for one in further):
        fields["pruner"] = {"kind": "none"}
    return [*problems, *wrong, *_across(fields, directions, limits, parameters)]


def _read_metrics(fields: dict[str, Any], parameters: Sequence[str]) -> list[TaskError]:
    given = fields["metrics"]
    if not isinstance(given, Mapping) or not given:
        return [fault(("metrics",), *_no_mapping(given))]
    problems: list[TaskError] = []
    for key in ("metric_spec", "further"):
        if fields.get(key):
            problems.append(fault((key,), "is said by `metrics` already.", "Remove it."))
    found: list[FurtherMetric] = []
    for name, how in given.items():
        entry, wrong = _entry(name, how)
        problems += wrong
        if isinstance(name, str) and name in parameters:
            problem = "is a hyperparameter of the space as well, so that nobody could tell the two apart."
            problems.append(fault(("metrics", name), problem, "Report the metric by another name."))
        if entry is not None:
            found.append(entry)
            problems += _shared_file(entry.spec, ("metrics", entry.name, "file"), fields)
    objectives = [one for one in found if one.direction is not None]
    if len(objectives) > MOST_OBJECTIVES:
        problem = (
            f"has {len(objectives)} metrics to optimise, and at most {MOST_OBJECTIVES} can be: of more, "
            "nearly every trial is the best in some way."
        )
        fix = "Leave the direction of some out (`NAME: {}`), and set a limit to them."
        problems.append(fault(("metrics",), problem, fix))
    if not problems and not objectives:
        problem = "only has metrics that are measured, and none to optimise."
        problems.append(fault(("metrics",), problem, f"Write `{found[0].name}: maximize`, or `minimize`."))
    problems += _primary(fields, found, list(given))
    return problems


def _primary(fields: dict[str, Any], found: Sequence[FurtherMetric], names: Sequence[Any]) -> list[TaskError]:
    """Set the primary metric and the others, as far as they can be told; faults of these keys."""
    problems = []
    objectives = [one for one in found if one.direction is not None]
    named = fields.get("metric")
    first = objectives[0] if objectives else None
    if isinstance(named, Mapping):
        problem = "is a mapping, and `metrics` says how each of its metrics is read."
        fix = "Write the name, and in `metrics` such as `val_accuracy: {direction: maximize, take: best}`."
        problems.append(fault(("metric",), problem, fix))
    elif named is not None and named not in [one.name for one in objectives]:
        if named in names and not any(one.name == named and one.direction is None for one in found):
            first = None  # it has a fault of its own
        else:
            measured = f"is only measured by `metrics`, got {short(named)}."
            problem = measured if named in names else f"should be one of `metrics`, got {short(named)}."
            names_of = [one.name for one in objectives]
            hint = did_you_mean(named, names_of)
            listed = f"one of {', '.join(names_of)}." if names_of else "one with a direction."
            fix = f"Name the one to show and to stop by: {hint if hint.endswith('?') else listed}"
            problems.append(fault(("metric",), problem, fix))
    elif named is not None:
        first = next(one for one in objectives if one.name == named)
    agrees = first is not None and fields.get("direction") == first.direction
    if fields.get("direction") is not None and not (agrees and fields.get("problem") is not None):
        problems.append(fault(("direction",), "is said by `metrics` already.", "Remove it."))
    for key in ("metric", "direction", "metric_spec", "further"):
        fields.pop(key, None)
    if first is not None:
        fields |= {
            "metric": first.name,
            "direction": first.direction,
            "metric_spec": None if first.spec.plain else first.spec,
            "further": tuple(one for one in found if one is not first),
        }
    return problems


def _entry(name: Any, how: Any) -> tuple[FurtherMetric | None, list[TaskError]]:
    """One of `metrics`."""
    key = ("metrics", str(name))
    if not (isinstance(name, str) and legal_text(name, 100)):
        return None, [
            fault(key, f"should be a short name such as `val_accuracy`, got {short(name)}.", METRICS_FIX)
        ]
    if not isinstance(how, Mapping):
        wrong = _direction_fault(key, name, how)
        if wrong is not None:
            return None, [wrong]
        return FurtherMetric(spec=MetricSpec(name=name), direction=how), []
    problems = []
    stated = {str(k): value for k, value in how.items() if str(k) in _ENTRY}
    for other in (str(k) for k in how if str(k) not in _ENTRY):
        fix = did_you_mean(other, _ENTRY)
        if other in ("limit", "limits", "bound"):
            fix = f'limits are a key of the task: `limits: {{{name}: "<= 20"}}`.'
        problems.append(fault((*key, other), "is not a key of a metric;", fix))
    direction = stated.pop("direction", None)
    if direction is not None and (wrong := _direction_fault((*key, "direction"), "direction", direction)):
        problems.append(wrong)
    try:
        spec = MetricSpec.model_validate({**stated, "name": name})
    except ValidationError as error:
        problems += [translated(item, key, MetricSpec) for item in error.errors()]
    return (None, problems) if problems else (FurtherMetric(spec=spec, direction=direction), [])


def _direction_fault(key: tuple[str, ...], name: str, given: Any) -> TaskError | None:
    if isinstance(given, str) and given in ("maximize", "minimize"):
        return None
    if given is None:
        problem = "does not say which way is better."
        fix = f"Write `{name}: maximize` or `{name}: minimize`; `{name}: {{}}` only measures it, for a limit."
        return fault(key, problem, fix)
    meant = direction_meant(given) if isinstance(given, str) else ""
    fix = f"Write `{name}: {meant or 'maximize'}`{'' if meant else f' or `{name}: minimize`'}."
    return fault(key, f"should be 'maximize' or 'minimize', got {short(given)}.", fix)


def _no_mapping(given: Any) -> tuple[str, str]:
    """What is wrong with `metrics` that is no mapping, and what to write."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    if names and all(isinstance(name, str) and legal_text(name, 40) for name in names[:6]):
        shown = ", ".join(f"{name}: maximize" for name in names[:6])
        problem = f"says names without which way is better, got {short(given)}."
        return problem, f"Write `metrics: {{{shown}}}`, with `minimize` where less is better."
    return f"should map the names of metrics to `maximize` or `minimize`, got {short(given)}.", METRICS_FIX


def _across(
    fields: Mapping[str, Any],
    directions: Mapping[str, Any],
    limits: Sequence[Limit],
    parameters: Sequence[str],
) -> list[TaskError]:
    """Faults that show only between the keys."""
    problems = []
    limited = list(dict.fromkeys(limit.metric for limit in limits))
    for name in limited:
        if name in parameters and name not in directions:
            problem = "is a hyperparameter of the space, which is known before a trial, and not a metric."
            problems.append(
                fault(("limits", name), problem, "Narrow its range, or write a constraint in `space`.")
            )
    count = len({*directions, *limited})
    if count > MOST_METRICS:
        where = "metrics" if len(directions) > MOST_METRICS else "limits"
        problem = f"makes {count} metrics that every trial must have, and there can be {MOST_METRICS}."
        problems.append(fault((where,), problem, "Remove some."))
    return problems


def _read_metric(fields: dict[str, Any]) -> list[TaskError]:
    """Turn a mapping at `metric` into the name, and the rest at `metric_spec`; returns the faults of it."""
    given = fields.get("metric")
    if not isinstance(given, Mapping):
        return []
    del fields["metric"]
    try:
        spec = MetricSpec.model_validate(dict(given))
    except ValidationError as error:
        found = [translated(item, ("metric",), MetricSpec) for item in error.errors()]
        return [
            TaskError(f.problem, key=f.key, fix=METRIC_FIX if f.key == "metric.name" else f.fix)
            for f in found
        ]
    fields |= {"metric": spec.name, "metric_spec": None if spec.plain else spec}
    return _shared_file(spec, ("metric", "file"), fields)


def _shared_file(spec: MetricSpec, key: tuple[str, ...], fields: Mapping[str, Any]) -> list[TaskError]:
    """The fault of a file that trials at the same time would all write."""
    workers = fields.get("workers", 1)
    if spec.file is None or "{" in spec.file or not isinstance(workers, int) or workers <= 1:
        return []
    problem = f"is written by each trial, and {workers} run at a time."
    fix = "Let the script write to its own, such as `file: '{checkpoint_dir}/results.json'`."
    return [fault(key, problem, fix)]
