"""The terminal app, a client of one run: it reads events, draws them and posts commands."""

from __future__ import annotations

import asyncio
import select
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.driver import Driver
from textual.worker import Worker, WorkerState

from tunesmith.commands import Command, Stop
from tunesmith.errors import RunError
from tunesmith.events import TaskChanged
from tunesmith.text.literal import one_line
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.feed import Batch, Feed
from tunesmith.tui.spans import Spans
from tunesmith.tui.state import RunView
from tunesmith.tui.status import closing_text, segments
from tunesmith.tui.theme import THEME
from tunesmith.tui.trial_view import details
from tunesmith.tui.typed_lines import FRONT_WIDTH, Leave, Reply, respond
from tunesmith.tui.widgets.best_plot import BestPlot
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.front_table import FrontTable
from tunesmith.tui.widgets.help_screen import HelpScreen
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.status_line import StatusLine
from tunesmith.tui.widgets.title_bar import TitleBar
from tunesmith.tui.widgets.trial_details import TrialDetails
from tunesmith.tui.widgets.trial_table import TrialTable

POLL_S = 0.1
RETRY_S = 1.0
"""Pause after the log could not be read."""
STOP_WAIT_S = 20.0
"""How long quitting waits for workers to stop; a second ctrl+q waits no longer."""

T = TypeVar("T")


