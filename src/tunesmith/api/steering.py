"""Changing the task of a run that has ended: recorded, and in force when it goes on."""

from __future__ import annotations

from tunesmith.commands import Undo
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.steering.applying import TaskCommand
from tunesmith.task import Task
from tunesmith.tools.records.base import RunStore


class EndedRun:
    """A run that nothing runs, whose lease the caller holds and whose records are loaded.

    Args:
        history: What `store.load` returned.
    """

    def __init__(self, store: RunStore, history: History, emit: Emit) -> None:
        from tunesmith.tools.engine.steering import Steering

        self.history = history
        self._steering = Steering(
            store,
            emit,
            history=lambda: self.history,
            go_on=self._go_on,
            takes_priors=lambda: _method_takes_priors(store.task),
        )

    def steer(self, command_id: int, command: TaskCommand | Undo) -> str:
        """Change the task for the next session; returns what was changed, in a sentence.

        Raises:
            CannotSteer: The command cannot be followed; nothing was changed.
        """
        return self._steering.change(command_id, command) + " It counts when the run goes on."

    def _go_on(self, task: Task, history: History) -> None:
        self.history = history


def _method_takes_priors(task: Task) -> bool:
    from tunesmith.agent.methods.base import MethodContext
    from tunesmith.agent.methods.hybrid.stated import takes_priors

    member = task.tuner.member
    name, settings = task.tuner.text(), task.tuner.settings
    return takes_priors(
        member.build(MethodContext(task, lambda event: event, name=name, settings=settings)).strategy
    )
