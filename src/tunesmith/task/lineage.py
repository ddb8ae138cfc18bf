"""The search spaces that a run has had, and which of its trials are legal in the one of now.

A person may change the space of a run between two sessions. Each time a new `Epoch` begins. A trial of an
earlier one is carried over where its configuration is legal now: a hyperparameter that is new has to have
had a known value then, and one that is gone to have the value that it is known to have now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field

from tunesmith.errors import InvalidConfiguration, short
from tunesmith.space import Space
from tunesmith.space.parameter import Parameter
from tunesmith.task.changes import literal_value
from tunesmith.task.task import Task
from tunesmith.trial import Configuration, Frozen, Value


class Epoch(Frozen):
    """What a run's task said of hyperparameters from one trial on."""

    version: int = Field(ge=1)
    """Which of the run's spaces, counted from 1 in order of their first use."""
    first_trial: int = Field(ge=0)
    """Number of the first trial of this epoch."""
    space: Space
    default: dict[str, Any] | None = None
    fixed: dict[str, Any] = {}
    command: tuple[str, ...] = ()
    """The training code's command line; empty for a function."""

    @classmethod
    def of(cls, task: Task, version: int, first_trial: int) -> Epoch:
        command = None if task.objective is None else task.objective.command
        return cls(
            version=version,
            first_trial=first_trial,
            space=task.space.restricted(None),
            default=None if task.default is None else dict(task.default),
            fixed=dict(task.fixed),
            command=command or (),
        )

    def says_the_same(self, other: Epoch) -> bool:
        """Whether nothing but the numbers differs."""
        numbers = {"version": 1, "first_trial": 0}
        return self.model_copy(update=numbers) == other.model_copy(update=numbers)


_UNKNOWN: Any = object()


class LeftOut(Exception):
    """A trial that stays history: its configuration does not exist in the space of now. Says why."""


class Lineage:
    """All epochs of a run, the one of now last.

    Attributes:
        epochs: In order; never empty.
    """

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        self.epochs = tuple(epochs)

    @classmethod
    def begun(cls, task: Task) -> Lineage:
        """That of a run whose task never changed."""
        return cls([Epoch.of(task, 1, 0)])

    def continued(self, task: Task, next_trial: int) -> Lineage:
        """With an epoch for `task` from trial `next_trial` on, where it says anything new."""
        now = self.epochs[-1]
        if Epoch.of(task, 1, 0).says_the_same(now):
            return self
        known = {epoch.space: epoch.version for epoch in self.epochs}
        version = known.get(task.space, max(known.values()) + 1)
        return Lineage([*self.epochs, Epoch.of(task, version, next_trial)])

    @property
    def version(self) -> int:
        """That of the space of now."""
        return self.epochs[-1].version

    @cached_property
    def changed(self) -> bool:
        """Whether the run has ever had another space."""
        return len({epoch.version for epoch in self.epochs}) > 1

    def epoch_of(self, number: int) -> Epoch:
        """The epoch in which trial `number` was started."""
        return next(e for e in reversed(self.epochs) if e.first_trial <= number or e is self.epochs[0])

    def carried(self, number: int, configuration: Configuration) -> Configuration:
        """A trial's configuration in the space of now.

        Raises:
            LeftOut: It has none.
        """
        place = self.epochs.index(self.epoch_of(number))
        return carried(configuration, self.epochs[place:])


