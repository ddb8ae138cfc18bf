"""What a command means for the task of a run: a changed task and a sentence, or why it cannot be followed.

Pure: the engine carries out what is said here, and a terminal shows it beforehand by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.budget import Budget
from tunesmith.commands import AddChoice, ChangeBudget, Freeze, Narrow, SetPrior, Widen
from tunesmith.errors import short
from tunesmith.history import History
from tunesmith.space import Space
from tunesmith.steering import space_steps
from tunesmith.steering.faults import CannotSteer
from tunesmith.steering.priors import settled
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, LeftOut, carried
from tunesmith.text.durations import spelled_duration
from tunesmith.text.numbers import numbered, readable
from tunesmith.trial import Value

TaskCommand = ChangeBudget | Freeze | Narrow | Widen | AddChoice | SetPrior
"""Commands that change the task of a run, or what is believed of it; each can be taken back."""


@dataclass(frozen=True)
class TaskChange:
    """A command, worked out for a task."""

    task: Task
    command: TaskCommand
    """The same command with nothing left open, such as the value of the best trial."""
    text: str
    """What is changed, one line, such as `lr: 1e-05 to 0.1 is now 0.0001 to 0.01`."""
    left: tuple[int, ...] = ()
    """Trials whose configuration is not legal any more: history, of which nothing is learned."""

    @property
    def space(self) -> bool:
        """Whether the search space is another one."""
        return isinstance(self.command, Freeze | Narrow | Widen | AddChoice)


def applied(task: Task, command: TaskCommand, history: History) -> TaskChange:
    """The task after a command.

    Args:
        history: The trials so far; they say what the best value is, and which trials stay legal.
    Raises:
        CannotSteer: The command cannot be followed; says why, and what can.
    """
    if isinstance(command, ChangeBudget):
        return _budget(task, command, history)
    if isinstance(command, SetPrior):
        prior, text = settled(task.space, command)
        return TaskChange(task, prior, text)
    step = space_steps.steps(task, command, history)
    left = no_longer_legal(task, step.task, history)
    clauses = [step.text, *step.told]
    if left:
        clauses.append(
            f"{numbered('trial', left)} {'is' if len(left) == 1 else 'are'} outside it from now on"
        )
    return TaskChange(step.task, step.command, "; ".join(clauses), left)


def no_longer_legal(before: Task, now: Task, history: History) -> tuple[int, ...]:
    """Numbers of the trials of `before` that have no counterpart in the space of `now`."""
    epochs = (Epoch.of(before, 1, 0), Epoch.of(now, 2, 0))
    left = []
    for trial in history:
        try:
            carried(trial.configuration, epochs)
        except LeftOut:
            left.append(trial.number)
    return tuple(left)


def filled(
    values: Mapping[str, Any], space: Space, best: Mapping[str, Value] | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A configuration with what `values` lacks, and the names of what was filled in.

    Each missing value is that of `best`, or the middle of the range where `best` has none that is legal.
    What `values` gives is kept as it is, be it legal or not: `Space.validate` judges it.
    """
    found: dict[str, Any] = dict(values)
    legal: dict[str, Any] = {}
    added = []
    for name in space.order:
        parameter = space.parameters[name]
        if not space.is_active(name, legal):
            continue
        if name not in found:
            value = None if best is None else best.get(name)
            usable = value is not None and parameter.check(name, value) is None
            found[name] = value if usable else parameter.from_unit(0.5)
            added.append(name)
        if parameter.check(name, found[name]) is None:
            legal[name] = parameter.canonical(found[name])
    ordered = {name: found[name] for name in space.names if name in found}
    return ordered | {k: v for k, v in found.items() if k not in ordered}, tuple(added)


def _budget(task: Task, command: ChangeBudget, history: History) -> TaskChange:
    budget, told = task.budget, list[str]()
    if command.trials is not None and command.more_trials is not None:
        raise CannotSteer("The number of trials is given twice: as a total, and as how many more.")
    changes: dict[str, Any] = {}
    trials = command.trials
    if command.more_trials is not None:
        trials = budget.trials + command.more_trials
        if trials < 1:
            raise CannotSteer(f"The budget is {budget.trials} trials; at least 1 has to be left of it.")
    if trials is not None:
        changes["trials"] = trials
    if command.cost is not None and task.cost is None and task.problem is None:
        raise CannotSteer("What a trial costs is not known in this run: the task has no `cost`.")
    for key in ("wall_time_s", "cost", "target", "patience"):
        if getattr(command, key) is not None:
            changes[key] = getattr(command, key)
    caps = {
        key: getattr(command, f"model_{key}")
        for key in ("calls", "tokens", "dollars")
        if getattr(command, f"model_{key}") is not None
    }
    for key, value in changes.items():
        if getattr(budget, key) != value:
            told.append(
                f"{_BUDGET_WORDS[key]}: {_amount(key, getattr(budget, key))} is now {_amount(key, value)}"
            )
    for key, value in caps.items():
        if getattr(budget.model, key) != value:
            was = getattr(budget.model, key)
            told.append(f"model {key}: {'no limit' if was is None else was} is now {readable(value)}")
    if not told:
        given = changes or caps
        raise CannotSteer(
            "That is the budget already." if given else "What of the budget is to change is not said."
        )
    model = budget.model.model_copy(update=caps) if caps else budget.model
    new: Budget = budget.model_copy(update={**changes, "model": model})
    if "trials" in changes and history.paid >= new.trials:
        told.append(f"{history.paid} have been started, so none starts any more")
    return TaskChange(task.model_copy(update={"budget": new}), command, "; ".join(told))


_BUDGET_WORDS = {
    "trials": "trials",
    "wall_time_s": "time",
    "cost": "cost",
    "target": "target",
    "patience": "patience",
}


def _amount(key: str, value: Any) -> str:
    if value is None:
        return "none" if key in ("target", "patience") else "no limit"
    if key == "wall_time_s":
        return spelled_duration(value)
    return (
        str(value)
        if isinstance(value, int)
        else readable(value)
        if isinstance(value, float)
        else short(value)
    )
