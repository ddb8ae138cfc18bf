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

from textual import on, work
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.worker import Worker, WorkerState

from tunesmith.commands import Command, Stop
from tunesmith.errors import RunError
from tunesmith.events import Steered, TaskChanged
from tunesmith.text.literal import one_line
from tunesmith.tui.belief_feed import BeliefFeed
from tunesmith.tui.ended_run import EndedRun
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.feed import Batch, Feed
from tunesmith.tui.frame import Frame
from tunesmith.tui.going_on import Engine, asks_to_go_on, offer, why_not_started
from tunesmith.tui.spans import Spans
from tunesmith.tui.state import Changes, RunView
from tunesmith.tui.status import Segment, closing_text, segments
from tunesmith.tui.summary_view import about, summary
from tunesmith.tui.transcript import markdown, write_new
from tunesmith.tui.typed_history import keep_typed, read_typed
from tunesmith.tui.typed_lines import FRONT_WIDTH, Afterwards, Export, Leave, Reply, needs_no_run, respond
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.leave_screen import Choice, LeaveScreen
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.title_bar import TitleBar

POLL_S = 0.1
CATCHING_UP_S = 0.5
"""Between two drawings while a long log is read."""
FOLD_S = 0.01
"""How long events are taken in at a stretch."""
RETRY_S = 1.0
"""Pause after the log could not be read."""
STOP_WAIT_S = 20.0
"""How long quitting waits for workers to stop; a second ctrl+q waits no longer."""

NOTHING = Changes()
T = TypeVar("T")


