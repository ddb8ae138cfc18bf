"""Every fault of a task at once, each with its key and the fix.

`Task` is a pydantic model; these functions do what pydantic's own messages cannot: name the nearest legal
key or value, compare fields, and name the keys as the file has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import numpy as np
from pydantic import BaseModel, ValidationError

from tunesmith.budget import Budget
from tunesmith.errors import DataError, InvalidConfiguration, Problem, SpaceError, TaskError, short
from tunesmith.problem import STATED_FAULT
from tunesmith.registry import PROBLEMS
from tunesmith.space import Space
from tunesmith.space.documents import entries, read_parameter
from tunesmith.task.command import faults_of
from tunesmith.task.fixes import near_path, pydantic_fix, space_fix
from tunesmith.task.member import ProblemChoice
from tunesmith.task.specs import Confirm, ObjectiveSpec
from tunesmith.text.durations import parse_duration
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Configuration

DURATIONS = {"wall_time": "wall_time_s", "trial_time": "trial_time_s"}
"""Keys of a file's budget, and the fields of `Budget` that they fill."""
_EXAMPLES = {
    "cost": "Write arithmetic over numeric parameters, such as `cost: epochs * width / 1000`.",
    "metric": "Write the name of the value to optimise, such as `metric: val_accuracy`.",
    "direction": "Write `direction: maximize` or `direction: minimize`.",
    "space": "Write the parameters, such as `space: {lr: {type: float, low: 1e-5, high: 1e-1, scale: log}}`.",
    "objective": "Write `objective: train.py:train`, or `objective: {command: 'python train.py --lr {lr}'}`.",
    "confirm": "Write `confirm: {seeds: 5}`.",
    "certify": "Write `certify: {metric: quality, at_least: 0.9, confidence: 0.95}`.",
    "default": "Write the values in use today, such as `default: {lr: 0.001}`.",
    "pruner": "Write `pruner: {kind: forecast}`.",
    "data_file": "Write `data_file: {path: train.csv, target: label}`.",
}


def fault(key: tuple[str, ...], problem: str, fix: str = "") -> TaskError:
    return TaskError(problem, key=".".join(key) or None, fix=fix)


def from_missing(key: str) -> TaskError:
    return fault((key,), "is missing.", _EXAMPLES[key])


def joined(faults: list[TaskError]) -> TaskError:
    """One error with all faults in it."""
    first, *others = faults
    return TaskError(
        first.problem, path=first.path, line=first.line, key=first.key, fix=first.fix, also=tuple(others)
    )


def compiled(data: Mapping[str, Any], as_run: bool = False) -> Mapping[str, Any]:
    """A task's keys with those that its kind of problem fills in.

    Args:
        as_run: Whether they are a run's own, filled in when it was begun: the kind may be another one by now.
    Raises:
        TaskError: There is no such kind, its settings are not legal, or it has no use for the keys.
    """
    if data.get("problem") is None:
        return data
    try:
        choice = ProblemChoice.model_validate(data["problem"])
    except ValidationError as error:
        raise joined(_of_problem(data["problem"], error)) from None
    if as_run and data.get("objective") is not None:
        return data
    keys: Mapping[str, Any] = PROBLEMS.get(choice.name)().compile(choice.settings, data)
    if as_run:  # an objective that was an object of Python is in no file
        return {**data, "objective": keys.get("objective")}
    if keys.get("metrics") is not None and "further" in data:
        # Fields of a task that was read before, such as one that gets another name: `metrics` says them anew.
        derived = [key for key in ("direction", "metric_spec", "further") if keys.get(key) is data.get(key)]
        keys = {key: value for key, value in keys.items() if key not in derived}
    return keys


def _of_problem(given: Any, error: ValidationError) -> list[TaskError]:
    """Every fault of the settings of a kind of problem at its own key; else of the key `problem` itself."""
    if isinstance(given, str):
        given = {"name": given}
    name = given.get("name") if isinstance(given, Mapping) else None
    if isinstance(given, Mapping) and name is None and (meant := _kind_of(given)):
        return [fault(("problem",), "has no `name`.", f"Write `name: {meant}`.")]
    if isinstance(name, str) and name in PROBLEMS.names:
        model = PROBLEMS.get(name).settings
        try:
            model.model_validate({key: value for key, value in given.items() if key != "name"})
        except ValidationError as inner:
            return [translated(item, ("problem",), model) for item in inner.errors()]
    return [translated(item, ("problem",), ProblemChoice) for item in error.errors()]


