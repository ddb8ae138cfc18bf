"""One streamed answer as it is heard: its text so far, its parts, and how fast it came."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tunesmith.agent.models.base import Answer
from tunesmith.agent.models.estimating import typical_tokens
from tunesmith.agent.models.partial import ItemReader
from tunesmith.agent.models.wire import Reply, Usage, decoded, piece_of, speaks, usage_of

OnItem = Callable[[str, Any], None]
"""Is given the name of a list in the answer, and an element of it as soon as that is complete."""


@dataclass(frozen=True)
class Timing:
    """When the words of one answer came, seconds from the request.

    Part of a recording, so that a replay knows the same speed.
    """

    first_s: float
    last_s: float

    def chunk(self) -> Answer:
        """As a chunk without words, the last of a stream."""
        return {"choices": [], "timing": {"first_s": self.first_s, "last_s": self.last_s}}

    @classmethod
    def of(cls, chunk: Answer) -> Timing | None:
        """What a recorded chunk says; None for any other chunk."""
        said: Any = chunk.get("timing")
        try:
            return cls(float(said["first_s"]), float(said["last_s"]))
        except (TypeError, KeyError, ValueError):
            return None


class Stopwatch:
    """Notes when words come."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self.timing: Timing | None = None

    def saw(self, chunk: Answer) -> None:
        if speaks(chunk):
            now = self._clock() - self._started
            self.timing = Timing(self.timing.first_s if self.timing else now, now)


class Hearing:
    """Gathers the chunks of one answer.

    Args:
        on_item: Given each element of the answer's lists.
        scrub: Takes secrets out of a text, those that came in pieces included.
    Attributes:
        items: How many elements were given.
        timing: None until a word has come.
    """

    def __init__(self, on_item: OnItem, scrub: Callable[[str], str] = str) -> None:
        self._on_item, self._items, self._scrub = on_item, ItemReader(scrub), scrub
        self._watch = Stopwatch()
        self._recorded: Timing | None = None
        self._text, self._refusal, self._finish, self._thought = "", "", "", ""
        self._arguments: str | None = None
        self._chunks = 0
        self.items = 0
        self.usage: Usage | None = None

    def add(self, chunk: Answer) -> None:
        self._watch.saw(chunk)
        self._recorded = Timing.of(chunk) or self._recorded
        self.usage = usage_of(chunk) or self.usage
        self._chunks += speaks(chunk)
        piece = piece_of(chunk)
        self._text += piece.text
        self._thought += piece.thought
        self._refusal += piece.refusal
        self._finish = piece.finish_reason or self._finish
        added = piece.text
        for call in piece.calls:
            if call.index == 0:
                self._arguments = (self._arguments or "") + call.arguments
                added += call.arguments
        for name, element in self._items.add(added) if added else ():
            self.items += 1
            self._on_item(name, element)

    @property
    def reply(self) -> Reply:
        arguments = None if self._arguments is None else self._scrub(decoded(self._arguments))
        text, refusal, thought = map(self._scrub, (self._text, self._refusal, self._thought))
        return Reply(text, arguments, refusal, self._finish, thought)

    @property
    def timing(self) -> Timing | None:
        return self._recorded or self._watch.timing

    @property
    def tokens(self) -> int:
        """Tokens heard, by the server's count.

        Without one the chunks are counted (small servers send one a token), or what the text is about worth.
        """
        if self.usage is not None:
            return self.usage.completion
        return max(self._chunks, typical_tokens(self._text + (self._arguments or "")))
