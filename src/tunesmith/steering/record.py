"""The changes that people made to the task of a run, in order; kept so that each can be taken back.

    the task as its file says  ->  changes that still count, one after the other  ->  the task as run

Where the file was changed by its author later, that is the newer word: a change of the same thing counts no
more from then on.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from tunesmith.commands import AddChoice, ChangeBudget, Freeze, Narrow, SetPrior, Undo, Widen
from tunesmith.history import History
from tunesmith.space import Space
from tunesmith.steering.applying import TaskChange, applied
from tunesmith.steering.faults import CannotSteer
from tunesmith.task import Task
from tunesmith.trial import Frozen

_Kept = Annotated[
    ChangeBudget | Freeze | Narrow | Widen | AddChoice | SetPrior | Undo, Field(discriminator="kind")
]


class Change(Frozen):
    """One command that changed the task, or took a change back."""

    number: int = Field(ge=1)
    command_id: int = Field(ge=0)
    """Of the command in the run's store; several changes of one approval share it."""
    command: _Kept
    text: str
    started: int = Field(default=0, ge=0)
    """Trials started when it took effect."""
    at: float = 0.0
    """Unix time."""
    undone: int | None = None
    """Of an `Undo`: the change that it took back."""


class Record(Frozen):
    """All changes of a run, those that count no more included."""

    changes: tuple[Change, ...] = ()
    replaced: tuple[int, ...] = ()
    """Numbers of changes that a later change of the task file took the place of."""

    @property
    def active(self) -> tuple[Change, ...]:
        """Those that count."""
        gone = {*self.replaced, *(c.undone for c in self.changes)}
        return tuple(c for c in self.changes if c.number not in gone and not isinstance(c.command, Undo))

    @property
    def priors(self) -> tuple[SetPrior, ...]:
        """What people expect, the latest word on each hyperparameter."""
        found = {c.command.parameter: c.command for c in self.active if isinstance(c.command, SetPrior)}
        return tuple(found.values())

    def with_change(self, change: TaskChange, command_id: int, *, started: int, at: float) -> Record:
        """With a command that was followed."""
        return self._with(change.command, change.text, command_id, started, at, None)

    def with_undo(self, command_id: int, *, started: int, at: float) -> Record:
        """With the latest change that counts taken back.

        Raises:
            CannotSteer: There is none.
        """
        if not self.active:
            raise CannotSteer("Nothing that was changed by a command is left to be taken back.")
        last = self.active[-1]
        text = f"taken back: {last.text.partition(';')[0]}"
        return self._with(Undo(), text, command_id, started, at, last.number)

    def _with(
        self, command: Any, text: str, command_id: int, started: int, at: float, undone: int | None
    ) -> Record:
        change = Change(
            number=len(self.changes) + 1,
            command_id=command_id,
            command=command,
            text=text,
            started=started,
            at=at,
            undone=undone,
        )
        return self.model_copy(update={"changes": (*self.changes, change)})

    def replay(self, given: Task) -> tuple[Task, Record]:
        """The task as run, and the record without changes that cannot be made to `given` any more."""
        task, replaced = given, list(self.replaced)
        for change in self.active:
            assert not isinstance(change.command, Undo)
            try:
                task = applied(task, change.command, _empty(task)).task
            except CannotSteer:
                replaced.append(change.number)
        return task, self.model_copy(update={"replaced": tuple(sorted(set(replaced)))})

    def after(self, before: Task, now: Task) -> Record:
        """Without the changes of what the task file says otherwise now than it did before."""
        said = changed_keys(before, now)
        replaced = {c.number for c in self.active if touched(c) & said}
        return self.model_copy(update={"replaced": tuple(sorted({*self.replaced, *replaced}))})


def without_changes(task: Task, given: Task, run: Task) -> Task:
    """`task` as a file would say it, where it is the task as run, with the changes in it.

    Args:
        given: The task before the changes.
        run: The task as run, from which `task` was read, or not.
    """
    update: dict[str, Any] = {}
    if task.space == run.space and task.space != given.space:
        update = {"space": given.space, "default": given.default}
        update |= {"objective": given.objective, "confirm": given.confirm}
    budget = {
        key: getattr(given.budget, key)
        for key in type(task.budget).model_fields
        if getattr(task.budget, key) == getattr(run.budget, key) != getattr(given.budget, key)
    }
    update |= {"budget": task.budget.model_copy(update=budget)} if budget else {}
    return task.model_copy(update=update) if update else task


def touched(change: Change) -> set[str]:
    """What a change is about: `space.lr`, `budget.trials`."""
    command = change.command
    if isinstance(command, Undo):
        return set()
    if not isinstance(command, ChangeBudget):
        return {f"space.{command.parameter}"}
    keys = {f"budget.{key}" for key in ("trials", "wall_time_s", "cost", "target", "patience")}
    given = {key for key in keys if getattr(command, key.partition(".")[2]) is not None}
    given |= {"budget.trials"} if command.more_trials is not None else set()
    models = (command.model_calls, command.model_tokens, command.model_dollars)
    return given | ({"budget.model"} if any(value is not None for value in models) else set())


def changed_keys(before: Task, now: Task) -> set[str]:
    """In what of space and budget two versions of a task file differ, as `touched` names it."""
    names = {*before.space.names, *now.space.names}
    found = {f"space.{name}" for name in names if _entry(before.space, name) != _entry(now.space, name)}
    fields = type(now.budget).model_fields
    return found | {f"budget.{k}" for k in fields if getattr(before.budget, k) != getattr(now.budget, k)}


def _entry(space: Space, name: str) -> Any:
    return space.to_dict().get(name)


def _empty(task: Task) -> History:
    return task.empty_history()
