"""What `chat` and `attach` share: the terminal UI behind its guard, and how the program ends with it.

Exit codes: the run's own where it ended while it was watched (0 finished, 1 failed, 130 stopped), 0 where
it goes on, 128 + n where signal n ended the program.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tunesmith.cli.errors import ENDED, FAILED, INTERRUPTED

if TYPE_CHECKING:
    from tunesmith.api.background import BackgroundEngine
    from tunesmith.tui.guard import Link

FIRST_EVENTS = 1000
"""How many of a run's events are read before the terminal UI opens."""
ENDING_S = 20.0
"""How long an engine whose run is over may take to write its report."""
OnClose = Literal["stop", "keep"]
OnCloseOption = Annotated[
    str | None,
    typer.Option(
        "--on-close",
        metavar="stop|keep",
        help="What happens to the run when the terminal is closed or the program is killed.",
    ),
]


def on_close_of(given: str | None, default: OnClose) -> OnClose:
    """The option's value.

    Raises:
        UsageError: It is neither.
    """
    from tunesmith.errors import UsageError, short

    if given is None:
        return default
    if given not in ("stop", "keep"):
        raise UsageError(f"--on-close should be stop or keep, got {short(given)}.")
    return "stop" if given == "stop" else "keep"


def how_back(folder: Path) -> str:
    """The command that opens a run again, for the shell."""
    short = folder.parent == Path.cwd() / "runs"
    return f"tunesmith attach {shlex.quote(folder.name if short else str(folder))}"


@dataclass(frozen=True)
class Seen:
    """How the terminal UI was left."""

    signal: int | None
    """What ended it; None: the person did."""
    left: OnClose | None
    """What was chosen for the run; None: it was not asked."""
    state: str
    began: bool
    ended_here: bool
    """Whether the run ended while it was watched."""
    failed: bool
    """Whether the UI itself did."""
    engine: BackgroundEngine | None
    """The newest that was started here."""


PlainOption = Annotated[
    bool,
    typer.Option("--plain", help="Lines instead of a full screen: for screen readers and pipes."),
]


def needs_terminal(plain: bool, instead: str) -> bool:
    """Whether lines are to be used.

    Raises:
        UsageError: There is no terminal, and lines were not asked for.
    """
    from tunesmith.errors import UsageError

    if not plain and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(instead)
    return plain or os.environ.get("TERM") == "dumb"


def open_terminal() -> Link:
    """Go on behind a guard, in a process of its own; see `tunesmith.tui.guard`."""
    from tunesmith.tui.guard import behind_guard

    return behind_guard(_after_sudden_end)


def watch(
    folder: Path,
    link: Link | None,
    *,
    engine: BackgroundEngine | None = None,
    on_close: OnClose,
    asks: bool = True,
) -> int:
    """Show a run until the terminal is left, and carry out what was chosen for it; the exit code.

    Args:
        link: To the guard of the full screen; None: lines are used.
        engine: Of a run that was started here; None: the run is another's.
        on_close: What happens to the run where nobody can be asked.
        asks: Whether leaving a run that was started here asks what should become of it.
    """
    from tunesmith.tools.records.event_store import EventStore

    with contextlib.closing(EventStore(folder / "run.db", create=False)) as log:
        log.events(limit=FIRST_EVENTS)  # a log that cannot be read is told on one line, and not in the UI
    if link is None:
        from tunesmith.cli.plain import watch_plain

        return watch_plain(folder, engine=engine, on_close=on_close, asks=asks, how_back=how_back(folder))
    link.tell(folder=str(folder), on_close=on_close, how_back=how_back(folder))
    seen = _show(folder, link, engine, owns_run=engine is not None and asks)
    engine = seen.engine
    link.tell(on_close="keep")  # what is to be done is done here
    if seen.signal is not None or (seen.failed and seen.left is None):
        if on_close == "stop":
            _end(folder, seen.signal or signal.SIGHUP)
        return FAILED if seen.signal is None else 128 + seen.signal
    if seen.left == "stop" and not seen.began:
        _end(folder, signal.SIGTERM)
    if engine is None or seen.left == "keep" or not (seen.ended_here or seen.left == "stop"):
        return ENDED.get(seen.state, 0) if seen.ended_here else 0
    code = engine.wait(ENDING_S) if seen.ended_here or not seen.began else engine.code
    if code in (None, 0, FAILED, INTERRUPTED) or code == -signal.SIGTERM:
        return INTERRUPTED if code is None or code < 0 else code
    print(engine.log_tail(), file=sys.stderr)
    print(f"tunesmith: the run ended with status {code}; see {folder / 'engine.log'}.", file=sys.stderr)
    return FAILED


def _show(folder: Path, link: Link, engine: BackgroundEngine | None, *, owns_run: bool) -> Seen:
    from tunesmith.api.background import go_on
    from tunesmith.tui.app import TunesmithApp

    app = TunesmithApp(folder, owns_run=owns_run)
    app.how_back = how_back(folder)
    app.engine = engine
    ended_by: list[int] = []
    engines = [engine]

    def start_again() -> BackgroundEngine | None:
        started = go_on(folder)
        engines[:] = [started or engines[0]]
        return started

    def leave(number: int, frame: object = None) -> None:
        """A closed window, or being asked to end; it may be told several times, by kernel and guard."""
        if not ended_by:
            ended_by.append(number)
            app.exit(return_code=128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)
    # Where the terminal is not this process's own nothing tells that it is gone.
    app.on_terminal_gone = lambda: leave(signal.SIGHUP)
    app.is_alone = lambda: link.gone
    app.go_on = start_again
    app.on_much_read = gc.freeze
    gc.freeze()  # what was imported stays as well
    link.tell(drawing=True)
    message = app.run()
    link.tell(drawing=False)
    if message:
        with contextlib.suppress(OSError):  # nobody is there to read it
            print(message, flush=True)
    return Seen(
        signal=ended_by[0] if ended_by else None,
        left=app.left,
        state=app.view.state,
        began=app.view.started is not None,
        ended_here=app.view.over and app.first_seq is not None and app.view.last_seq > app.first_seq,
        failed=app.return_code not in (0, None) and not ended_by,
        engine=engines[0],
    )


def _end(folder: Path, number: int) -> None:
    from tunesmith.api.background import ask_to_end

    ask_to_end(folder, number)


def _after_sudden_end(told: dict[str, Any], number: int) -> None:
    """In the guard: the guarded process was killed, and what was chosen for the run is carried out."""
    folder, kept = told.get("folder"), told.get("on_close") != "stop"
    if not isinstance(folder, str):
        return
    if not kept:
        _end(Path(folder), signal.SIGHUP)
    what = "The run goes on, where it was going on" if kept else "The run was asked to stop"
    with contextlib.suppress(OSError):
        os.write(2, f"\ntunesmith: the terminal's process was killed (signal {number}). {what}.\n".encode())
        os.write(2, f"Come back with: {told.get('how_back', '')}\n".encode())
