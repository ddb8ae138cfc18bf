"""Where a person types: one line or several, with what was typed before on the up and down keys."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from tunesmith.steering.lines import VERBS
from tunesmith.text.literal import literal

COMMANDS = tuple(verb.name for verb in VERBS)


class Prompt(TextArea):
    """Posts `Typed` for every text that is not blank. Enter sends it; pasted lines stay one text.

    ctrl+j begins a new line, as shift+enter does in terminals that tell it from enter.
    """

    BINDINGS = [
        Binding("ctrl+j,shift+enter", "new_line", "New line", show=False),
        Binding("up", "older", "Earlier text", show=False),
        Binding("down", "newer", "Later text", show=False),
    ]

    @dataclass
    class Typed(Message):
        """A person pressed enter."""

        line: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            placeholder="ask, instruct, or /help",
            compact=True,
            highlight_cursor_line=False,
            soft_wrap=True,
        )
        self._typed: list[str] = []
        self._at = 0
        self._draft = ""

    @property
    def value(self) -> str:
        """What stands in it; set, the cursor goes to its end."""
        return self.text

    @value.setter
    def value(self, text: str) -> None:
        self.load_text(literal(text))
        self.move_cursor(self.document.end)

    def update_suggestion(self) -> None:
        """Complete the name of a command; the right arrow takes it."""
        begun = self.text
        found = next((c for c in COMMANDS if begun.startswith("/") and c.startswith(begun)), begun)
        self.suggestion = found[len(begun) :]

    def action_send(self) -> None:
        """Post the text and begin an empty one."""
        line = self.text.strip()
        self.value = ""
        if line:
            if self._typed[-1:] != [line]:
                self._typed.append(line)
            self._at, self._draft = len(self._typed), ""
            self.post_message(self.Typed(line))

    def action_new_line(self) -> None:
        """Begin a new line within the text."""
        self.insert("\n")

    def action_older(self) -> None:
        """Go up a line; from the first one bring back the text typed before."""
        if not self.cursor_at_first_line:
            self.action_cursor_up()
        elif self._at > 0:
            if self._at == len(self._typed):
                self._draft = self.text
            self._recall(self._at - 1)

    def action_newer(self) -> None:
        """Go down a line; from the last one go on to the text typed after, and at last to the draft."""
        if not self.cursor_at_last_line:
            self.action_cursor_down()
        elif self._at < len(self._typed):
            self._recall(self._at + 1)

    async def _on_key(self, event: events.Key) -> None:
        """Enter sends. No priority binding: that would overtake keys which arrived with it in one piece."""
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self.action_send()

    async def _on_paste(self, event: events.Paste) -> None:
        """Pasted text comes from anywhere: what a terminal acts upon is taken out of it."""
        event.prevent_default()
        event.stop()
        self.insert(literal(event.text))

    def _recall(self, at: int) -> None:
        self._at = at
        self.value = self._typed[at] if at < len(self._typed) else self._draft
