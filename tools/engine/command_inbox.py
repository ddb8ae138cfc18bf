"""Commands that people and scripts post to a run while it runs: each is carried out or refused."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence

from tunesmith.commands import (
    NEED_APPROVAL,
    Action,
    Approve,
    Ask,
    Command,
    Kill,
    Note,
    Pause,
    Resume,
    Stop,
    Try,
)
from tunesmith.errors import InvalidConfiguration
from tunesmith.events import ActionsProposed, CommandDone, Noted
from tunesmith.interfaces import Emit
from tunesmith.space import Space
from tunesmith.steering.applying import filled
from tunesmith.steering.faults import CannotSteer
from tunesmith.tools.engine.steering import Steering
from tunesmith.tools.records.base import EventLog
from tunesmith.trial import Origin, Proposal, Value


class CommandInbox:
    """Takes commands from the run's store. Used from the engine's thread.

    Args:
        log: Where commands are posted and acknowledged.
        emit: Stores whether each was carried out.
        steering: Carries out what changes the task.
        space: What a configuration to try must be in, now.
        best: What a configuration to try is filled from.
        kill: Ends a running trial; raises CannotSteer where it does not run.
        why_not: Why a proposal cannot be run now, or None where it can.
        launch: Queues proposals and returns the numbers of their trials.
        answer: Takes a question, by its command's id; whether it will be answered, and a sentence.
    Attributes:
        paused: Whether a person has paused the run.
        stop: Why the run is to end, or None while it is not.
        messages: Notes of people, which the policy reads.
        searching: Whether there is a search to pause or to add to; False before and after it.
    """

    def __init__(
        self,
        log: EventLog,
        emit: Emit,
        steering: Steering,
        *,
        space: Callable[[], Space],
        best: Callable[[], Mapping[str, Value] | None],
        kill: Callable[[int, str], str],
        why_not: Callable[[Proposal], str | None],
        launch: Callable[[list[Proposal]], list[int]],
        answer: Callable[[int, str], tuple[bool, str]],
    ) -> None:
        self._log, self._emit, self._steering = log, emit, steering
        self._space, self._best, self._kill = space, best, kill
        self._why_not, self._launch, self._answer = why_not, launch, answer
        self._waiting: tuple[int, tuple[Action, ...]] | None = None
        self._proposed: queue.SimpleQueue[tuple[int, tuple[Action, ...]]] = queue.SimpleQueue()
        self.paused = False
        self.stop: str | None = None
        self.messages: list[str] = []
        self.searching = True

    def read(self) -> None:
        """Carry out what has come in."""
        for command_id, command in self._log.take_commands():
            ok, reply = self._carry_out(command_id, command)
            self._reply(command_id, command, ok, reply)
        while not self._proposed.empty():
            self._carry_out_proposed(*self._proposed.get())

    def propose(self, command_id: int, actions: Sequence[Action]) -> None:
        """Have what a person's plain words came to carried out in the engine's thread; from any thread."""
        self._proposed.put((command_id, tuple(actions)))

    def _carry_out_proposed(self, command_id: int, actions: tuple[Action, ...]) -> None:
        effects, faults = [], []
        for action in actions:
            try:
                effects.append(self._steering.effect(action))
            except CannotSteer as error:
                faults.append(
                    CommandDone(command_id=command_id, command=action.kind, ok=False, reply=_no(error))
                )
        for fault in faults:
            self._emit(fault)
        if faults:
            return  # what else was asked for may hang together with it
        waiting = any(isinstance(action, NEED_APPROVAL) for action in actions)
        told = ActionsProposed(
            command_id=command_id, actions=actions, effects=tuple(effects), waiting=waiting
        )
        self._emit(told)
        if waiting:
            self._waiting = command_id, actions
        else:
            self._carry_out_all(command_id, actions)

    def _approve(self, request: int, approved: bool) -> tuple[bool, str]:
        if self._waiting is None or self._waiting[0] != request:
            return False, "Nothing of that number waits for approval."
        (command_id, actions), self._waiting = self._waiting, None
        if not approved:
            return True, "Dropped: nothing was changed."
        self._carry_out_all(command_id, actions)
        return True, "Approved."

    def _carry_out_all(self, command_id: int, actions: tuple[Action, ...]) -> None:
        for action in actions:
            ok, reply = self._carry_out(command_id, action)
            told = CommandDone(command_id=command_id, command=action.kind, ok=ok, reply=reply)
            self._emit(told)

    def close(self) -> None:
        """Refuse what has come in since, so that none waits for a reply from a run that has ended.

        Questions are taken: the records answer them.
        """
        for command_id, command in self._log.take_commands():
            answered = isinstance(command, Ask)
            ok, reply = self._carry_out(command_id, command) if answered else (False, "The run has ended.")
            self._reply(command_id, command, ok, reply)

    def request_stop(self, reason: str) -> None:
        """End the run cleanly; the first reason is kept."""
        self.stop = self.stop or reason

    def _reply(self, command_id: int, command: Command, ok: bool, reply: str) -> None:
        self._log.acknowledge(command_id, ok, reply)
        self._emit(CommandDone(command_id=command_id, command=command.kind, ok=ok, reply=reply))

    def _carry_out(self, command_id: int, command: Command) -> tuple[bool, str]:
        match command:
            case Stop(reason=reason):
                self.request_stop(reason)
                return True, "Stopping: what is running is stopped and will be run again on resume."
            case Ask(text=text):
                return self._answer(command_id, text)
            case Approve(request=request, approved=approved):
                return self._approve(request, approved)
            case Note(text=text):
                self.messages.append(text)
                self._emit(Noted(text=text, by="person"))
                return True, "Noted."
            case _ if not self.searching:
                return False, "The search has ended; only the comparison with the default is still running."
            case Pause():
                self.paused = True
                return True, "Paused: no new trial starts; those running go on."
            case Resume():
                self.paused = False
                return True, "Going on."
            case Try():
                return self._try(command)
            case Kill(number=number, reason=reason):
                return self._or_why_not(lambda: self._kill(number, reason))
            case _:
                return self._or_why_not(lambda: self._steering.change(command_id, command))

    @staticmethod
    def _or_why_not(carry_out: Callable[[], str]) -> tuple[bool, str]:
        try:
            return True, carry_out()
        except CannotSteer as error:
            return False, _no(error)

    def _try(self, command: Try) -> tuple[bool, str]:
        space, values, note = self._space(), command.values, ""
        if command.fill:
            values, added = filled(values, space, self._best())
            if added:
                shown = {name: values[name] for name in added}
                note = (
                    " Filled in: "
                    + ", ".join(f"{n}={space.format_value(n, v)}" for n, v in shown.items())
                    + "."
                )
        try:
            configuration = space.validate(values)
        except InvalidConfiguration as error:
            return False, str(error)
        proposal = Proposal(configuration=configuration, origin=Origin.USER, reason=command.reason)
        cause = self._why_not(proposal)
        if cause is not None:
            return False, f"Not queued: {cause}."
        (number,) = self._launch([proposal])
        return True, f"Queued as trial {number}.{note}"


def _no(error: CannotSteer) -> str:
    return f"This cannot be followed: {error}"
