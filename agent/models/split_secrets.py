"""Secrets that a streamed answer quotes, taken out also where one is split over several chunks.

Pieces of an answer are shown and kept one by one, so the end of a piece that could be the beginning of a
secret is held back until the next one tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tunesmith.agent.models.base import Answer
from tunesmith.agent.models.wire import THOUGHTS
from tunesmith.text.secrets import Redactor

_TEXTS = ("content", "refusal", *THOUGHTS)
_Field = tuple[int, str, int]
"""Which choice, the field's name, and which tool call (0 for a text)."""


def without_secrets(chunks: Iterable[Answer], redactors: Sequence[Redactor]) -> Iterator[Answer]:
    """The chunks of one answer. What was held back comes with a choice's last chunk, or in one of its own."""
    held = _Held(redactors)
    for chunk in chunks:  # each is a new object, changed in place
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict) or not isinstance(choice.get("delta"), dict):
                continue
            number, delta = _index(choice), choice["delta"]
            calls = delta.get("tool_calls")
            for call in calls if isinstance(calls, list) else ():
                if isinstance(call, dict) and (call.get("id") or _name(call)):
                    yield from held.rest((number, "tool_calls", _index(call)))
            held.pass_through(number, delta)
            if choice.get("finish_reason"):
                for field in held.fields(number):
                    yield from held.rest(field)
        yield chunk
    for field in held.fields():
        yield from held.rest(field)


class _Held:
    """What is held back of each text of an answer."""

    def __init__(self, redactors: Sequence[Redactor]) -> None:
        self._redactors = redactors
        self._ends: dict[_Field, list[str]] = {}

    def pass_through(self, number: int, delta: dict[str, Any]) -> None:
        """Put what may be shown in place of each text of `delta`."""
        for name in _TEXTS:
            text = delta.get(name)
            if isinstance(text, str) and text:
                delta[name] = self._ready((number, name, 0), text)
            for part in text if isinstance(text, list) else ():
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    part["text"] = self._ready((number, name, 0), part["text"])
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                field = (number, "tool_calls", _index(call))
                function["arguments"] = self._ready(field, function["arguments"])

    def fields(self, number: int | None = None) -> list[_Field]:
        """Texts of which something is held back."""
        return [f for f, ends in self._ends.items() if any(ends) and number in (None, f[0])]

    def rest(self, field: _Field) -> Iterator[Answer]:
        """A chunk with what is held back of a text, if there is something."""
        text = ""
        for redactor, end in zip(self._redactors, self._ends.pop(field, []), strict=False):
            text = redactor.text(end + text) if text or end else ""
        if text:
            number, name, call = field
            said: Any = text
            if name == "tool_calls":
                said = [{"index": call, "function": {"arguments": text}}]
            yield {"choices": [{"index": number, "delta": {name: said}, "finish_reason": None}]}

    def _ready(self, field: _Field, text: str) -> str:
        ends = self._ends.setdefault(field, [""] * len(self._redactors))
        for place, redactor in enumerate(self._redactors):
            text, ends[place] = redactor.pieces(ends[place] + text)
        return text


def _index(data: dict[str, Any]) -> int:
    index = data.get("index")
    return index if isinstance(index, int) else 0


def _name(call: dict[str, Any]) -> Any:
    function = call.get("function")
    return function.get("name") if isinstance(function, dict) else None
