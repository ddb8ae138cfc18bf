"""The first screen: the runs and tasks of a folder, and what to do with each.

It starts nothing, and writes nothing but the example where that is asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.driver import Driver
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tunesmith.errors import RunError
from tunesmith.text.literal import one_line
from tunesmith.tools.records.run_list import runs_in
from tunesmith.tui import theme
from tunesmith.tui.settings import Settings
from tunesmith.tui.spans import Spans
from tunesmith.tui.start.example import write_example
from tunesmith.tui.start.finding import tasks_in
from tunesmith.tui.start.listing import Act, Row, Section, beside, command_for, sections
from tunesmith.tui.widgets.footer_line import FooterLine

REFRESH_S = 1.0
EMPTY = (
    "No run and no task in this folder yet: `tunesmith init train.py` writes a task for your training script."
)
WORDS: dict[Act, tuple[str, str]] = {
    "look": ("l", "look at it"),
    "go on": ("r", "go on with it"),
    "start": ("s", "start it"),
    "example": ("e", "write the example"),
}
"""What one may do -> its key, and what the key does."""


@dataclass(frozen=True)
class Chosen:
    """What is to be opened once the screen is gone."""

    act: Act
    path: Path


class AskScreen(ModalScreen[Act | None]):
    """One of a few things to do, by its letter or from a list; None: none of them."""

    BINDINGS = [Binding("escape,n,q", "choose('')", "Back")]
    DEFAULT_CSS = """
    AskScreen { align: center middle; background: $background 60%; }
    AskScreen > Vertical {
        width: 64; max-width: 100%; height: auto; max-height: 100%;
        padding: 1 2; border: round $primary; background: $surface;
    }
    AskScreen OptionList, AskScreen OptionList:focus {
        height: auto; border: none; padding: 0; margin: 1 0 0 0; background: $surface;
    }
    """

    def __init__(self, question: Spans, acts: tuple[Act, ...]) -> None:
        super().__init__()
        self._question, self._acts = question, acts
        for act in acts:
            self._bindings.bind(WORDS[act][0], f"choose('{act}')", WORDS[act][1])

    def compose(self) -> ComposeResult:
        rows = [(act, *WORDS[act]) for act in self._acts] + [("", "esc", "back to the list")]
        with Vertical():
            yield Static(theme.text(self._question), markup=False)
            yield OptionList(
                *(
                    Option(theme.text(((f"{key:>4}  ", "accent"), (text, ""))), id=act)
                    for act, key, text in rows
                )
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_choose(event.option_id or "")

    def action_choose(self, name: str) -> None:
        self.dismiss(next((act for act in self._acts if act == name), None))


class StartApp(App[Chosen]):
    """Lists `here`, anew every second. `run()` returns what was chosen; None: nothing.

    Args:
        here: The folder; its runs are in `runs` below it.
    """

    TITLE = "tunesmith"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; color: $foreground; }
    #start-title { height: 1; padding: 0 1; background: $surface; }
    #start-list, #start-list:focus {
        height: 1fr; border: none; padding: 1 0 0 0; background: $background; scrollbar-size: 1 1;
    }
    #start-note { height: auto; max-height: 3; padding: 0 1; }
    #start-footer { height: 1; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q,ctrl+c,escape", "leave", "Leave", priority=False),
        Binding("l", "act('look')", "Look"),
        Binding("r", "act('go on')", "Go on"),
        Binding("s", "act('start')", "Start"),
        Binding("e", "example", "Example"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, here: Path = Path()) -> None:
        super().__init__(ansi_color=True if theme.no_colour() else None)
        for each in theme.OWN:
            self.register_theme(each)
        wanted = theme.NO_COLOUR if theme.no_colour() else Settings.read().theme
        self.theme = wanted if wanted in self.available_themes else theme.THEME.name
        theme.use(self.current_theme)
        self.here = here
        self._rows: dict[str, Row] = {}
        self._shown: list[Section] | None = None
        self._note: Spans = ()
        self.on_terminal_gone: Callable[[], None] | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.variables(self.current_theme)

    def get_driver_class(self) -> type[Driver]:
        from textual.drivers.linux_driver import LinuxDriver

        from tunesmith.tui.driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def compose(self) -> ComposeResult:
        title: Spans = (("tunesmith", "strong"), (f"  {one_line(str(self.here.absolute()), 200)}", "dim"))
        yield Static(theme.text(title), id="start-title", markup=False)
        yield OptionList(id="start-list")
        yield Static("", id="start-note", markup=False)
        yield FooterLine(id="start-footer")

    def on_mount(self) -> None:
        self.screen.set_focus(self.query_one(OptionList))
        self._draw_hints()
        self.follow()

    @work(exclusive=True, group="follow", exit_on_error=False)
    async def follow(self) -> None:
        """Read the folder and draw what changed, until something is chosen."""
        while True:
            try:
                found = await asyncio.to_thread(self._look)
            except (RunError, OSError) as error:
                self._tell(((one_line(error, 300), "warn"),))
            else:
                self._draw(found)
            await asyncio.sleep(REFRESH_S)

    def _look(self) -> list[Section]:
        return sections(runs_in(self.here / "runs"), tasks_in(self.here), time.time(), here=self.here)

    # -- drawing ----------------------------------------------------------------------------------

    def _draw(self, found: list[Section]) -> None:
        if found == self._shown or not self.screen_stack:
            return
        listing = self.screen_stack[0].query_one(OptionList)
        first, at = self._shown is None, self.row
        self._shown = found
        self._rows = {row.id: row for section in found for row in section.rows}
        options: list[Option] = []
        for section in found:
            gap = "\n" if options else ""
            options.append(Option(theme.text(((f"{gap} {section.title}", "dim"),)), disabled=True))
            options += [Option(theme.text((("   ", ""), *row.spans)), id=row.id) for row in section.rows]
        with self.prevent(OptionList.OptionHighlighted):
            listing.set_options(options)
        ids = [option.id for option in options]
        stays = ids.index(at.id) if at is not None and at.id in ids else 1
        listing.highlighted = stays
        if first and len(found) == 1:
            self._tell(((EMPTY, ""),))
        self._draw_hints()

    def _tell(self, note: Spans) -> None:
        self._note = note
        self.screen_stack[0].query_one("#start-note", Static).update(theme.text(note))

    def _draw_hints(self) -> None:
        row = self.row
        acts = () if row is None else row.acts
        hints = [("enter", WORDS[acts[0]][1] if len(acts) == 1 else "open…")] if acts else []
        hints += [WORDS[act] for act in acts if len(acts) > 1]
        if "example" not in acts:
            hints.append(WORDS["example"])
        footer = self.screen_stack[0].query_one(FooterLine)
        footer.show((("↑↓", "choose"), *hints), (("q", "leave"),))
        if row is not None and row.path is not None:
            self._tell(((command_for(acts[0], beside(row.path, self.here)), "dim"),))
        elif row is not None and len(self._rows) > 1:
            self._tell(())

    @property
    def row(self) -> Row | None:
        """The one that is chosen."""
        listing = self.screen_stack[0].query_one(OptionList)
        option = listing.highlighted_option
        return None if option is None or option.id is None else self._rows.get(option.id)

    @on(OptionList.OptionHighlighted, "#start-list")
    def _moved(self) -> None:
        self._draw_hints()

    # -- what is done -----------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#start-list")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._rows.get(event.option_id or "")
        if row is None:
            return
        if row.acts == ("example",):
            self.action_example()
        elif len(row.acts) == 1:
            self._choose(row, row.acts[0])
        else:
            self._ask(row)

    def action_act(self, act: Act) -> None:
        """Do this with the chosen row, where it can be done."""
        row = self.row
        if len(self.screen_stack) > 1:
            return
        if row is None or act not in row.acts:
            self.bell()
        else:
            self._choose(row, act)

    def action_move(self, step: int) -> None:
        """Choose the next row, or the one before."""
        listing = self.screen_stack[0].query_one(OptionList)
        listing.action_cursor_down() if step > 0 else listing.action_cursor_up()

    def action_leave(self) -> None:
        self.exit(None)

    def _choose(self, row: Row, act: Act) -> None:
        if row.path is not None:
            self.exit(Chosen(act, row.path))

    @work(group="ask")
    async def _ask(self, row: Row) -> None:
        state = row.spans[1][0].strip()
        name = "" if row.path is None else one_line(row.path.name, 40)
        question: Spans = ((f"{name} is not running ({state}).", "strong"),)
        act = await self.push_screen_wait(AskScreen(question, row.acts))
        if act is not None:
            self._choose(row, act)

    @work(group="ask", exclusive=True)
    async def action_example(self) -> None:
        """Write the example below this folder, and offer to start it."""
        if len(self.screen_stack) > 1:
            return
        try:
            task = await asyncio.to_thread(write_example, self.here)
        except OSError as error:
            self._tell(((f"not written: {one_line(error, 300)}", "warn"),))
            return
        where = one_line(str(beside(task, self.here)), 100)
        question: Spans = (("The example is written: ", "strong"), (f"{where}, with train.py beside it.", ""))
        if await self.push_screen_wait(AskScreen(question, ("start",))) is not None:
            self.exit(Chosen("start", task))