def _kind_of(settings: Mapping[str, Any]) -> str:
    """The kind of problem of ours that has all of these settings; empty for none."""
    for name in PROBLEMS.names:
        fields = PROBLEMS.get(name).settings.model_fields if PROBLEMS.package_of(name) is None else {}
        if settings and set(settings) <= set(fields):
            return name
    return ""


def prepare(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[TaskError]]:
    """A task's fields with space, default and budget read, and the faults problems in them."""
    prepared = dict(data)
    problems: list[TaskError] = []
    space = prepared.get("space")
    if "space" in prepared and not isinstance(space, Space):
        space, problems = read_space(space)
        prepared["space"] = space
    if prepared.get("default") is not None:
        prepared["default"], faults = _read_default(prepared["default"], space)
        problems += faults
    if "budget" in prepared and not isinstance(prepared["budget"], Budget):
        prepared["budget"], faults = _read_budget(prepared["budget"])
        problems += faults
    if problems:  # what could not be read has a fault of its own, and is kept from pydantic
        for key in ("space", "default", "budget"):
            if prepared.get(key, 0) is None:
                del prepared[key]
    return prepared, problems


def read_space(data: Any) -> tuple[Space | None, list[TaskError]]:
    """A space, or every fault of its parameters and constraints."""
    problems: list[TaskError] = []
    if isinstance(data, Mapping):
        try:
            members = entries(data)
        except SpaceError as error:
            return None, [_in_space(error, data)]
        for name, value in members.items():
            try:
                read_parameter(name, value)
            except SpaceError as error:
                problems.append(_in_space(error, data))
    if problems:
        return None, problems
    try:
        space = Space.from_dict(data)
        space.sample(np.random.default_rng(0))  # whether the constraints leave anything at all
    except SpaceError as error:
        return None, [_in_space(error, data)]
    return space, []


def _in_space(error: SpaceError, space: Any) -> TaskError:
    text = str(error)
    fix = space_fix(error.key, text, space)
    if fix:
        text = text.partition("; did you mean")[0]
    return fault(("space", *error.key), _ended(text), fix)


def _ended(text: str) -> str:
    """A sentence with its end."""
    return text if text.endswith((".", "?")) else f"{text}."


def _read_default(raw: Any, space: Any) -> tuple[Configuration | None, list[TaskError]]:
    if not isinstance(space, Space):
        return None, []  # the space has a fault of its own
    if isinstance(raw, Mapping) and not isinstance(raw, Configuration) and set(raw) == {"values", "digest"}:
        raw = raw if "digest" in space else raw["values"]  # as a dumped model has it
    if not isinstance(raw, Mapping):
        return None, [fault(("default",), f"should be a mapping, got {short(raw)}.", _EXAMPLES["default"])]
    try:
        return space.validate(raw), []
    except InvalidConfiguration as error:
        return None, [_in_default(problem, space) for problem in error.problems]


def _in_default(problem: Problem, space: Space) -> TaskError:
    key = () if problem.kind in ("missing", "constraint") else (problem.key,)
    fix = ""
    if problem.kind == "missing" and problem.key in space:
        drawn = space.sample(np.random.default_rng(0), 64)
        value = next((one[problem.key] for one in drawn if problem.key in one), None)
        shown = "..." if value is None else space.format_value(problem.key, value)
        fix = f"Add the one in use today, such as `{problem.key}: {shown}`."
    elif problem.kind == "out_of_range" and problem.nearest is None:
        fix = "Write one of these, or widen the space."
    elif problem.kind == "wrong_type":
        fix = (
            "Write such a value, without quotes." if isinstance(problem.value, str) else "Write such a value."
        )
    elif problem.kind == "inactive":
        fix = "Remove it."
    return fault(("default", *key), _ended(str(problem)), fix)


def of_data(error: DataError, path: Path) -> TaskError:
    """A fault of the file that `data_file` names, with the nearest one where there is none."""
    if path.is_dir():
        return fault(("data_file", "path"), f"{path} is a folder.", "Name the file in it.")
    if not path.exists():
        return fault(("data_file", "path"), f"{path} is not there.", near_path(path))
    return fault(("data_file",), str(error))