class TunesmithApp(App[str]):
    """Shows the run in `folder`, running, finished, or not yet begun.

    Args:
        folder: The run folder; its `run.db` need not exist yet.
        owns_run: This terminal started the run: quitting asks it to stop cleanly and waits for that.

    `run()` returns the text to print once the screen is gone: the state of the run, and how to continue.
    """

    TITLE = "tunesmith"
    CSS_PATH = "tunesmith.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "Help"),
        Binding("f2", "trials", "Trials", priority=True),
        Binding("f3", "front", "Front", priority=True),
        Binding("escape", "to_prompt", "Back", show=False),
        Binding("pageup", "scroll_log(-1)", show=False),
        Binding("pagedown", "scroll_log(1)", show=False),
        Binding("ctrl+o", "open_all", "Open all", show=False),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(self, folder: Path, *, owns_run: bool = False) -> None:
        super().__init__()
        self.register_theme(THEME)  # here: the styles are read before `on_mount`, and name its colours
        self.theme = THEME.name
        self.folder = Path(folder)
        self.owns_run = owns_run
        self.view = RunView(Facts())
        self._feed = Feed(self.folder)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tunesmith-feed")
        self.on_terminal_gone: Callable[[], None] | None = None
        """Called when the terminal is gone, of which not every process is told by a signal."""
        self._quitting = False
        self._trouble = ""
        self._status = StatusLine(
            id="status"
        )  # drawn by a clock, which may tick once more while the app closes
        self._caught_up = asyncio.Event()

    def get_driver_class(self) -> type[Driver]:
        from textual.drivers.linux_driver import LinuxDriver

        from tunesmith.tui.driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    async def settled(self) -> None:
        """Wait until everything the log held when the app opened is drawn."""
        await self._caught_up.wait()

    def compose(self) -> ComposeResult:
        yield TitleBar(one_line(self.folder.name, 40), id="title")
        with Horizontal(id="body"):
            with Vertical(id="talk"):
                yield ChatLog(id="chat")
            with Vertical(id="side"):
                yield TrialTable(id="trials")
                yield FrontTable(id="front")
                yield TrialDetails(id="details")
                yield BestPlot(id="plot")
        yield Prompt(id="prompt")
        yield self._status

    def on_mount(self) -> None:
        self.query_one(Prompt).focus()
        self._draw_status()
        self.follow()
        self._status.set_interval(0.5, self._draw_status)
        if self.on_terminal_gone is not None:
            self.set_interval(1.0, self._look_for_terminal)

    async def on_unmount(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._feed.close()

    # -- the run ----------------------------------------------------------------------------------

    @work(exclusive=True, group="follow", exit_on_error=False)
    async def follow(self) -> None:
        """Read and draw ten times a second until the app closes."""
        known = False
        while True:
            try:
                batch = await self._in_thread(lambda: self._feed.read(self.view.last_seq))
                if not known and (batch.events or (self.folder / "task.yaml").exists()):
                    self._set_facts(await self._in_thread(lambda: read_facts(self.folder)))
                    known = True
            except (RunError, OSError, sqlite3.Error) as error:
                self._report_trouble(f"the run's log cannot be read, trying again: {error}")
                await asyncio.sleep(RETRY_S)
                continue
            self._trouble = ""
            self._take(batch)
            if any(isinstance(event, TaskChanged) for event in batch.events):
                known = False  # the task file is another one now
            if batch.more:
                await asyncio.sleep(0)  # so that keys and drawing are not held up
            else:
                self._caught_up.set()
                await asyncio.sleep(POLL_S)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _set_facts(self, facts: Facts) -> None:
        self.view.know(facts)
        goals = facts.goals
        self.query_one(BestPlot).name_axis(facts.metric, limited=goals is not None and bool(goals.limits))
        self.query_one(TrialTable).name_metrics(facts.others)
        self.query_one(FrontTable).name_metrics(() if goals is None else goals.names)
        self.query_one(TitleBar).offer_front(goals is not None and goals.several)
        if facts.problem:
            self._reply(((facts.problem, "warn"),), bad=True)

    def _take(self, batch: Batch) -> None:
        self.view.fold(batch.events)
        if not batch.events and not batch.held:
            self.view.interrupt()
        self._draw()

    def _report_trouble(self, text: str) -> None:
        if text != self._trouble:  # once, not ten times a second
            self._trouble = text
            self._reply(((one_line(text, 400), "warn"),), bad=True)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self.log.error(error)
            self._reply(((f"{type(error).__name__}: {one_line(error, 300)}", "bad"),), bad=True)
            if event.worker.group == "follow":
                self.set_timer(RETRY_S, self.follow)

    # -- drawing ----------------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.query(ChatLog):
            return  # the widgets are gone already while the app closes
        changes = self.view.take_changes()
        if changes.chat:
            self.query_one(ChatLog).show(self.view.chat.items, changes.chat)
        if changes.trials:
            facts = self.view.facts
            self.query_one(TrialTable).show(self.view.trials, changes.trials, facts.short, facts.goals)
            self._draw_details()
        if changes.front:
            self.query_one(FrontTable).show(
                self.view.front_trials, self.view.facts.short, self.view.facts.goals
            )
        if changes.plot:
            self.query_one(BestPlot).view = self.view.plot
        if changes.chat or changes.trials:
            self._draw_status()

    def _draw_details(self) -> None:
        table, facts = self.query_one(TrialTable), self.view.facts
        number = self.view.best if table.chosen is None else table.chosen
        trial = None if number is None else self.view.trials.get(number)
        shown = (
            [] if trial is None else details(trial, facts.write, goals=facts.goals, pipeline=facts.pipeline)
        )
        self.query_one(TrialDetails).show(shown)
        self.screen_stack[0].set_class(table.chosen is not None, "-chosen")

    def _draw_status(self) -> None:
        self._status.show(segments(self.view, time.time(), self._quitting))

    def _reply(self, spans: Spans, *, bad: bool = False) -> None:
        self.view.add_reply(spans, bad=bad)
        self._draw()

    # -- input -----------------------------------------------------------------------

    @on(Prompt.Typed)
    async def _typed(self, event: Prompt.Typed) -> None:
        self.view.add_typed(event.line)
        self.query_one(ChatLog).follow()
        match respond(self.view, event.line, self.query_one(ChatLog).room or FRONT_WIDTH):
            case Reply(spans, bad):
                self._reply(spans, bad=bad)
            case Leave():
                self._draw()
                await self.action_quit()
            case command:
                self._draw()
                self._post(command)

    @work(group="post", exit_on_error=False)
    async def _post(self, command: Command) -> None:
        await self._in_thread(lambda: self._feed.post(command))

    @on(TrialTable.Chosen)
    def _chosen(self) -> None:
        self._draw_details()

    @on(FrontTable.Chosen)
    def _chosen_on_front(self, event: FrontTable.Chosen) -> None:
        self.query_one(TrialTable).chosen = event.number
        self._draw_details()

    async def on_event(self, event: events.Event) -> None:
        """What is typed while a table or the log has the focus goes to the line, which would else lose it.

        Here, before keys are handed on: those that arrived with the first one then follow it there.
        """
        typed = isinstance(event, events.Key) and event.is_printable and event.key != "question_mark"
        if typed and isinstance(self.focused, TrialTable | FrontTable | ChatLog):
            self.action_to_prompt()
            self.set_focus(self.query_one(Prompt))  # at once; `focus` waits for its turn
        await super().on_event(event)

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_trials(self) -> None:
        """Focus the trials, or the line again."""
        table = self.query_one(TrialTable)
        if table.has_focus:
            self.action_to_prompt()
        else:
            self.screen_stack[0].remove_class("-front")
            self.screen_stack[0].add_class("-trials")
            table.focus()
            table.choose_newest()

    def action_front(self) -> None:
        """Show the Pareto front in place of the trials, or the trials again."""
        goals = self.view.facts.goals
        if goals is None or not goals.several:
            self._reply((("the task has one metric to optimise, so there is no front: /best", "warn"),))
            return
        screen, front = self.screen_stack[0], self.query_one(FrontTable)
        if front.has_focus:
            self.action_to_prompt()
        else:
            screen.add_class("-front", "-trials")
            front.focus()

    def action_to_prompt(self) -> None:
        """Focus the line and choose no trial."""
        self.screen_stack[0].remove_class("-trials", "-front")
        self.query_one(TrialTable).choose_none()
        self._draw_details()
        self.query_one(Prompt).focus()

    def action_scroll_log(self, pages: int) -> None:
        chat = self.query_one(ChatLog)
        chat.scroll_relative(y=pages * max(chat.size.height - 2, 1), animate=False)

    def action_open_all(self) -> None:
        self.query_one(ChatLog).toggle_all()

    def _look_for_terminal(self) -> None:
        if self.on_terminal_gone is not None and self.return_code is None and terminal_gone():
            self.on_terminal_gone()

    # -- leaving ----------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Leave; a run of our own is asked to stop and waited for. Asked twice: leave at once."""
        if self._quitting or not self.owns_run or self.view.started is None or self.view.over:
            self._leave()
            return
        self._quitting = True
        self._reply((("stopping workers… (ctrl+q again leaves without waiting)", "warn"),))
        self._draw_status()
        self._post(Stop(reason="the terminal was closed"))
        self._wait_for_the_end()

    @work(group="leave", exit_on_error=False)
    async def _wait_for_the_end(self) -> None:
        until = time.monotonic() + STOP_WAIT_S
        while not self.view.over and time.monotonic() < until:
            await asyncio.sleep(POLL_S)
        self._leave()

    def _leave(self) -> None:
        self.exit(closing_text(self.view, self.folder, self.owns_run))


def terminal_gone() -> bool:
    """Whether the terminal on stdin was closed at its other end."""
    poll = select.poll()
    poll.register(0, 0)  # errors and hang-ups are told whatever one asks for
    return any(told & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, told in poll.poll(0))
