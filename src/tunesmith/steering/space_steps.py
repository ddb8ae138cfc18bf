"""Changes of a search space by a command: a frozen value, fewer or more values, further choices.

A hyperparameter keeps its name and place, so that what was tried stays legal where its value is: a frozen one
has a range of one value, and the training code is given it as before. One that can never apply any more goes
with the option that it depends on, from the command line as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from tunesmith.argv import slots
from tunesmith.commands import AddChoice, Freeze, Narrow, Widen
from tunesmith.errors import InvalidConfiguration, SpaceError, short
from tunesmith.history import History
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Parameter, Space
from tunesmith.space.choices import Listed
from tunesmith.space.values import is_number, show
from tunesmith.steering.faults import CannotSteer
from tunesmith.steering.naming import legal_value, parameter_named
from tunesmith.task import Task
from tunesmith.task.command import CommandFault, expanded, faults_of
from tunesmith.trial import Configuration

SpaceCommand = Freeze | Narrow | Widen | AddChoice


@dataclass(frozen=True)
class Step:
    """A task whose space was changed by a command."""

    task: Task
    command: SpaceCommand
    text: str
    told: tuple[str, ...] = ()
    """What follows from it for the default and for hyperparameters that depend on others."""


def steps(task: Task, command: SpaceCommand, history: History) -> Step:
    """The task with its space changed.

    Raises:
        CannotSteer: It cannot be; says why, and what can.
    """
    if task.problem is not None and task.problem.name != "training":
        raise CannotSteer(
            f"The space of this run is made by its problem ({task.problem.name}) and stays whole: change the "
            "`problem` part of the task file, and run it again."
        )
    name = parameter_named(task.space, command.parameter)
    old = task.space.parameters[name]
    command = command.model_copy(update={"parameter": name})
    try:
        match command:
            case Freeze():
                value = _value_to_freeze(name, old, command, history)
                command, new = command.model_copy(update={"value": value}), _frozen(old, value)
            case Narrow():
                new = _narrowed(name, old, command)
            case Widen():
                new = _widened(name, old, command)
            case AddChoice():
                new = _with_choices(name, old, command)
        if new == old:
            raise CannotSteer(f"{name} is {old.describe()} already.")
        space, dropped = replaced(task.space, name, new)
        space.sample(np.random.default_rng(0), 1)
    except SpaceError as error:
        raise CannotSteer(f"{name} cannot be changed so: {error}.") from error
    told = [f"{other} does not apply any more" for other in dropped]
    commands = _without(task, dropped, space)
    default, said = _default(task.default, space)
    changed = task.model_copy(update={"space": space, "default": default, **commands})
    return Step(changed, command, f"{name}: {_briefly(old)} is now {_briefly(new)}", (*told, *said))


def replaced(space: Space, name: str, new: Parameter) -> tuple[Space, tuple[str, ...]]:
    """The space with another parameter of a name, and those that went because they never apply any more.

    Raises:
        SpaceError: It cannot be.
    """
    kept: dict[str, Parameter] = {}
    for other in space.order:
        parameter = new if other == name else space.parameters[other]
        when: dict[str, Any] = {}
        for parent, wanted in space.conditions.get(other, {}).items():
            legal = () if parent not in kept else [v for v in wanted if kept[parent].check(parent, v) is None]
            if not legal:
                break
            when[parent] = legal[0] if len(legal) == 1 else tuple(legal)
        else:
            kept[other] = replace(parameter, when=when or None)  # type: ignore[type-var]
    dropped = tuple(other for other in space.names if other not in kept)
    constraints = [c.text for c in space.parsed_constraints if not set(c.names) & set(dropped)]
    made = Space({other: kept[other] for other in space.names if other in kept}, constraints)
    return made.restricted(space.why_not_run), dropped


def _value_to_freeze(name: str, parameter: Parameter, command: Freeze, history: History) -> Any:
    if command.value is not None:
        return legal_value(name, parameter, command.value)
    best = history.incumbent
    if best is None:
        raise CannotSteer(f"No trial has completed yet, so say which value {name} is to have.")
    if name not in best.configuration:
        raise CannotSteer(
            f"{name} does not apply to the best trial ({best.number}): say which value it is to have."
        )
    return best.configuration[name]


def _frozen(parameter: Parameter, value: Any) -> Parameter:
    if isinstance(parameter, Float | Int):
        return replace(parameter, low=value, high=value)
    assert isinstance(parameter, Listed)
    return _listing(parameter, [parameter.original(value)])


def _listing(parameter: Listed, originals: Sequence[Any]) -> Parameter:
    """A parameter of the same kind with these choices; true or false with one of them is a categorical."""
    if isinstance(parameter, Ordinal):
        return replace(parameter, values=list(originals))
    if isinstance(parameter, Categorical):
        return replace(parameter, choices=list(originals))
    return parameter if len(originals) == 2 else Categorical(list(originals), when=parameter.when)


def _narrowed(name: str, old: Parameter, command: Narrow) -> Parameter:
    if isinstance(old, Float | Int):
        low, high = _bounds(name, old, command)
        inside = [v for v in (low, high) if not old.low <= v <= old.high]
        if inside:
            raise CannotSteer(
                f"{name} is {old.describe()}, and {show(inside[0])} is outside: /widen makes a range larger."
            )
        return _on_range(name, old, low, high)
    assert isinstance(old, Listed)
    if command.choices:
        kept = {legal_value(name, old, choice) for choice in command.choices}
        return _listing(old, [o for o, v in zip(old.originals, old.listed, strict=True) if v in kept])
    if not isinstance(old, Ordinal) or not old.numeric:
        raise CannotSteer(f"{name} is {old.describe()}: say which of them to keep.")
    low, high = _bounds(name, old, command)
    numbers = [v for v in old.listed if isinstance(v, int | float) and low <= v <= high]
    if not numbers:
        raise CannotSteer(
            f"{name} is {old.describe()}, and none of them is within {show(low)} to {show(high)}."
        )
    return _listing(old, [o for o, v in zip(old.originals, old.listed, strict=True) if v in numbers])


def _widened(name: str, old: Parameter, command: Widen) -> Parameter:
    if not isinstance(old, Float | Int):
        raise CannotSteer(f"{name} is {old.describe()}: /add gives it further choices.")
    low, high = _bounds(name, old, command)
    if low > old.low or high < old.high:
        raise CannotSteer(
            f"{name} is {old.describe()}, and {show(low)} to {show(high)} leaves some of it out: /narrow "
            "makes a range smaller."
        )
    return _on_range(name, old, low, high)


def _bounds(name: str, old: Parameter, command: Narrow | Widen) -> tuple[float, float]:
    """Both ends; the one that the command leaves out stays."""
    if isinstance(command, Narrow) and command.choices:
        raise CannotSteer(f"{name} is {old.describe()}: give it a range, such as `{_example(old)}`.")
    if command.low is None and command.high is None:
        raise CannotSteer(f"{name} is {old.describe()}: say from where to where, such as `{_example(old)}`.")
    ends = [v for v in getattr(old, "listed", ()) if is_number(v)] or [old.low, old.high]  # type: ignore[attr-defined]
    low = min(ends) if command.low is None else command.low
    high = max(ends) if command.high is None else command.high
    if low > high:
        raise CannotSteer(
            f"{name}: {show(low)} to {show(high)} is no range, the first end has to be the lower one."
        )
    return low, high


def _example(parameter: Parameter) -> str:
    ends = [show(getattr(parameter, key)) for key in ("low", "high") if hasattr(parameter, key)]
    return "..".join(ends) if ends else "16..64"


def _on_range(name: str, old: Float | Int, low: float, high: float) -> Parameter:
    """The parameter between two bounds; on steps, between the first and the last of them within."""
    step = old.step
    if step is not None:
        origin, size = _exact(old.low), _exact(step)
        first, last = math.ceil((_exact(low) - origin) / size), math.floor((_exact(high) - origin) / size)
        low, high = float(origin + first * size), float(origin + last * size)
    if low > high:
        raise CannotSteer(f"{name} is {old.describe()}, and none of its values lies in that range.")
    if isinstance(old, Int):
        return replace(old, low=int(low), high=int(high))
    return replace(old, low=float(low), high=float(high))


def _exact(number: float) -> Fraction:
    """A number as its decimals say."""
    return Fraction(repr(number))


def _with_choices(name: str, old: Parameter, command: AddChoice) -> Parameter:
    if isinstance(old, Float | Int):
        raise CannotSteer(f"{name} is {old.describe()}, without choices: /widen makes its range larger.")
    if isinstance(old, Bool):
        raise CannotSteer(f"{name} is {old.describe()}; there is no third value.")
    assert isinstance(old, Categorical | Ordinal)
    given = list(old.originals)
    added = [_like(name, old, choice) for choice in command.choices]
    new = [c for c in added if old.check(name, c) is not None]
    if not command.choices:
        raise CannotSteer(f"Say which choices {name} is to have besides {old.describe()}.")
    if not new:
        raise CannotSteer(f"{name} has that choice already: it is {old.describe()}.")
    if isinstance(old, Ordinal):
        if not (old.numeric and all(map(is_number, new))) or list(given) != sorted(given):
            raise CannotSteer(
                f"{name} is {old.describe()}: say in the task file where among them another value belongs."
            )
        return _listing(old, sorted([*given, *new]))
    return _listing(old, [*given, *new])


def _like(name: str, old: Listed, choice: Any) -> Any:
    """A choice as a value of the kind that the others are."""
    texts = any(isinstance(value, str) for value in old.originals)
    if isinstance(choice, str) and not texts and old.numeric:
        for read in (int, float):
            try:
                return read(choice)
            except ValueError:
                continue
        raise CannotSteer(f"{name} is {old.describe()}, and {short(choice)} is no number.")
    if is_number(choice) and texts and not any(is_number(value) for value in old.originals):
        return show(choice)
    return choice


def _default(default: Configuration | None, space: Space) -> tuple[Configuration | None, list[str]]:
    """The default in a changed space: as it was, moved to what is legal, or none; and what to say of it."""
    if default is None:
        return None, []
    values: dict[str, Any] = {}
    moved = []
    for name in space.order:
        if not space.is_active(name, values):
            continue
        parameter = space.parameters[name]
        value: Any = default.get(name)
        if value is None:
            value = parameter.from_unit(0.5)
            moved.append(f"{name}={parameter.format(value)}")
        elif parameter.check(name, value) is not None:
            near: Any = parameter.nearest(value) if isinstance(parameter, Float | Int) else None
            if isinstance(parameter, Ordinal) and parameter.numeric and is_number(value):
                near = parameter.nearest(value)
            if near is None and parameter.size == 1:
                near = parameter.from_unit(0.5)
            if near is None:
                return None, [f"the default ({name}={short(value)}) is outside it, so there is none any more"]
            moved.append(f"{name}={parameter.format(near)}")
            value = near
        values[name] = parameter.canonical(value)
    try:
        made = space.validate(values)
    except InvalidConfiguration as error:
        return None, [f"the default is no configuration of it ({error}), so there is none any more"]
    return made, [f"the default has {', '.join(moved)} now"] if moved else []


def _without(task: Task, dropped: Sequence[str], space: Space) -> dict[str, Any]:
    """The task's command lines without hyperparameters that went, as fields to change."""
    changed: dict[str, Any] = {}
    for key in ("objective", "confirm") if dropped else ():
        spec = getattr(task, key)
        if spec is None or spec.command is None:
            continue
        command = _shortened(spec.command, dropped, task.space)
        if faults := faults_of(command, space):
            raise CannotSteer(
                f"{', '.join(dropped)} would not apply any more, and the {key} command needs it: {faults[0]}"
            )
        changed[key] = spec.model_copy(update={"command": tuple(command)})
    return changed


