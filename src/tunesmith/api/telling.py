"""Something said to a run from outside: posted to a running one, answered here for one that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tunesmith.commands import NEED_APPROVAL, Approve, Ask, Command, Note, Undo
from tunesmith.errors import RunError
from tunesmith.events import (
    ActionsProposed,
    Answered,
    Asked,
    CommandDone,
    Event,
    GuidelinesStated,
    Noted,
)
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Emit, Question, Speaker, Understood
from tunesmith.settings import ModelSettings
from tunesmith.steering.applying import TaskCommand
from tunesmith.steering.faults import CannotSteer
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.lock import holder_of

if TYPE_CHECKING:
    from tunesmith.api.steering import EndedRun
    from tunesmith.tools.records.folder_store import FolderStore

LOOKS_S = 0.1
"""How often the log of a running run is read."""
Status = Literal["done", "refused", "waiting", "no reply"]
"""done: answered or carried out; waiting: for approval; no reply: within the time that was given."""


@dataclass(frozen=True)
class Done:
    """One action, or the command itself."""

    command: str
    ok: bool
    reply: str


@dataclass
class Told:
    """What became of it."""

    status: Status = "no reply"
    answer: str = ""
    by: Speaker = "records"
    """Who gave the answer."""
    actions: tuple[Command, ...] = ()
    """What plain words came to."""
    effects: tuple[str, ...] = ()
    """What each would change."""
    done: list[Done] = field(default_factory=list)
    request: int | None = None
    """What `Approve` names, where it waits for approval."""


def is_running(folder: Path) -> bool:
    """Whether a process holds the run."""
    holder = holder_of(folder / "lock")
    return holder is not None and holder.alive is not False


def waits_for_approval(folder: Path) -> int | None:
    """The request of plain words that waits for approval now."""
    waiting: int | None = None
    with closing(EventStore(folder / "run.db", create=False)) as log:
        for event in log.events():
            if isinstance(event, ActionsProposed):
                waiting = event.command_id if event.waiting else None
            elif isinstance(event, CommandDone) and event.command == "approve" and event.ok:
                waiting = None
    return waiting


def tell(
    folder: Path,
    command: Command,
    *,
    approve: bool = False,
    timeout_s: float = 300.0,
    settings: ModelSettings | None = None,
    hear: Callable[[str], None] = lambda piece: None,
) -> Told:
    """Have a run do or answer something.

    Args:
        folder: The run's.
        approve: Carry out what plain words came to, whatever it changes.
        timeout_s: How long a reply of a running run is waited for.
        settings: The model that answers for a run that has ended, where its method uses one.
        hear: Given each piece of an answer as it comes.
    Raises:
        RunError: There is no such run, or another process has just begun it.
    """
    if is_running(folder):
        told = _of_running(folder, command, approve, timeout_s, hear)
        if told is not None:
            return told
    return _of_ended(folder, command, approve, settings, hear)


def _of_running(
    folder: Path, command: Command, approve: bool, timeout_s: float, hear: Callable[[str], None]
) -> Told | None:
    """What a running run replies; None where it ended without."""
    until = time.monotonic() + timeout_s
    while not (folder / "run.db").is_file():
        if time.monotonic() > until or not is_running(folder):
            raise RunError(f"{folder} has not begun: it has no log yet. Ask again in a moment.")
        time.sleep(LOOKS_S)
    with closing(EventStore(folder / "run.db", create=False)) as log:
        seq = log.last_seq()
        reply = _Reply(command, log.post(command), hear)
        while not reply.complete:
            new = log.events(after_seq=seq)
            for event in new:
                reply.take(event)
            seq = new[-1].seq if new else seq
            if reply.told.request is not None and approve and reply.approval is None:
                reply.approval = log.post(Approve(request=reply.told.request))
            elif reply.told.request is not None and not approve:
                break
            if reply.complete:
                break
            if not new and not is_running(folder):
                for event in log.events(after_seq=seq):
                    reply.take(event)
                if reply.nothing:
                    with suppress(KeyError, RunError):
                        log.acknowledge(reply.command_id, False, "The run had ended.")
                    return None
                break
            if time.monotonic() > until:
                break
            time.sleep(LOOKS_S)
    return reply.ended()


class _Reply:
    """Gathers what the events of a run say of one command."""

    def __init__(self, command: Command, command_id: int, hear: Callable[[str], None]) -> None:
        self.asks, self.command_id, self._hear = isinstance(command, Ask), command_id, hear
        self.told = Told()
        self.approval: int | None = None
        """The command that approves."""
        self.complete = False
        self.nothing = True
        self._announced = 0
        self._refused = False

    def take(self, event: Event) -> None:
        """One event of the log."""
        number = getattr(event, "command_id", None)
        if number == self.approval and isinstance(event, CommandDone):
            self.complete = True
            self._refused |= not event.ok
            if not event.ok:
                self.told.done.append(Done("approve", False, event.reply))
            return
        if number != self.command_id:
            return
        self.nothing = False
        if isinstance(event, Answered):
            self.told.answer += event.text
            self.told.by = event.by
            if event.text:
                self._hear(event.text)
            if event.final:
                self._announced = event.actions
                self._refused |= not event.followed
                self.complete = not event.actions
        elif isinstance(event, ActionsProposed):
            self.told.actions, self.told.effects = event.actions, event.effects
            self.told.request = self.command_id if event.waiting else None
        elif isinstance(event, CommandDone):
            self._done(event)

    def _done(self, event: CommandDone) -> None:
        if self.asks and event.command == "ask":
            if not event.ok:
                self._refused = self.complete = True
                self.told.done.append(Done("ask", False, event.reply))
            return
        self.told.done.append(Done(event.command, event.ok, event.reply))
        self._refused |= not event.ok
        # Of several actions none is carried out where one cannot be: then nothing is proposed.
        none = not event.ok and not self.told.actions
        all_done = not self.asks or none or len(self.told.done) >= max(1, self._announced)
        # An approval has a reply of its own, which comes last.
        self.complete = all_done and self.told.request is None

    def ended(self) -> Told:
        """What there is, with its status."""
        if self.told.request is not None and self.approval is None and not self.complete:
            self.told.status = "waiting"
        elif self.complete:
            self.told.status = "refused" if self._refused else "done"
        return self.told


def _of_ended(
    folder: Path,
    command: Command,
    approve: bool,
    settings: ModelSettings | None,
    hear: Callable[[str], None],
) -> Told:
    """Answered and recorded here, holding the run's lease for that long."""
    from tunesmith.api.steering import EndedRun
    from tunesmith.tools.engine.steering import answer_late
    from tunesmith.tools.records.folder_store import FolderStore
    from tunesmith.tools.records.run_folder import RunFolder

    store = FolderStore(RunFolder.open(folder))
    with store.lease(), closing(store):
        log = store.events
        answer_late(log, store.steered)
        number = log.post(command)
        told, held, ok = Told(), False, True
        loads = isinstance(command, Ask | Undo | TaskCommand)
        ended = EndedRun(store, store.load(log.append), log.append) if loads else None
        try:
            if isinstance(command, Ask):
                assert ended is not None
                found = _answered(store, ended.history, number, command, settings, told, hear)
                told.actions, ok = found.actions, found.followed
                held = not approve and any(isinstance(action, NEED_APPROVAL) for action in found.actions)
                if not held:
                    told.done += [_carried_out(ended, number, action, log.append) for action in found.actions]
            else:
                told.done.append(_carried_out(ended, number, command, log.append))
        finally:
            ok = ok and all(each.ok for each in told.done)
            reply = "Answered." if isinstance(command, Ask) else told.done[-1].reply if told.done else ""
            log.acknowledge(number, ok, reply)
        for each in told.done or [Done(command.kind, True, reply)]:
            log.append(CommandDone(command_id=number, command=each.command, ok=each.ok, reply=each.reply))
        told.status = "waiting" if held else "done" if ok else "refused"
    return told


