"""Commands that change the task of a run while it runs: they are followed as a whole, or refused.

    steering.json -> lineage.json -> task.yaml -> study -> Steered -> TaskChanged -> the engine -> the reply

A session that is killed between any two of these is continued by the next one as if it had come to the end:
it applies what `steering.json` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.commands import Action, Command, Kill, SetPrior, Try, Undo
from tunesmith.errors import InvalidConfiguration
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Emit, Policy, Strategy, Toolbox
from tunesmith.objective import Objective
from tunesmith.space import Space
from tunesmith.steering.applying import TaskCommand, applied
from tunesmith.steering.faults import CannotSteer
from tunesmith.steering.record import Record
from tunesmith.task import Task
from tunesmith.tools.records.base import EventLog, RunStore
from tunesmith.tools.records.steered import steered
from tunesmith.trial import Proposal


@dataclass(frozen=True)
class Rebuilt:
    """The parts of a session that depend on the task, made again for a changed one."""

    strategy: Strategy
    policy: Policy
    make_toolbox: Callable[[Briefing, Any], Toolbox]
    conclusions: Callable[[History], Sequence[str]] | None
    objective: Objective


Rebuild = Callable[[Task, Sequence[SetPrior], Sequence[Proposal]], Rebuilt]
"""Called in the engine's thread with the task, what people expect, and the competing candidates."""


class Steering:
    """Used from the engine's thread.

    Args:
        store: Records every change before anything else happens.
        history: The trials as they are now.
        go_on: Makes the engine go on with a changed task and its history.
        takes_priors: Whether the method of the run uses what people expect.
    """

    def __init__(
        self,
        store: RunStore,
        emit: Emit,
        *,
        history: Callable[[], History],
        go_on: Callable[[Task, History], None],
        takes_priors: Callable[[], bool],
    ) -> None:
        self._store, self._emit, self._history, self._go_on = store, emit, history, go_on
        self._takes_priors = takes_priors

    def change(self, command_id: int, command: TaskCommand | Undo) -> str:
        """Change the task by a command; returns what was changed, in a sentence.

        Raises:
            CannotSteer: It cannot be followed; nothing was changed.
        """
        store, history = self._store, self._history()
        record, started = store.steered, len(history.every)
        done = [c for c in record.changes if c.command_id == command_id and c.command.kind == command.kind]
        if done and done[-1].command == command:
            return f"Done: {done[-1].text}."
        if isinstance(command, Undo):
            record = record.with_undo(command_id, started=started, at=time.time())
        else:
            self._may(command)
            change = applied(store.task, command, history)
            record = record.with_change(change, command_id, started=started, at=time.time())
        task, record = record.replay(store.given)
        before = store.task
        now = store.steer(record, task, history)
        self._emit(steered(record.changes[-1]))
        reply = f"Done: {record.changes[-1].text}."
        if task.space != before.space:
            told = self._store.task_changed(now)
            if told is not None:
                self._emit(told)
                reply += f" {told.counts}"
        self._go_on(task, now)
        return reply

    def effect(self, command: Action) -> str:
        """What an action would do, in a sentence.

        Raises:
            CannotSteer: It cannot be followed.
        """
        match command:
            case Undo():
                return self._store.steered.with_undo(0, started=0, at=0.0).changes[-1].text
            case Try(values=values):
                return f"try {', '.join(f'{name}={value}' for name, value in values.items())}"
            case Kill(number=number):
                return f"end trial {number}"
            case _ if isinstance(command, TaskCommand):
                self._may(command)
                return applied(self._store.task, command, self._history()).text
            case _:
                return command.kind

    def _may(self, command: TaskCommand) -> None:
        if isinstance(command, SetPrior) and not self._takes_priors():
            raise CannotSteer(
                f"The method of this run ({self._store.task.tuner.name}) takes no priors: nothing would "
                "change. /narrow restricts the search, and /note tells the agent."
            )


def fitting(proposal: Proposal, space: Space) -> Proposal:
    """A proposal with its configuration as one of `space`; as it is where it is not legal there."""
    try:
        configuration = space.validate(dict(proposal.configuration))
    except InvalidConfiguration:
        return proposal
    if configuration.digest == proposal.configuration.digest:
        return proposal
    return proposal.model_copy(update={"configuration": configuration})


def answer_late(log: EventLog, record: Record) -> None:
    """Reply to commands posted to a session that has ended: those that were recorded have been followed."""
    followed = {change.command_id: change.text for change in record.changes}
    for command_id, command in log.take_commands():
        number = _asked_by(command_id, command)
        if number in followed:
            log.acknowledge(command_id, True, f"Done: {followed[number]}.")
        else:
            log.acknowledge(command_id, False, "The run was not running when this was asked.")


def _asked_by(command_id: int, command: Command) -> int:
    """The command that the changes of `command` are recorded under."""
    return command.request if command.kind == "approve" and command.approved else command_id