def _shortened(command: Sequence[str], dropped: Sequence[str], space: Space) -> list[str]:
    """A command line without arguments that name these, and without options that have no other value."""
    gone = {i for i, argument in enumerate(command) if _names(argument, space) & set(dropped)}
    for place in sorted(gone):
        before = place - 1
        if before <= 0 or not _is_option(command[before]) or _is_option(command[place]):
            continue
        after = next((i for i in range(place, len(command)) if i not in gone), len(command))
        if after == len(command) or _is_option(command[after]):
            gone.add(before)
    return [argument for i, argument in enumerate(command) if i not in gone]


def _is_option(argument: str) -> bool:
    return argument.startswith(("-", "{-"))


def _names(argument: str, space: Space) -> set[str]:
    try:
        return {slot.name for text in expanded(argument, space) for slot in slots(text)}
    except CommandFault:
        return set()


def _briefly(parameter: Parameter) -> str:
    if isinstance(parameter, Float | Int):
        if parameter.low == parameter.high:
            return show(parameter.low)
        return f"{show(parameter.low)} to {show(parameter.high)}"
    assert isinstance(parameter, Listed)
    return ", ".join(map(parameter.format, parameter.listed[:12])) + (
        ", ..." if len(parameter.listed) > 12 else ""
    )


def values_of(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Each hyperparameter with its values, briefly: `1e-05 to 0.1`, `adam, sgd`."""
    return {name: _briefly(parameter) for name, parameter in parameters.items()}
