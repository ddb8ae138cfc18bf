"""The agent's words on their way to the run's log: in pieces a person can follow, few enough to store."""

from __future__ import annotations

from typing import Any

from tunesmith.errors import ModelRefused
from tunesmith.events import Thought
from tunesmith.interfaces import Emit
from tunesmith.words import clean

PIECE = 80
"""Characters that are worth an event of their own; an event a token would be thousands a turn."""
TURN_LIMIT = 8000
"""Characters of reasoning kept in one turn."""


class ThoughtStream:
    """Collects streamed chunks of the model's own words into Thought events.

    Attributes:
        last: What the model said in its latest message, cleaned.
    """

    def __init__(self, emit: Emit, turn: int) -> None:
        self._emit, self._turn = emit, turn
        self._held = ""
        self._sent = 0
        self._message: str | None = None
        self._words: list[str] = []

    @property
    def last(self) -> str:
        return clean("".join(self._words), 600)

    def take(self, chunk: Any, origin: Any) -> None:
        """One item of LangGraph's `messages` stream; only what the model itself says is kept.

        Raises:
            ModelRefused: the model declines.
        """
        from langchain_core.messages import AIMessageChunk

        if not isinstance(chunk, AIMessageChunk):
            return
        refuse_refusal(chunk)
        if not chunk.text:
            return
        if chunk.id != self._message:
            self._held += "\n" if self._message is not None else ""
            self._message, self._words = chunk.id, []
        self._words.append(str(chunk.text))
        self._held += str(chunk.text)
        if len(self._held) >= PIECE and self._held[-1:].isspace() or "\n" in self._held[1:]:
            self._send(final=False)

    def close(self) -> None:
        """Send what is held back; the last piece of the turn."""
        if self._held or self._sent:
            self._send(final=True)

    def _send(self, *, final: bool) -> None:
        room = max(0, TURN_LIMIT - self._sent)
        text = _printable(self._held)[:room]
        self._held = ""
        self._sent += len(text)
        if text or final:
            self._emit(Thought(turn=self._turn, speaker="model", text=text, final=final))


def refuse_refusal(message: Any) -> None:
    """Raise ModelRefused for a message, or piece of one, that declines to answer.

    LangChain passes refusals on as messages without words, which would read as 'nothing to say'.
    """
    said = message.additional_kwargs.get("refusal")
    if said or message.response_metadata.get("finish_reason") == "content_filter":
        raise ModelRefused(f"the model declined to answer: {clean(said or 'content filter', 300)}")


def _printable(text: str) -> str:
    """Cleaned like any hostile text, but with the blanks at its ends, which join it to the next piece."""
    inner = clean(text, TURN_LIMIT, lines=True)
    if not inner:
        return "\n" if "\n" in text else " " if text else ""
    head = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :]
    return head + inner + tail