def carried(
    values: Mapping[str, Value], epochs: Sequence[Epoch], names: Collection[str] | None = None
) -> Configuration:
    """Values of one space as a configuration of another.

    Args:
        epochs: From that of the values to that of now.
        names: The hyperparameters there were; None for those of the first epoch.
    Raises:
        LeftOut: They have no counterpart there.
    """
    then, now = epochs[0], epochs[-1]
    if then.space == now.space and isinstance(values, Configuration) and names is None:
        return values
    names = then.space.names if names is None else names
    left = dict(values)
    for name in [name for name in left if name not in now.space]:
        value = left.pop(name)
        current = _current(name, epochs) if name in names else _UNKNOWN
        if current is _UNKNOWN:
            raise LeftOut(
                f"{name} is not tuned any more, and what it is now is not known (say it in `fixed`)"
            )
        if current != value:
            raise LeftOut(f"{name} was {_shown(then, name, value)} and is {short(current)} for good now")
    legal: dict[str, Any] = {}
    for name in now.space.order:
        parameter = now.space.parameters[name]
        if not now.space.is_active(name, legal):
            # A parameter that applies no more was without effect, or its parent would not be legal.
            left.pop(name, None)
            continue
        if name in left:
            legal[name] = _as_kind(parameter, left.pop(name))
        else:
            if name in names:
                raise LeftOut(f"{name} did not apply to it, and does now")
            value = _earlier(name, parameter, epochs)
            if value is _UNKNOWN:
                raise LeftOut(f"{name} is new, and what it was then is not known (give the task a default)")
            legal[name] = value
        if parameter.check(name, legal[name]) is not None:
            shown = _shown(then, name, legal[name])
            raise LeftOut(f"{name}={shown} is outside the space ({parameter.describe()})")
        legal[name] = parameter.canonical(legal[name])
    try:
        return now.space.validate(legal)
    except InvalidConfiguration as error:
        raise LeftOut(str(error)) from error


def legal_from_text(parameter: Parameter, text: str) -> Any:
    """The legal value that a text stands for, or the text itself where it stands for none."""
    candidates: list[Any] = [text]
    for read in (int, float):
        try:
            candidates.append(read(text))
        except ValueError:
            continue
    candidates += [{"true": True, "false": False}.get(text.casefold(), text)]
    candidates += [int(n) for n in candidates if isinstance(n, float) and n.is_integer() and abs(n) < 2**53]
    if text.casefold() in ("none", "null"):
        candidates.append(None)
    return next((parameter.canonical(v) for v in candidates if parameter.check("", v) is None), text)


def _earlier(name: str, parameter: Parameter, epochs: Sequence[Epoch]) -> Any:
    """The value of a hyperparameter that was not tuned then: fixed, in the command, or the default."""
    then, now = epochs[0], epochs[-1]
    if name in then.fixed:
        return _as_kind(parameter, then.fixed[name])
    later = next((epoch for epoch in epochs if name in epoch.space), now)
    text = literal_value(then.command, later.command, name)
    if text is not None:
        return legal_from_text(parameter, text)
    stated = (epoch.default for epoch in epochs[1:] if epoch.default is not None)
    return next((_as_kind(parameter, default[name]) for default in stated if name in default), _UNKNOWN)


def _current(name: str, epochs: Sequence[Epoch]) -> Any:
    """What a hyperparameter that is not tuned any more has for a value now."""
    now = epochs[-1]
    if name in now.fixed:
        parameter = epochs[0].space.parameters.get(name)
        return now.fixed[name] if parameter is None else _as_kind(parameter, now.fixed[name])
    earlier = [epoch for epoch in epochs if name in epoch.space]
    for epoch in reversed(earlier):
        text = literal_value(now.command, epoch.command, name)
        if text is not None:
            return legal_from_text(epoch.space.parameters[name], text)
    stated = (epoch.default for epoch in reversed(earlier) if epoch.default is not None)
    return next((default[name] for default in stated if name in default), _UNKNOWN)


def _shown(then: Epoch, name: str, value: Any) -> str:
    parameter = then.space.parameters.get(name)
    known = parameter is not None and parameter.check(name, value) is None
    return parameter.format(value)[:80] if parameter is not None and known else short(value)


def _as_kind(parameter: Parameter, value: Any) -> Any:
    """A value as the parameter's kind of number, where it is the same number."""
    if parameter.check("", value) is None:
        return parameter.canonical(value)
    if isinstance(value, float) and value.is_integer() and parameter.check("", int(value)) is None:
        return parameter.canonical(int(value))
    return value
