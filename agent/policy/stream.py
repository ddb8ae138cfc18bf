"""What the agent's model sends, while it sends it: its words for the log, its tool calls as it wrote them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from tunesmith.events import Thought
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean

PIECE = 80
"""Characters that are worth an event of their own; an event a token would be thousands a turn."""
TURN_LIMIT = 8000
"""Characters of reasoning kept in one turn."""


class ModelStream(BaseCallbackHandler):
    """Turns streamed chunks into Thought events, and keeps the raw text of tool calls.

    A callback and not LangGraph's stream, because it runs in the model's own thread: words are told before
    the tools they speak of, and a call is known to be broken before it is carried out.

    Attributes:
        last: What the model said in its latest message, cleaned.
    """

    raise_error = True  # else LangChain would log what we raise and go on
    run_inline = True

    def __init__(self, emit: Emit, turn: int) -> None:
        self._emit, self._turn = emit, turn
        self._held = ""
        self._sent = 0
        self._message: UUID | None = None
        self._words: list[str] = []
        self._calls: dict[int, tuple[str, str]] = {}  # index -> (id, arguments so far), latest message only

    @property
    def last(self) -> str:
        return clean("".join(self._words), 600)

    def on_llm_new_token(
        self, token: str | list[Any], *, chunk: Any = None, run_id: UUID, **kwargs: Any
    ) -> None:
        message = chunk.message
        if run_id != self._message:
            self._message, self._words, self._calls = run_id, [], {}
        for call in message.tool_call_chunks:
            call_id, arguments = self._calls.get(call["index"] or 0, ("", ""))
            self._calls[call["index"] or 0] = (call_id or call["id"] or "", arguments + (call["args"] or ""))
        if message.text:
            self._held += "\n" if not self._words and self._sent else ""
            self._words.append(str(message.text))
            self._held += str(message.text)
            if (len(self._held) >= PIECE and self._held[-1:].isspace()) or "\n" in self._held[1:]:
                self._send(final=False)
        elif self._held and message.tool_call_chunks:
            self._send(final=False)

    def broken_calls(self) -> set[str]:
        """Ids of calls of the latest message whose arguments are no JSON object as they stand.

        LangChain completes a streamed call that was cut off: `{"lr": 0.00` would be run as 0.0.
        """
        return {call_id for call_id, arguments in self._calls.values() if not _is_object(arguments)}

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


def _is_object(arguments: str) -> bool:
    try:
        return not arguments or isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _printable(text: str) -> str:
    """Cleaned like any hostile text, but with the blanks at its ends, which join it to the next piece."""
    inner = clean(text, TURN_LIMIT, lines=True)
    if not inner:
        return "\n" if "\n" in text else " " if text else ""
    head = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :]
    return head + inner + tail
