"""Where a person types: a line, with what was typed before on the up and down keys."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input

from tunesmith.tui.typed_lines import HELP


class Prompt(Input):
    """Posts `Typed` for every line that is not blank."""

    BINDINGS = [
        Binding("up", "older", "Earlier line", show=False),
        Binding("down", "newer", "Later line", show=False),
    ]

    @dataclass
    class Typed(Message):
        """A person pressed enter."""

        line: str

    def __init__(self, *, id: str | None = None) -> None:
        commands = [name.removesuffix(" N") for name, _ in HELP]
        super().__init__(
            id=id,
            placeholder="ask, instruct, or /help",
            compact=True,
            suggester=SuggestFromList(commands),
            select_on_focus=False,
            max_length=4000,
        )
        self._typed: list[str] = []
        self._at = 0
        self._draft = ""

    @on(Input.Submitted)
    def _typed_line(self, event: Input.Submitted) -> None:
        event.stop()
        line = event.value.strip()
        self.value = ""
        if line:
            if self._typed[-1:] != [line]:
                self._typed.append(line)
            self._at, self._draft = len(self._typed), ""
            self.post_message(self.Typed(line))

    def action_older(self) -> None:
        """Bring back the line typed before this one."""
        if self._at > 0:
            if self._at == len(self._typed):
                self._draft = self.value
            self._recall(self._at - 1)

    def action_newer(self) -> None:
        """Go on to the line typed after this one, and at last to what was being typed."""
        if self._at < len(self._typed):
            self._recall(self._at + 1)

    def _recall(self, at: int) -> None:
        self._at = at
        self.value = self._typed[at] if at < len(self._typed) else self._draft
        self.cursor_position = len(self.value)
