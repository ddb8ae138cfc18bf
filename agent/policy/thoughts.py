"""The agent's own words as events, while its model sends them."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.agent.models import Piece
from tunesmith.events import Thought
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean

PIECE = 80
"""Characters that are worth an event of their own; an event a token would be thousands a turn."""
TURN_LIMIT = 8000
"""Characters of reasoning kept in one turn."""


class Thoughts:
    """Collects the text of one turn into Thought events; text before a call is sent before the call runs.

    Attributes:
        last: The text of the latest message, cleaned.
    """

    def __init__(self, emit: Emit, turn: int) -> None:
        self._emit, self._turn = emit, turn
        self._held = ""
        self._sent = 0
        self._said = ""
        self._message = ""
        self._ended = True

    @property
    def last(self) -> str:
        return clean(self._message, 600)

    def add(self, piece: Piece) -> None:
        """Take one piece of an answer; the first after a finish reason begins another message."""
        if self._ended and (piece.text or piece.calls):
            self._message, self._ended = "", False
        if piece.text:
            between = "\n" if not self._message and self._sent else ""
            self._held += between
            self._said += between + piece.text
            self._message += piece.text
            self._held += piece.text
            if (len(self._held) >= PIECE and self._held[-1:].isspace()) or "\n" in self._held[1:]:
                self._send(final=False)
        elif self._held and piece.calls:
            self._send(final=False)
        self._ended = self._ended or bool(piece.finish_reason)

    def close(self, check: Callable[[str], str] = lambda said: "") -> None:
        """Send what is held back; the last piece of the turn.

        Args:
            check: Gives what is wrong in all that was said, which is told at the end; empty where nothing is.
        """
        if self._held or self._sent:
            wrong = check(self._said[:TURN_LIMIT])
            self._send(final=not wrong)
            if wrong:
                self._emit(Thought(turn=self._turn, speaker="model", text=f"\n{wrong}"))

    def _send(self, *, final: bool) -> None:
        room = max(0, TURN_LIMIT - self._sent)
        text = _printable(self._held)[:room]
        self._held = ""
        self._sent += len(text)
        if text or final:
            self._emit(Thought(turn=self._turn, speaker="model", text=text, final=final))


def _printable(text: str) -> str:
    """Cleaned like any hostile text, but with the blanks at its ends, which join it to the next piece."""
    inner = clean(text, TURN_LIMIT, lines=True)
    if not inner:
        return "\n" if "\n" in text else " " if text else ""
    start = text[: len(text) - len(text.lstrip())]
    end = text[len(text.rstrip()) :]
    return start + inner + end
