"""Where a person types: one line or several, with what was typed before on the up and down keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from tunesmith.steering.completion import completions
from tunesmith.steering.verbs import Known
from tunesmith.text.literal import literal


class Prompt(TextArea):
    """Posts `Typed` for every text that is not blank. Enter sends it; pasted lines stay one text.

    ctrl+j begins a new line, as shift+enter does in terminals that tell it from enter. Tab goes through what
    a slash command may go on with.
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
            placeholder="ask, instruct, or / for commands   (ctrl+j: new line)",
            compact=True,
            highlight_cursor_line=False,
            soft_wrap=True,
        )
        self.known: Callable[[], Known] = Known
        """What completion may name."""
        self._offered: list[str] = []  # what tab goes through
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

    def remember(self, texts: Sequence[str]) -> None:
        """Have these texts, oldest first, before what is typed from here on."""
        self._typed[:0] = texts
        self._at = len(self._typed)

    def update_suggestion(self) -> None:
        """Complete a command; the right arrow takes it, tab goes through all there are."""
        found = completions(self.text, self.known())
        begun = self.text
        self.suggestion = found[0][len(begun) :] if found and found[0].startswith(begun) else ""

    def complete(self, step: int) -> None:
        """Put the next completion in, or the one before it."""
        if self.text in self._offered:
            text = self._offered[(self._offered.index(self.text) + step) % len(self._offered)]
        else:
            found = completions(self.text, self.known())
            self._offered = found if len(found) < 2 else [*found, self.text]
            text = found[0 if step > 0 else -1] if found else self.text
        self.value = text

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
        elif event.key in ("tab", "shift+tab") and self.text.startswith("/"):
            event.prevent_default()
            event.stop()
            self.complete(1 if event.key == "tab" else -1)

    async def _on_paste(self, event: events.Paste) -> None:
        """Pasted text comes from anywhere: what a terminal acts upon is taken out of it."""
        event.prevent_default()
        event.stop()
        self.insert(literal(event.text))

    def _recall(self, at: int) -> None:
        self._at = at
        self.value = self._typed[at] if at < len(self._typed) else self._draft
