"""The app around its panes: where they are, which has the focus, which keys work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tunesmith.tui.layout import Arrangement
from tunesmith.tui.panes.all import PANES
from tunesmith.tui.panes.base import COMMON_HINTS, MOST_MARKED, Hints, Pane, Selection
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.widgets.body import Body
from tunesmith.tui.widgets.footer_line import FooterLine
from tunesmith.tui.widgets.help_screen import HelpScreen
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.status_line import StatusLine
from tunesmith.tui.widgets.summary_strip import SummaryStrip
from tunesmith.tui.widgets.title_bar import TitleBar

PANE_KEYS: tuple[tuple[str, str], ...] = (
    ("f2", "trials"),
    ("f3", "beliefs"),
    ("f4", "plots"),
    ("f5", "details"),
    ("f6", "cost"),
)
"""Function keys of panes, and the word for each in the footer."""
PROMPT_HINTS: Hints = (("/", "commands"),)
GLOBAL_HINTS: Hints = (("^o", "jump"), ("^p", "palette"))
LAST_HINTS: Hints = (("F1", "help"), ("^q", "quit"))


class Frame(App[str]):
    """Title, summary, panes, prompt, status and footer; draws `view` in the panes that are visible."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        *(Binding(key, f"pane_key('{key}')", word, priority=True) for key, word in PANE_KEYS),
        Binding("escape", "to_prompt", "Back", show=False),
        Binding("pageup", "scroll_log(-1)", show=False),
        Binding("pagedown", "scroll_log(1)", show=False),
        Binding("ctrl+o", "jump", "Jump", show=False, priority=True),
    ]

    def __init__(self, view: RunView, name: str) -> None:
        super().__init__()
        self.view = view
        self.selection = Selection()
        self._run_name = name
        panes = [each() for each in PANES]
        for pane in panes:
            pane.selection = self.selection
        self._body = Body(panes, self._appeared)
        self._body.offered = frozenset(pane.NAME for pane in panes if pane.offered(view))
        self._summary = SummaryStrip(id="summary")
        self._footer = FooterLine(id="footer")
        self._status = StatusLine(
            id="status"
        )  # drawn by a clock, which may tick once more while the app closes

    def compose(self) -> ComposeResult:
        yield TitleBar(self._run_name, id="title")
        yield self._summary
        yield self._body
        yield Prompt(id="prompt")
        yield self._status
        yield self._footer

    # -- panes -----------------------------------------------------------------------------------

    def draw_panes(self, changes: Changes) -> None:
        """Let the visible panes draw what changed."""
        if changes.facts:
            self._body.offer([name for name, pane in self._body.panes.items() if pane.offered(self.view)])
        for pane in self._body.visible_panes:
            pane.show(self.view, changes)

    def _appeared(self, panes: Sequence[Pane]) -> None:
        everything = self.view.everything() if panes else Changes()
        for pane in panes:
            if pane.is_mounted:
                pane.show(self.view, everything)

    @property
    def focused_pane(self) -> Pane | None:
        """The pane that has the focus, itself or in a widget of it."""
        node: Widget | None = self.screen_stack[0].focused if self.screen_stack else None
        while node is not None and not isinstance(node, Pane):
            parent = node.parent
            node = parent if isinstance(parent, Widget) else None
        return node

    def open_pane(self, name: str) -> None:
        """Bring a pane to sight and focus it."""
        pane = self._body.panes.get(name)
        if pane is None or name not in self._body.offered:
            return
        if pane not in self._body.visible_panes or self._body.arrangement.zoomed not in (None, name):
            self._body.rearrange(self._body.arrangement.opened(name))
        self._focus(pane)

    def _focus(self, pane: Pane) -> None:
        target = next((each for each in pane.query() if each.can_focus and each.display), pane)
        self.screen_stack[0].set_focus(target)  # at once; `focus` waits for its turn
        pane.entered()
        self.draw_footer()

    def action_pane_key(self, key: str) -> None:
        """Open the pane of a function key; the next of its panes, or the prompt, where it is open already."""
        if len(self.screen_stack) > 1:
            return
        names = [name for name in self._body.panes if self._body.panes[name].KEY == key]
        names = [name for name in names if name in self._body.offered]
        focused = self.focused_pane
        if not names:
            self.bell()
        elif focused is None or focused.NAME not in names:
            self.open_pane(names[0])
        elif (at := names.index(focused.NAME) + 1) < len(names):
            self.open_pane(names[at])
        else:
            self.action_to_prompt()

    def action_to_prompt(self) -> None:
        """Focus the prompt and have the talk in sight; from the prompt itself: choose no trial."""
        prompt = self.query_one(Prompt)
        if self.screen_stack[0].focused is prompt:
            self._select(None)
            return
        arrangement = self._body.arrangement
        if "talk" not in {pane.NAME for pane in self._body.visible_panes}:
            arrangement = Arrangement(arrangement.recent, arrangement.hidden).opened("talk")
            self._body.rearrange(arrangement)
        self.screen_stack[0].set_focus(prompt)
        self.draw_footer()

    def action_focus_next(self) -> None:
        """Go to the next visible pane; after the last one to the prompt."""
        self._go_round(1)

    def action_focus_previous(self) -> None:
        """Go to the pane before; from the first one to the prompt."""
        self._go_round(-1)

    def _go_round(self, step: int) -> None:
        if len(self.screen_stack) > 1:
            self.screen.focus_next() if step > 0 else self.screen.focus_previous()
            return
        stops: list[Pane | None] = [None, *self._body.visible_panes]
        focused = self.focused_pane
        at = stops.index(focused) if focused in stops else 0
        pane = stops[(at + step) % len(stops)]
        if pane is None:
            self.screen.set_focus(self.query_one(Prompt))
            self.draw_footer()
        else:
            self._focus(pane)

    def action_jump(self) -> None:
        """Show a letter on every visible pane; the next key goes there."""
        if len(self.screen_stack) == 1:
            self._set_letters({} if self._body.letters else jump_letters(self._body.visible_panes))

    def _set_letters(self, letters: dict[str, str]) -> None:
        self._body.letters = letters
        self._body.replan()
        self.draw_footer()

    def action_scroll_log(self, pages: int) -> None:
        """Scroll the pane that has the focus, else the talk."""
        from tunesmith.tui.widgets.chat_log import ChatLog

        chat = self.query_one(ChatLog)
        chat.scroll_relative(y=pages * max(chat.size.height - 2, 1), animate=False)

    def action_help(self) -> None:
        """Keys and commands."""
        self.push_screen(HelpScreen())

    @on(Pane.Open)
    def _open_asked(self, event: Pane.Open) -> None:
        self.open_pane(event.name)

    @on(Pane.Zoom)
    def _zoom_asked(self, event: Pane.Zoom) -> None:
        self._body.rearrange(self._body.arrangement.zoom(event.name))

    @on(Pane.Hide)
    def _hide_asked(self, event: Pane.Hide) -> None:
        self._body.rearrange(self._body.arrangement.without(event.name))
        self.screen_stack[0].set_focus(self.query_one(Prompt))
        self.draw_footer()

    @on(Pane.Fill)
    def _fill_asked(self, event: Pane.Fill) -> None:
        prompt = self.query_one(Prompt)
        prompt.value = event.text
        self.screen_stack[0].set_focus(prompt)
        self.draw_footer()

    @on(Pane.Choose)
    def _choose_asked(self, event: Pane.Choose) -> None:
        self._select(event.number)

    @on(Pane.Mark)
    def _mark_asked(self, event: Pane.Mark) -> None:
        marked = self.selection.marked
        if event.number in marked:
            self.selection.marked = tuple(number for number in marked if number != event.number)
        else:
            self.selection.marked = (*marked, event.number)[-MOST_MARKED:]
        self.draw_panes(Changes(selection=True))

    def _select(self, number: int | None) -> None:
        self.selection.chosen = number
        self.draw_panes(Changes(selection=True))

    # -- keys ------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """A slash typed in a pane goes to the prompt; in jump mode a letter goes to a pane.

        Here, before keys are handed on: those that arrived with the first one then follow it there.
        """
        if isinstance(event, events.Key) and len(self.screen_stack) == 1:
            if self._body.letters:
                if event.key == "ctrl+o":
                    await super().on_event(event)
                    return
                found = [name for name, letter in self._body.letters.items() if letter == event.character]
                self._set_letters({})
                if found:
                    self.open_pane(found[0])
                return
            pane = self.focused_pane
            if event.character == "/" and pane is not None and not _types(self.screen.focused):
                self.action_to_prompt()
        await super().on_event(event)

    def draw_footer(self) -> None:
        """Say which keys work now."""
        pane = self.focused_pane
        if self._body.letters:
            self._footer.show((("letter", "go to that pane"), ("^o", "back")), ())
        elif pane is not None:
            self._footer.show((*pane.hints(), *COMMON_HINTS, ("?", "more")), LAST_HINTS)
        else:
            keys = {each.KEY for name, each in self._body.panes.items() if name in self._body.offered}
            opened = tuple((key.upper(), word) for key, word in PANE_KEYS if key in keys)
            self._footer.show((*PROMPT_HINTS, *opened, *GLOBAL_HINTS), LAST_HINTS)


def jump_letters(panes: Sequence[Pane]) -> dict[str, str]:
    """A letter for each pane, of its name where one is free."""
    letters: dict[str, str] = {}
    for pane in panes:
        free = (c for c in (*pane.NAME, *"abcdefghijklmnopqrstuvwxyz") if c not in letters.values())
        letters[pane.NAME] = next(free)
    return letters


def _types(widget: Widget | None) -> bool:
    """Whether a person types text into this widget."""
    from textual.widgets import Input, TextArea

    return isinstance(widget, Input | TextArea)
