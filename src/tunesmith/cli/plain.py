"""Plain mode of `chat` and `attach`: lines out, lines in; no full screen, no cursor movement, no colour.

For screen readers, terminals that are no terminals (TERM=dumb), pipes and scripts. A line that is read is a
question, an instruction or a command as in the terminal UI; `y` and `n` answer what waits for approval.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tunesmith.cli.errors import ENDED, INTERRUPTED
from tunesmith.errors import RunError
from tunesmith.events import (
    ActionsProposed,
    Answered,
    Asked,
    CommandDone,
    Event,
    RunFinished,
    RunStarted,
    TaskChanged,
)
from tunesmith.text.literal import literal, one_line

if TYPE_CHECKING:
    from tunesmith.api.background import BackgroundEngine

POLL_S = 0.1
STOP_WAIT_S = 20.0
"""How long leaving waits for the run to stop."""
LONGEST = 100_000
"""Bytes of a line."""
BARS = str.maketrans("", "", "▁▂▃▄▅▆▇█")
OnClose = Literal["stop", "keep"]


class Leave(Exception):
    """The program is to end.

    Attributes:
        code: Its exit code; None: that of what became of the run.
    """

    def __init__(self, on_close: OnClose, code: int | None = None) -> None:
        super().__init__(on_close)
        self.on_close, self.code = on_close, code


class PlainWatch:
    """One run, watched and steered by lines.

    Args:
        engine: Of a run that was started here; None: the run is another's.
        on_close: What happens to the run when stdin ends, or a signal ends this program.
        asks: Whether `/quit` asks what should become of a run that was started here.
    """

    def __init__(
        self, folder: Path, *, engine: BackgroundEngine | None, on_close: OnClose, asks: bool, how_back: str
    ) -> None:
        from tunesmith.cli.stream import Stream
        from tunesmith.tools.records.run_folder import RunFolder
        from tunesmith.tui.facts import read_facts
        from tunesmith.tui.feed import Feed
        from tunesmith.tui.state import RunView

        self.folder, self.engine, self.how_back = folder, engine, how_back
        self._on_close, self._asks = on_close, asks and engine is not None
        self.view = RunView(read_facts(folder))
        self._feed = Feed(folder)
        self._stream = Stream(RunFolder.open(folder).task, quiet=True, colours=False)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._unanswered: set[int] = set()
        self._early: list[str | None] = []
        self._deciding = False
        self._trouble = ""
        self.ended_here = False

    def run(self) -> None:
        """Until the run ends, stdin does, or a person leaves.

        Raises:
            Leave: Not because the run has ended.
        """
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._signalled)
        self._read_all()
        self._tell_state()
        self._stream.quiet = False
        threading.Thread(target=self._read_lines, name="tunesmith-stdin", daemon=True).start()
        while not (self.ended_here and self.view.over):
            self._read_all()
            self._take_lines()
            if self._engine_failed():
                return
            time.sleep(POLL_S)

    def wait_for_the_end(self) -> None:
        """Show what the run still says, until it has ended or takes too long."""
        until = time.monotonic() + STOP_WAIT_S
        while not self.view.over and time.monotonic() < until and not self._engine_failed():
            self._read_all()
            time.sleep(POLL_S)

    @property
    def starting(self) -> bool:
        """Whether an engine that was started here has not begun its session."""
        return self.engine is not None and not self.view.began_since(self.engine.began)

    def _engine_failed(self) -> bool:
        return self.engine is not None and self.engine.code is not None and self.starting

    def _signalled(self, number: int, frame: object) -> None:
        raise Leave(self._on_close, 128 + number)

    # -- the run ----------------------------------------------------------------------------------

    def _read_all(self) -> None:
        more = True
        while more:
            try:
                batch = self._feed.read(self.view.last_seq)
            except (RunError, OSError, sqlite3.Error) as error:
                trouble = one_line(f"The run's log cannot be read, trying again: {error}", 400)
                if trouble != self._trouble:  # once, not every second
                    print(trouble, flush=True)
                self._trouble = trouble
                time.sleep(1.0)
                continue
            self.view.fold(batch.events)
            if not batch.events and not batch.held and not self.starting:
                self.ended_here |= self.view.started is not None and not self.view.over
                self.view.interrupt()
            for event in batch.events:
                self._take(event)
            more = batch.more

    def _take(self, event: Event) -> None:
        from tunesmith.tools.records.run_folder import RunFolder
        from tunesmith.tui.facts import read_facts

        loud = not self._stream.quiet
        if isinstance(event, TaskChanged | RunStarted):
            self._stream.task = RunFolder.open(self.folder).task
            self.view.know(read_facts(self.folder))
        if not (isinstance(event, CommandDone) and event.command == "ask" and event.ok):
            self._stream.show(event)
        match event:
            case CommandDone(command_id=number, command=command) if command != "ask":
                self._unanswered.discard(number)
            case CommandDone(command_id=number, ok=False):
                self._unanswered.discard(number)
            case Answered(command_id=number, final=True):
                self._unanswered.discard(number)
            case ActionsProposed() if loud:
                for effect in event.effects:
                    print(literal(f"  {'would' if event.waiting else 'does'}: {effect}"), flush=True)
                if event.waiting:
                    print("This waits for approval: y carries it out, n drops it.", flush=True)
                    self._unanswered.discard(event.command_id)
            case Asked() if loud:
                print(literal(f"? {event.text}"), flush=True)
            case RunStarted():
                self.ended_here = False
            case RunFinished() if loud:
                self.ended_here = True
            case _:
                pass

    def _tell_state(self) -> None:
        from tunesmith.tui.spans import plain
        from tunesmith.tui.summary_view import summary

        view = self.view
        if view.started is None:
            print("The run is starting." if self.engine is not None else "The run has not started yet.")
        else:
            of = "" if view.facts.trials is None else f" of {view.facts.trials}"
            name = one_line(view.started.name, 60)
            state = "starting again" if self.starting else view.state
            print(f"{name}: {state}, {view.finished}{of} trials done.")
            for line in summary(view):
                print(literal(plain(line)))
            if view.over and not self.starting:
                print("/resume goes on with it; questions and /trials +10 are possible before.")
        print("Type a question, an instruction or a command; /help lists them, /quit leaves.", flush=True)

    # -- the person -------------------------------------------------------------------------------

    def _read_lines(self) -> None:
        """By the descriptor: the end of the program does not wait for a reading `sys.stdin`."""
        begun = b""
        with contextlib.suppress(OSError):
            while data := os.read(0, 1 << 12):
                *whole, begun = (begun + data)[-LONGEST:].split(b"\n")
                for line in whole:
                    self._lines.put(line.decode(errors="replace").strip())
        if begun.strip():
            self._lines.put(begun.decode(errors="replace").strip())
        self._lines.put(None)

    def _take_lines(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._early.append(self._lines.get_nowait())
        while self._early and not self.starting:
            line = self._early[0]
            if line is None:
                if self.view.over or not (self._unanswered or self.view.state == "stopping"):
                    raise Leave(self._on_close)
                return
            self._early.pop(0)
            if self._deciding:
                self._decide(line)
            elif line:
                self._carry_out(line)

    def _carry_out(self, line: str) -> None:
        from tunesmith.tui import typed_lines
        from tunesmith.tui.going_on import asks_to_go_on
        from tunesmith.tui.spans import plain

        if line.casefold() == "/beliefs":
            self._show_beliefs()
            return
        if asks_to_go_on(line) and self.view.over:
            self._go_on()
            return
        match typed_lines.respond(self.view, line):
            case typed_lines.Reply(spans):
                print(literal(plain(spans)), flush=True)
            case typed_lines.Leave():
                self._quit()
            case typed_lines.Export():
                print("A transcript is written by the terminal UI: tunesmith attach.", flush=True)
            case typed_lines.Afterwards(said):
                self._tell_ended(said)
            case command:
                self._unanswered.add(self._feed.post(command))

    def _tell_ended(self, line: str) -> None:
        """Its events come by the log, as those of a running run."""
        from tunesmith.api.telling import tell
        from tunesmith.settings import ModelSettings
        from tunesmith.steering.lines import read_line
        from tunesmith.steering.verbs import LineFault, Local
        from tunesmith.tui.typed_lines import known_of

        command = read_line(line, known_of(self.view))
        if isinstance(command, Local | LineFault):
            return
        try:
            told = tell(self.folder, command, settings=ModelSettings.from_environment())
        except RunError as error:
            print(one_line(error, 400), flush=True)
            return
        if told.status == "waiting":
            print("Nothing is changed: the run has ended, so type it as a command, such as /trials +10.")

    def _show_beliefs(self) -> None:
        from tunesmith.api.beliefs import beliefs_of
        from tunesmith.tui.belief_view import report_lines
        from tunesmith.tui.spans import plain

        try:
            found = beliefs_of(self.folder)
        except RunError as error:
            print(one_line(error, 400), flush=True)
            return
        lines = (literal(plain(line)).translate(BARS).rstrip() for line in report_lines(found, 100))
        print("\n".join(lines), flush=True)

    def _go_on(self) -> None:
        from tunesmith.api.background import go_on

        engine = go_on(self.folder)
        if engine is None:
            print("The run is starting already.", flush=True)
            return
        self.engine, self._asks, self.ended_here = engine, True, False
        print("Starting the run again, in the background.", flush=True)

    def _quit(self) -> None:
        if not self._asks or self.view.over:
            raise Leave("keep")
        self._deciding = True
        print("The run goes on. Type keep to leave it running, stop to stop it, stay to stay.", flush=True)

    def _decide(self, line: str) -> None:
        self._deciding = False
        if line.casefold() in ("keep", "stop"):
            raise Leave("stop" if line.casefold() == "stop" else "keep")
        print("Staying.", flush=True)


def watch_plain(
    folder: Path, *, engine: BackgroundEngine | None, on_close: OnClose, asks: bool, how_back: str
) -> int:
    """Show a run by lines; the exit code."""
    from tunesmith.api.background import ask_to_end
    from tunesmith.tui.status import closing_text

    watch = PlainWatch(folder, engine=engine, on_close=on_close, asks=asks, how_back=how_back)
    code: int | None = None
    stopping = False
    try:
        watch.run()
    except (Leave, KeyboardInterrupt) as left:
        chosen = left.on_close if isinstance(left, Leave) else on_close
        code = left.code if isinstance(left, Leave) else INTERRUPTED
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if chosen == "stop" and not watch.view.over or chosen == "stop" and watch.starting:
            stopping = ask_to_end(folder, signal.SIGHUP)
            if code is None or code == INTERRUPTED:  # after a signal nobody waits
                watch.wait_for_the_end()
                code = INTERRUPTED
        code = 0 if code is None else code
    if watch.starting and watch.engine is not None and watch.engine.code is not None:
        print(literal(watch.engine.log_tail()), file=sys.stderr)
        return watch.engine.code
    with contextlib.suppress(OSError):
        print(literal(closing_text(watch.view, folder, how_back, stopping=stopping)), flush=True)
    if code is not None:
        return code
    return ENDED.get(watch.view.state, 0)
