"""The app around its panes: where they are, which has the focus, which keys work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from tunesmith.steering.lines import help_of
from tunesmith.tui import theme
from tunesmith.tui.layout import Arrangement
from tunesmith.tui.palette import Actions
from tunesmith.tui.panes.all import PANES
from tunesmith.tui.panes.base import COMMON_HINTS, MOST_MARKED, Hints, Pane, Selection
from tunesmith.tui.prompt_view import LastHistory, over_prompt
from tunesmith.tui.settings import Settings
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.typed_lines import known_of
from tunesmith.tui.widgets.body import Body
from tunesmith.tui.widgets.footer_line import FooterLine
from tunesmith.tui.widgets.help_screen import HelpScreen
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.prompt_strip import PromptStrip
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
GLOBAL_HINTS: Hints = (("^o", "jump"), ("^p", "palette"))
LAST_HINTS: Hints = (("F1", "help"), ("^q", "quit"))


class Frame(App[str]):
    """Title, summary, panes, prompt, status and footer; draws `view` in the panes that are visible."""

    COMMANDS = {Actions}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        *(Binding(key, f"pane_key('{key}')", word, priority=True) for key, word in PANE_KEYS),
        Binding("escape", "to_prompt", "Back", show=False),
        Binding("pageup", "scroll_log(-1)", show=False),
        Binding("pagedown", "scroll_log(1)", show=False),
        Binding("ctrl+o", "jump", "Jump", show=False, priority=True),
    ]

    def __init__(self, view: RunView, name: str) -> None:
        plain = theme.no_colour()
        self._drawn_once = False
        # With colours of the terminal's own Textual takes all of them out, else it draws them in grey.
        super().__init__(ansi_color=True if plain else None)
        for each in theme.OWN:  # here: the styles are read before `on_mount`, and name its colours
            self.register_theme(each)
        self.settings = Settings.read()
        wanted = theme.NO_COLOUR if plain else self.settings.theme
        self.theme = wanted if wanted in self.available_themes else theme.THEME.name
        theme.use(self.current_theme)
        self.view = view
        self.selection = Selection()
        self._run_name = name
        panes = [each() for each in PANES]
        for pane in panes:
            pane.selection = self.selection
        self._body = Body(panes, self._appeared)
        self._body.arrangement = Arrangement(hidden=frozenset(self.settings.hidden) - {"talk"})
        self._body.offered = frozenset(pane.NAME for pane in panes if pane.offered(view))
        self._summary = SummaryStrip(id="summary")
        self._footer = FooterLine(id="footer")
        self._past = LastHistory(view)
        self._strip = PromptStrip(id="over-prompt")
        self._status = StatusLine(
            id="status"
        )  # drawn by a clock, which may tick once more while the app closes

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.variables(self.current_theme)

    def _watch_theme(self, theme_name: str) -> None:
        super()._watch_theme(theme_name)
        theme.use(self.current_theme)
        if self._drawn_once:
            self.redraw()
            self.settings = replace(self.settings, theme=theme_name)
            self.settings.write()

    def redraw(self) -> None:
        """Draw everything anew, in other colours."""
        self._body.replan()
        self._appeared(self._body.visible_panes)
        self.screen_stack[0].refresh(layout=True)
        for widget in self.screen_stack[0].query("*"):
            widget.refresh()

    def on_ready(self) -> None:
        self._drawn_once = True

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every pane, action, theme and typed command, for the palette."""
        for pane in self._body.panes.values():
            if pane.NAME in self._body.offered:
                key = f" ({pane.KEY.upper()})" if pane.KEY else ""
                about = pane.HELP or pane.TITLE
                yield SystemCommand(f"Pane: {pane.TITLE}{key}", about, partial(self.open_pane, pane.NAME))
        yield SystemCommand("Prompt (esc)", "Type a question or a command", self.action_to_prompt)
        yield SystemCommand("Jump (ctrl+o)", "A letter on each pane", self.action_jump)
        yield SystemCommand("Panes: show all", "Bring back panes that were hidden", self.action_show_all)
        yield SystemCommand("Help (F1)", "Keys and commands", self.action_help)
        yield SystemCommand("Quit (ctrl+q)", "Leave this terminal", self.action_quit)
        for name in sorted(self.available_themes):
            yield SystemCommand(f"Theme: {name}", "Colours", partial(setattr, self, "theme", name))
        for typed, about in help_of():
            yield SystemCommand(typed, about, partial(self._offer, typed.split()[0]))

    def _offer(self, command: str) -> None:
        """Put a command into the prompt; the person goes on and sends it."""
        prompt = self.query_one(Prompt)
        prompt.value = command
        self.screen_stack[0].set_focus(prompt)
        self.draw_footer()

    def action_show_all(self) -> None:
        """Bring back every pane that was hidden, in the layout of the start."""
        self._body.rearrange(Arrangement())
        self._keep_hidden()

    def _keep_hidden(self) -> None:
        hidden = tuple(sorted(self._body.arrangement.hidden))
        if hidden != self.settings.hidden:
            self.settings = replace(self.settings, hidden=hidden)
            self.settings.write()

    def compose(self) -> ComposeResult:
        yield TitleBar(self._run_name, id="title")
        yield self._summary
        yield self._body
        yield self._strip
        prompt = Prompt(id="prompt")
        prompt.known = lambda: known_of(self.view)
        yield prompt
        yield self._status
        yield self._footer

    @on(Prompt.Changed)
    def draw_strip(self) -> None:
        """Say over the prompt what waits, and what the typed line would do."""
        self._strip.show(over_prompt(self.view, self.query_one(Prompt).value, self._past))

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
            self._keep_hidden()
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

    @on(Pane.HintsChanged)
    def _hints_changed(self) -> None:
        self.draw_footer()

    @on(Pane.Zoom)
    def _zoom_asked(self, event: Pane.Zoom) -> None:
        self._body.rearrange(self._body.arrangement.zoom(event.name))

    @on(Pane.Hide)
    def _hide_asked(self, event: Pane.Hide) -> None:
        self._body.rearrange(self._body.arrangement.without(event.name))
        self._keep_hidden()
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
            self._footer.show((*opened, *GLOBAL_HINTS), LAST_HINTS)


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