def _answered(
    store: FolderStore,
    history: History,
    number: int,
    command: Ask,
    settings: ModelSettings | None,
    told: Told,
    hear: Callable[[str], None],
) -> Understood:
    """Answer from the records of an ended run, by a model where its method uses one."""
    from tunesmith.agent.conversation.opened import conversation_model
    from tunesmith.agent.conversation.talker import LONGEST_LOG, Talker
    from tunesmith.agent.methods.agenttts.archive import Archive
    from tunesmith.tools.engine.answering import piece_of
    from tunesmith.tools.records.log_reading import conversation_spent, spent
    from tunesmith.tools.records.talk import for_talk
    from tunesmith.tools.records.trial_log import end_of_log

    task, emit = store.task, store.events.append
    events = store.events.events()
    about = Briefing(task, history, task.budget, spent(events, history), ())
    about = replace(about, spaces=lambda: store.spaces(history))
    if any(isinstance(event, GuidelinesStated) for event in events):
        about = replace(about, conclusions=lambda: Archive(lambda event: event, events).lines(history))
    opens = None
    if settings is not None and task.uses_model:
        caps, used = task.budget.conversation, conversation_spent(events)
        opens = partial(conversation_model, settings, caps, emit, store.path, spent=lambda: used)
    emit(Asked(command_id=number, text=command.text))

    def say(piece: str, by: Speaker) -> None:
        told.answer, told.by = told.answer + piece, by
        emit(piece_of(number, piece, by))
        hear(piece)

    talker = Talker(emit, opens, log_of=lambda n: end_of_log(store.trial_folder(n), LONGEST_LOG))
    try:
        found = talker.answer(Question(command.text, about, tuple(for_talk(events)), number), say)
    finally:
        talker.close()
    emit(piece_of(number, "", told.by, found))
    return found


def _carried_out(ended: EndedRun | None, number: int, command: Command, emit: Emit) -> Done:
    """A command to a run that has ended: notes and changes of the task are kept, the rest needs a session."""
    if isinstance(command, Note):
        emit(Noted(text=command.text, by="person"))
        return Done(command.kind, True, "Noted.")
    if ended is not None and isinstance(command, Undo | TaskCommand):
        try:
            return Done(command.kind, True, ended.steer(number, command))
        except CannotSteer as error:
            return Done(command.kind, False, f"This cannot be followed: {error}")
    return Done(command.kind, False, "The run has ended: `tunesmith run` with the same task continues it.")