def _read_budget(raw: Any) -> tuple[Budget | None, list[TaskError]]:
    if not isinstance(raw, Mapping):
        return None, [
            fault(("budget",), f"should be a mapping, got {short(raw)}.", "Write `budget: {trials: 30}`.")
        ]
    values: dict[str, Any] = {}
    problems: list[TaskError] = []
    for key, value in raw.items():
        target = DURATIONS[key] if key in DURATIONS else key
        if target in values:
            problems.append(
                fault(("budget", key), f"says the same as `{_written(target, raw)}`.", "Keep one.")
            )
        if key in DURATIONS and value is not None:
            try:
                value = parse_duration(value)
            except ValueError as error:
                problem = f"{error}, got {short(value)}."
                problems.append(fault(("budget", key), problem, f"Write it such as `{key}: 1h30m`."))
                value = None
        values[target] = value
    try:
        budget = Budget.model_validate(values, strict=True)
    except ValidationError as error:
        for item in error.errors():
            place = tuple(_written(str(part), raw) for part in item["loc"][:1]) + item["loc"][1:]
            problems.append(translated({**item, "loc": place}, ("budget",), Budget))
        return None, problems
    return (None if problems else budget), problems


def _written(field: str, raw: Mapping[str, Any]) -> str:
    """The key under which the file has a field."""
    return next((key for key in DURATIONS if DURATIONS[key] == field and key in raw), field)


def from_pydantic(error: ValidationError, model: type[BaseModel], skip: set[str]) -> list[TaskError]:
    """Pydantic's errors as ours, except at the top-level keys in `skip`, reported already."""
    return [
        translated(item, (), model)
        for item in error.errors()
        if str(item["loc"][:1] and item["loc"][0]) not in skip
    ]


def translated(item: Any, above: tuple[str, ...], model: type[BaseModel]) -> TaskError:
    """One of pydantic's errors as ours.

    Args:
        above: Where the mapping that was validated stands in the file.
        model: What it was validated against; names the legal keys.
    """
    place = tuple(str(part) for part in item["loc"])
    loc = (*above, *place)
    kind, value = item["type"], item["input"]
    example = _EXAMPLES.get(".".join(loc), "")
    if kind == STATED_FAULT:
        return fault(loc, item["ctx"]["problem"], item["ctx"]["fix"])
    if kind == "extra_forbidden" and loc == ("kind",):
        return fault(loc, "is not a key of a task file.", f"Write `problem: {{name: {value}, ...}}`.")
    if kind == "extra_forbidden":
        return fault(loc, "is not a key of a task file;", did_you_mean(loc[-1], _keys_at(model, place[:-1])))
    if kind == "missing":
        known = loc[0] in _EXAMPLES and len(loc) == 1
        return from_missing(loc[0]) if known else fault(loc, "is missing.", f"Write `{loc[-1]}: ...`.")
    if kind in ("model_type", "model_attributes_type"):
        return fault(loc, f"should be a mapping, got {short(value)}.", example)
    rule, fix = pydantic_fix(loc, kind, value, item.get("ctx") or {})
    problem = rule or item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    said = isinstance(value, Mapping) or ", got " in problem or short(value) in problem
    says = kind == "value_error" and (isinstance(value, Mapping) or "Write" in problem or "Name " in problem)
    shown = problem if said else f"{problem}, got {short(value)}"
    return fault(loc, _ended(shown), fix or ("" if says else example))


def _keys_at(model: type[BaseModel], place: tuple[str, ...]) -> list[str]:
    """The legal keys of a mapping below one that `model` describes, as a file has them."""
    named = False  # whether the next key is a name of the task's own, in a mapping of name -> model
    for key in place:
        if named:
            named = False
            continue
        field = model.model_fields.get(key)
        parts = () if field is None else (field.annotation, *get_args(field.annotation))
        below = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)), None)
        if below is None:
            return []
        named, model = field is not None and get_origin(field.annotation) is dict, below
    renamed = {field: key for key, field in DURATIONS.items()} if model is Budget else {}
    renamed |= {} if place else {"further": "metrics"}
    return [
        renamed.get(key, field.alias or key)
        for key, field in model.model_fields.items()
        if key not in ("path", "metric_spec") or place
    ]


def across(objective: ObjectiveSpec | None, confirm: Confirm | None, space: Space) -> list[TaskError]:
    """Faults that show only between fields: the placeholders of command lines."""
    problems: list[TaskError] = []
    for key, spec in (("objective", objective), ("confirm", confirm)):
        if spec is not None and spec.command is not None:
            problems += [
                fault((key, "command"), wrong.problem, wrong.fix) for wrong in faults_of(spec.command, space)
            ]
    return problems
