"""The words of a streamed answer without the model's thoughts, while both are still coming."""

from __future__ import annotations

import re

from tunesmith.agent.models.parsing import TAG, plain_tags

LONGEST_TAG = 60
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]{0,40}<\|message\|>")
_MARK = re.compile(r"<\|[a-z_]{1,30}\|>(?:assistant)?", re.IGNORECASE)
_OPEN = re.compile(r"(?:<[^<>]{0,60}|\[/?[a-z]{0,8}|\u25c1[^\u25b7]{0,20})$", re.IGNORECASE)
_UNFINISHED_CHANNEL = re.compile(r"<\|channel\|>(?:(?!<\|message\|>).){0,80}$", re.DOTALL)


class Spoken:
    """Takes text in pieces and gives back what is spoken.

    Args:
        thinking: It begins in thought: the server's template writes the opening tag itself.
    Attributes:
        swallowed: Whether a thought ended that had never begun: what was given before was one.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._inside = "?" if thinking else ""
        self._held = ""
        self._thought = ""  # what is held back in case it was no thought after all
        self.swallowed = False

    def add(self, text: str) -> str:
        """The words that are known to be spoken after this piece."""
        self._held = plain_tags(self._held + text)
        return self._read(final=False)

    def close(self) -> str:
        """The words that were held back until the end."""
        rest = self._read(final=True)
        if self._inside == "?":  # no thought ever ended: all of it was the answer
            rest = self._thought + rest
        self._thought, self._inside = "", ""
        return rest

    def _read(self, *, final: bool) -> str:
        given: list[str] = []
        while True:
            channel, tag = _CHANNEL.search(self._held), TAG.search(self._held)
            first = min((m for m in (channel, tag) if m), key=lambda m: m.start(), default=None)
            if first is None:
                break
            given.append(self._take(self._held[: first.start()]))
            self._held = self._held[first.end() :]
            if first is channel:
                self._inside = "" if first[1].casefold() == "final" else "channel"
            else:
                self._turn((first[1] or first[3]) == "/", (first[2] or first[4]).casefold())
        end = len(self._held)
        if not final:
            waiting = _UNFINISHED_CHANNEL.search(self._held) or _OPEN.search(self._held)
            end = waiting.start() if waiting and len(self._held) - waiting.start() <= 2 * LONGEST_TAG else end
        given.append(self._take(self._held[:end]))
        self._held = self._held[end:]
        return "".join(given)

    def _turn(self, closing: bool, name: str) -> None:
        if closing:
            self.swallowed = self.swallowed or self._inside in ("", "?")
            self._inside, self._thought = "", ""
        elif not self._inside:
            self._inside = name

    def _take(self, text: str) -> str:
        text = _MARK.sub("", text)
        if self._inside == "?":
            self._thought += text
        return "" if self._inside else text
