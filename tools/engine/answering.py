"""Answers people beside the loop, one question at a time, in the order in which they were asked.

The engine's thread takes a question; a thread of this class answers it, and hands what is to be done back to
the engine's. Nothing here waits for an answer, so that neither trials nor commands ever do.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from tunesmith.commands import Action
from tunesmith.events import Answered, Asked, Degraded
from tunesmith.interfaces import Briefing, Conversation, Emit, Question, Speaker, Understood
from tunesmith.text.cleaning import error_line
from tunesmith.tools.records.base import EventLog
from tunesmith.tools.records.talk import TalkLog

log = logging.getLogger(__name__)
MOST_WAITING = 8
"""Questions that wait while one is being answered; one more is refused."""
LAST_S = 5.0
"""How long the end of a run waits for the answer that is being given."""
ENDED = "The run ended before this was answered, and the records could not answer it."


def piece_of(command_id: int, text: str, by: Speaker, last: Understood | None = None) -> Answered:
    """A piece of an answer; with what came of the words where it is the last."""
    if last is None:
        return Answered(command_id=command_id, text=text, final=False, by=by)
    return Answered(
        command_id=command_id,
        text=text,
        final=True,
        by=by,
        actions=len(last.actions),
        followed=last.followed,
    )


class Answering:
    """One conversation with the people at a run.

    Args:
        conversation: Answers; None where nothing does.
        log: The run's events, from which each answer knows what was said before.
        emit: Stores an event; called from both threads.
        briefing: The run as it is now; called from the answering thread.
        propose: Takes what a person asked to be done, with the id of the command that said so.
    """

    def __init__(
        self,
        conversation: Conversation | None,
        log: EventLog,
        emit: Emit,
        *,
        briefing: Callable[[], Briefing],
        propose: Callable[[int, Sequence[Action]], None],
    ) -> None:
        self._conversation, self._emit = conversation, emit
        self._briefing, self._propose = briefing, propose
        self._talk = TalkLog(log)
        self._waiting: deque[tuple[int, str]] = deque()
        self._current: int | None = None
        self._text = ""  # of the current one
        self._closed = False
        self._changed = threading.Condition()  # guards the four above
        self._thread: threading.Thread | None = None

    def ask(self, command_id: int, text: str) -> tuple[bool, str]:
        """Take a question: whether it will be answered, and a sentence. For the engine's thread."""
        if self._conversation is None:
            return False, "Nothing answers questions in this run."
        with self._changed:
            before = len(self._waiting) + (self._current is not None)
            if self._closed:
                return False, "The run has ended."
            if len(self._waiting) >= MOST_WAITING:
                return False, f"{MOST_WAITING} questions are waiting already; ask again in a moment."
            self._emit(Asked(command_id=command_id, text=text))
            self._waiting.append((command_id, text))
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="tunesmith-answers", daemon=True)
            self._thread.start()
        if not before:
            return True, "Answering."
        return True, f"It is answered after {before} other{'s' * (before != 1)} (place {before + 1})."

    def close(self, timeout_s: float = LAST_S) -> None:
        """Let the answer under way end for so long; the records answer what is left. Idempotent."""
        with self._changed:
            self._closed = True
            left = [*self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._current is None, timeout_s)
            broken, self._current = self._current, None  # nothing of it is stored after this
        if broken is not None:
            left.insert(0, (broken, self._text))
        for command_id, text in left:
            self._answer_last(command_id, text)
        if broken is not None and self._conversation is not None:
            self._conversation.close()

    def _answer_last(self, command_id: int, text: str) -> None:
        """Answer after the end, when no model is asked any more."""
        assert self._conversation is not None
        by: Speaker = "records"
        reply = Understood(followed=False)
        try:
            question = Question(text, self._briefing(), self._talk.read(), command_id)
            reply = self._conversation.answer_from_records(
                question, lambda piece, who: self._store(piece_of(command_id, piece, who))
            )
        except Exception as error:  # one question's fault: shown, logged in full, and the next is answered
            log.exception("a question could not be answered")
            self._emit(piece_of(command_id, f"{ENDED} ({error_line(error, 300)})", by))
        self._emit(piece_of(command_id, "", by, replace(reply, actions=())))

    def _store(self, piece: Answered) -> None:
        if piece.text:
            self._emit(piece)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if not self._waiting:
                    return
                command_id, text = self._waiting.popleft()
                self._current, self._text = command_id, text
            self._answer(command_id, text)
            with self._changed:
                if self._current == command_id:
                    self._current = None
                self._changed.notify_all()

    def _answer(self, command_id: int, text: str) -> None:
        assert self._conversation is not None
        last: list[Speaker] = ["records"]
        said: list[str] = []

        def say(piece: str, by: Speaker) -> None:
            last[0] = by
            if piece:
                said.append(piece)
                self._tell(command_id, piece, by)

        reply = Understood(followed=False)
        try:
            question = Question(text, self._briefing(), self._talk.read(), command_id)
            reply = self._conversation.answer(question, say)
        except Exception as error:  # a thread's edge: counted, shown, and logged in full
            log.exception("a question could not be answered")
            cause = error_line(error, 300)
            how = "the person is told" if not said else "the answer ends there"
            self._emit(Degraded(what="fallback", where="conversation", cause=cause, continuation=how))
            say(f"This could not be answered: {cause}" if not said else "", last[0])
        if not self._goes_on(command_id):
            reply = replace(reply, actions=())
        self._tell(command_id, "", last[0], reply)
        if reply.actions:
            self._propose(command_id, reply.actions)

    def _goes_on(self, command_id: int) -> bool:
        with self._changed:
            return self._current == command_id and not self._closed

    def _tell(self, command_id: int, text: str, by: Speaker, last: Understood | None = None) -> None:
        with self._changed:  # what comes after `close` has given up is stored no more
            if self._current == command_id:
                self._emit(piece_of(command_id, text, by, last))
