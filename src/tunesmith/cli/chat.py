"""`tunesmith chat`: the terminal UI over a run, started, continued or only watched."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import FAILED, INTERRUPTED, Debug, report_errors
from tunesmith.cli.run import Fresh, From, Name, NoModel, Runs, Seed, Trials, Workers, adjusted

FIRST_EVENTS = 1000
"""How many of a run's events are read before the terminal UI opens."""
CLOSING_S = 10.0
"""How long the terminal UI may take to close after a signal."""
LOG_LINES = 20
"""How much of a failed engine's log is shown."""


@report_errors
def chat(
    what: Annotated[
        Path,
        typer.Argument(
            help="A task file to run or continue, or a run folder to look at.",
            show_default=False,
            metavar="TASK|RUN",
        ),
    ],
    runs: Runs = Path("runs"),
    name: Name = None,
    fresh: Fresh = False,
    start_from: From = None,
    trials: Trials = None,
    workers: Workers = None,
    seed: Seed = None,
    no_model: NoModel = False,
    keep_running: Annotated[
        bool,
        typer.Option(
            "--keep-running",
            help="Let the run go on when this terminal is left or closed; the same command joins it again.",
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Watch, question and steer a run in the terminal.

    A task file is run, or continued; where it is running already this terminal joins it. A run folder is
    only shown. Quitting, or closing the terminal, stops a run that this terminal started, unless
    --keep-running is given; the same command continues it.
    """
    from tunesmith.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("chat needs a terminal. For scripts and CI use `tunesmith run`.")
    from tunesmith.api.checking import check_code
    from tunesmith.api.choosing import chosen_run
    from tunesmith.tools.records.lock import holder_of
    from tunesmith.tools.records.run_folder import RunFolder

    if what.is_dir():
        raise typer.Exit(show(RunFolder.open(what).path, owns_run=False))
    task = adjusted(what, name=name, trials=trials, workers=workers, seed=seed)
    check_code(task)
    chosen = chosen_run(task, runs, fresh=fresh, start_from=start_from)
    folder = RunFolder.create(runs, chosen.task, source=chosen.source_shown, begun_as=chosen.begun_as)
    holder = holder_of(folder.path / "lock")
    if holder is not None and holder.alive is not False:
        raise typer.Exit(show(folder.path, owns_run=False))
    options = ["--name", folder.path.name, "--runs", str(runs)]
    options += [f"--trials={trials}"] * (trials is not None) + [f"--workers={workers}"] * (
        workers is not None
    )
    options += [f"--seed={seed}"] * (seed is not None) + ["--no-model"] * no_model
    options += [f"--from={start_from}"] * (start_from is not None)
    engine = _start_engine(what, options, folder.path)
    code = 0
    try:
        code = show(folder.path, owns_run=not keep_running)
    finally:
        if not keep_running:
            _wait_for(engine, folder.path)
    if engine.poll() is None:
        raise typer.Exit(code)
    if engine.returncode not in (0, FAILED, INTERRUPTED):  # the others were shown in the terminal
        log = folder.path / "engine.log"
        print("\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:]), file=sys.stderr)
        print(f"tunesmith: the run ended with status {engine.returncode}; see {log}.")
        raise typer.Exit(FAILED)
    raise typer.Exit(code or (FAILED if engine.returncode == FAILED else 0))


def _start_engine(task: Path, options: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start the run in a process and session of its own, which the terminal's Ctrl-C does not reach."""
    with (folder / "engine.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tunesmith", "run", str(task), "--quiet", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def show(folder: Path, *, owns_run: bool) -> int:
    """Show the run in `folder` until the terminal is left; the exit code."""
    from tunesmith.tools.records.event_store import EventStore
    from tunesmith.tui.app import TunesmithApp

    with contextlib.closing(EventStore(folder / "run.db", create=False)) as log:
        log.events(limit=FIRST_EVENTS)  # a log that cannot be read is told on one line, and not in the UI
    app = TunesmithApp(folder, owns_run=owns_run)

    def leave(number: int, frame: object = None) -> None:
        """A closed window, or being asked to end, counts as quitting."""
        if app.return_code:  # asked before, and the terminal does not let go
            raise SystemExit(128 + number)
        app.exit(return_code=128 + number)
        signal.setitimer(signal.ITIMER_REAL, CLOSING_S)

    def give_up(number: int, frame: object) -> None:
        """The terminal takes no output, as after Ctrl-S, and so the app cannot close it."""
        raise SystemExit(app.return_code)

    signal.signal(signal.SIGALRM, give_up)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)
    # Where the terminal is not this process's own nothing tells that it is gone.
    app.on_terminal_gone = lambda: leave(signal.SIGHUP)
    try:
        message = app.run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if message:
        with contextlib.suppress(OSError):  # nobody is there to read it
            print(message, flush=True)
    return app.return_code or 0


def _wait_for(engine: subprocess.Popen[bytes], folder: Path, patience_s: float = 20.0) -> None:
    """Wait until the engine has ended by itself; end it after `patience_s`."""
    from tunesmith.commands import Stop
    from tunesmith.tools.records.event_store import EventStore

    if engine.poll() is None:
        store = EventStore(folder / "run.db")
        store.post(Stop(reason="the terminal was closed"))
        store.close()
    deadline = time.monotonic() + patience_s
    while engine.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if engine.poll() is None:
        engine.terminate()
        try:
            engine.wait(10)
        except subprocess.TimeoutExpired:
            engine.kill()  # trials end themselves when their engine is gone
            engine.wait()
