"""One question of a person, answered."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.agent.conversation.intents import answer_from_records
from tunesmith.agent.conversation.records import Records
from tunesmith.commands import Action
from tunesmith.interfaces import Emit, Question, Speaker


class Talker:
    """A conversation.

    Args:
        emit: Stores an event; called from the answering thread.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def answer(self, question: Question, say: Callable[[str, Speaker], None]) -> tuple[Action, ...]:
        """From the records."""
        text = answer_from_records(question.text, Records.of(question))
        say(text, "records")
        return ()

    def close(self) -> None:
        """There is nothing to break off."""