class TunesmithApp(Frame):
    """Shows the run in `folder`, running, finished, or not yet begun.

    Args:
        folder: The run folder; its `run.db` need not exist yet.
        owns_run: This terminal started the run: quitting asks whether it should stop or go on.
        beliefs: Whether a process beside works out what the run believes; None: where there is a terminal.

    `run()` returns the text to print once the screen is gone: the state of the run, and how to continue.
    """

    TITLE = "tunesmith"
    CSS_PATH = "tunesmith.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(self, folder: Path, *, owns_run: bool = False, beliefs: bool | None = None) -> None:
        super().__init__(RunView(Facts()), one_line(folder.name, 40))
        self.folder = Path(folder)
        self.owns_run = owns_run
        self._feed = Feed(self.folder)
        self._wants_beliefs = beliefs
        self.without_beliefs = ""
        """Why no further beliefs come; empty while they may."""
        self.ended_run = EndedRun(self.folder)
        self._belief_feed = BeliefFeed(self.folder, lambda: self.view.last_seq)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tunesmith-feed")
        self.on_terminal_gone: Callable[[], None] | None = None
        """Called when the terminal is gone, of which not every process is told by a signal."""
        self.how_back = f"tunesmith attach {one_line(self.folder, 200)}"
        """The command that opens the run again."""
        self.is_alone: Callable[[], bool] = lambda: False
        """Whether the process is gone that would put the terminal back."""
        self.on_much_read: Callable[[], None] = lambda: None
        """Called when many objects have come that stay, such as a log's; `gc.freeze` spares looking through
        them again and again, for a quarter of a second each time that no key is answered."""
        self.first_seq: int | None = None
        """The newest event when the app opened; None while it is not known."""
        self.go_on: Callable[[], Engine | None] | None = None
        """Starts the engine of a run that has ended; returns None where one runs."""
        self.engine: Engine | None = None
        """What was started here and is not known to have begun."""
        self.left: Choice | None = None
        """What was chosen for a run of our own on leaving; None: it was not asked."""
        self._quitting = False
        self._trouble = ""
        self._newest = 0  # event of the log while further ones wait to be read
        self._drawn_at = 0.0
        self._caught_up = asyncio.Event()
        self._early: list[str] = []
        """Lines typed before the log was read and the run had begun, oldest first."""

    def get_driver_class(self) -> type[Driver]:
        from textual.drivers.linux_driver import LinuxDriver

        from tunesmith.tui.driver import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    async def settled(self) -> None:
        """Wait until everything the log held when the app opened is drawn."""
        await self._caught_up.wait()

    def on_mount(self) -> None:
        self.query_one(Prompt).remember(read_typed(self.folder))
        self.screen.set_focus(self.query_one(Prompt))  # at once: keys typed meanwhile wait already
        self._draw_status()
        self.draw_footer()
        self.follow()
        if not self.is_headless if self._wants_beliefs is None else self._wants_beliefs:
            self.follow_beliefs()
        self._status.set_interval(0.5, self._draw_status)
        self.set_interval(0.5, self._look_at_engine)
        if self.on_terminal_gone is not None:
            self.set_interval(1.0, self._look_for_terminal)

    async def on_unmount(self) -> None:
        await self._belief_feed.end()
        await self.ended_run.end()
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
            await self._take(batch)
            if any(isinstance(event, TaskChanged | Steered) for event in batch.events):
                known = False  # the task file is another one now
            if batch.more:
                await asyncio.sleep(0)  # so that keys and drawing are not held up
            else:
                if self.first_seq is None:
                    self.first_seq = self.view.last_seq
                    self.on_much_read()
                    if self.view.over and self.engine is None and self.go_on is not None:
                        self._reply(offer(self.view))
                self._caught_up.set()
                if self._early:
                    await self._carry_out_early()
                await asyncio.sleep(POLL_S)

    @work(exclusive=True, group="beliefs", exit_on_error=False)
    async def follow_beliefs(self) -> None:
        """Draw what the run believes whenever that changes, until the app closes."""
        self.without_beliefs = await self._belief_feed.follow(self.view.believe)
        self._reply(((f"No further beliefs are shown: {self.without_beliefs}.", "warn"),), bad=True)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _set_facts(self, facts: Facts) -> None:
        self.view.know(facts)
        if facts.problem:
            self._reply(((facts.problem, "warn"),), bad=True)

    async def _take(self, batch: Batch) -> None:
        begun = time.monotonic()
        for event in batch.events:
            self.view.fold((event,))
            if time.monotonic() - begun > FOLD_S:
                await asyncio.sleep(0)  # so that keys and drawing are not held up
                begun = time.monotonic()
        if not batch.events and not batch.held:
            self.view.interrupt()
        self._newest = batch.newest
        now = time.monotonic()
        if not batch.more or now - self._drawn_at > CATCHING_UP_S:
            self._draw()
            self._drawn_at = time.monotonic()
            if batch.more:
                self.on_much_read()

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
        self.draw_panes(changes)
        if changes != NOTHING:
            self._draw_status()

    def _draw_status(self) -> None:
        line = segments(self.view, time.time(), self._quitting)
        if self._newest:
            read = f"reading the log: {100 * self.view.last_seq // self._newest} %"
            line.insert(0, Segment(((read, "warn"),), 0))
        self._status.show(line)
        self._summary.show(summary(self.view))
        self.draw_strip()
        for title in self.query(TitleBar):
            title.tell(about(self.view))

    def _reply(self, spans: Spans, *, bad: bool = False) -> None:
        self.view.add_reply(spans, bad=bad)
        self._draw()

    # -- input -----------------------------------------------------------------------

    @on(Prompt.Typed)
    async def _typed(self, event: Prompt.Typed) -> None:
        self.view.add_typed(event.line)
        self._keep_typed(event.line)
        self.query_one(ChatLog).follow()
        waits = self._waits_for()
        if waits and not needs_no_run(event.line):
            self._early.append(event.line)
            self._reply(((f"this waits until {waits}", "dim"),))
            return
        await self._carry_out(event.line)

    def _waits_for(self) -> str:
        """What has to be so before a line can be carried out; empty where it is."""
        if not self._caught_up.is_set():
            return "the run's log is read"
        if self.engine is not None and not self.view.began_since(self.engine.began):
            return "the run has started"
        return ""

    async def _carry_out_early(self) -> None:
        while self._early and not self._waits_for():
            await self._carry_out(self._early.pop(0))

    async def _carry_out(self, line: str) -> None:
        if asks_to_go_on(line) and not self.view.runs and self.go_on is not None:
            self._go_on(self.go_on)
            return
        match respond(self.view, line, self.query_one(ChatLog).room or FRONT_WIDTH):
            case Reply(spans, bad):
                self._reply(spans, bad=bad)
            case Leave():
                self._draw()
                await self.action_quit()
            case Export(file):
                self._export(file)
            case Afterwards(said):
                self._draw()
                self._say_afterwards(said)
            case command:
                self._draw()
                self._post(command)

    @work(group="typed", exit_on_error=False)
    async def _keep_typed(self, text: str) -> None:
        try:
            await self._in_thread(lambda: keep_typed(self.folder, text))
        except OSError as error:  # a folder that cannot be written has no history, and all else works
            self.log.warning(error)

    @work(group="export", exit_on_error=False)
    async def _export(self, file: str) -> None:
        """Write the conversation to a file that does not exist yet."""
        text = markdown(self.view.chat, one_line(self.folder.name, 60))
        try:
            path = await self._in_thread(lambda: write_new(file, text))
        except OSError as error:
            self._reply(
                ((f"not written: {one_line(error.strerror or error, 200)}: {one_line(file)}", "warn"),),
                bad=True,
            )
        else:
            self._reply(((f"the conversation is in {one_line(path, 400)}", ""),))

    @work(group="post", exit_on_error=False)
    async def _post(self, command: Command) -> None:
        await self._in_thread(lambda: self._feed.post(command))

    @work(group="afterwards", exit_on_error=False)
    async def _say_afterwards(self, line: str) -> None:
        """Have a line carried out in a run that is over; its answer comes by the log."""
        if why := await self.ended_run.say(line):
            self._reply(((why, "warn"),), bad=True)

    @work(group="engine", exit_on_error=False)
    async def _go_on(self, start: Callable[[], Engine | None]) -> None:
        """Start the engine of a run that has ended, and see to it that its failure is told."""
        engine = await self._in_thread(start)
        if engine is None:
            self._reply((("the run is starting already", "dim"),))
            return
        self.engine, self.owns_run = engine, True
        self._reply((("starting the run again, in the background…", "dim"),))

    def _look_at_engine(self) -> None:
        """Tell, once, what an engine printed that ended without having begun a session."""
        engine = self.engine
        if engine is not None and engine.code is not None:
            self.engine = None
            if not self.view.began_since(engine.began):
                self._reply(why_not_started(engine), bad=engine.code != 0)

    def _look_for_terminal(self) -> None:
        told = self.on_terminal_gone
        if told is not None and self.return_code is None and (terminal_gone() or self.is_alone()):
            told()

    # -- leaving ----------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Leave. About a run of our own that goes on it is asked once what should become of it.

        Asked again: leave at once, and the run goes on, or ends by itself where it was told to.
        """
        if isinstance(self.screen, LeaveScreen):
            self.screen.action_choose("keep")
        elif self._quitting or not self.owns_run or self.view.over:
            self._leave()
        else:
            self.push_screen(LeaveScreen(self.how_back), self._decided)

    def _decided(self, choice: Choice | None) -> None:
        self.left = choice
        if choice == "keep" or (choice == "stop" and (self.view.started is None or self.view.over)):
            self._leave()
        elif choice == "stop":
            self._quitting = True
            self._reply((("stopping workers… (ctrl+q again leaves without waiting)", "warn"),))
            self._draw_status()
            self._post(Stop(reason="a person stopped it on leaving"))
            self._wait_for_the_end()

    @work(group="leave", exit_on_error=False)
    async def _wait_for_the_end(self) -> None:
        until = time.monotonic() + STOP_WAIT_S
        while not self.view.over and time.monotonic() < until:
            await asyncio.sleep(POLL_S)
        self._leave()

    def _leave(self) -> None:
        self.exit(closing_text(self.view, self.folder, self.how_back, stopping=self.left == "stop"))


def terminal_gone() -> bool:
    """Whether the terminal on stdin was closed at its other end."""
    poll = select.poll()
    poll.register(0, 0)  # errors and hang-ups are told whatever one asks for
    return any(told & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, told in poll.poll(0))
