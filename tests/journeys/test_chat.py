"""`tunesmith chat` in a real terminal: a pty of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from fakes.tiny_job import command, environment, write_job
from tunesmith.api.background import ask_to_end
from tunesmith.commands import Stop
from tunesmith.events import Event, RunFinished, TrialFinished
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.run_list import runs_in


@pytest.mark.parametrize("told", [True, False], ids=["with a signal", "without one"])
def test_a_closed_window_ends_the_program_and_stops_its_run_resumably(tmp_path: Path, told: bool) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    with opened(tmp_path, "chat", "task.yaml") as (chat, master):
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events), master)
        os.close(master)
        if told:
            chat.send_signal(signal.SIGHUP)  # what the kernel sends to a session whose terminal is gone
        assert chat.wait() == 128 + signal.SIGHUP
        events = until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events))
        assert [(e.status, e.reason) for e in events if isinstance(e, RunFinished)] == [
            ("stopped", "the terminal was closed (SIGHUP)")
        ]


@pytest.mark.long
def test_a_run_goes_on_without_its_window_where_that_was_chosen(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    with opened(tmp_path, "chat", "task.yaml", "--on-close", "keep") as (chat, master):
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events), master)
        os.close(master)
        assert chat.wait() == 128 + signal.SIGHUP
        seen = len(until(tmp_path, lambda events: True))
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events[seen:]))
        stop(tmp_path)
        events = until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events))
        assert [e.reason for e in events if isinstance(e, RunFinished)] == ["the test is over"]


def test_a_killed_terminal_ui_leaves_the_terminal_as_it_was_and_its_run_follows_the_choice(
    tmp_path: Path,
) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    with opened(tmp_path, "chat", "task.yaml", "--on-close", "keep") as (chat, master):
        before = termios.tcgetattr(master)
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events), master)
        assert termios.tcgetattr(master) != before
        drawing = psutil.Process(chat.pid).children()
        drawing[0].kill()  # the others are the engine's, in a session of its own
        text = rest(chat, master)
        assert chat.returncode == 128 + signal.SIGKILL
        assert termios.tcgetattr(master) == before
        for sequence in ("[?1049l", "[?1000l", "[?1003l", "[?1006l", "[?2004l", "[<u", "[?25h", "[?7h"):
            assert f"\x1b{sequence}" in text
        assert "The run goes on" in text and "Come back with: tunesmith attach tiny" in text
        assert [run.state for run in runs_in(tmp_path / "runs")] == ["running"]
        stop(tmp_path)
        until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events))


@pytest.mark.slow
def test_what_is_typed_before_the_screen_is_drawn_reaches_the_run(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    with opened(tmp_path, "chat", "task.yaml") as (chat, master):
        os.write(master, b"/stop\r")  # the terminal makes a new line of the enter key as yet
        events = until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events), master)
        assert [e.status for e in events if isinstance(e, RunFinished)] == ["stopped"]
        os.write(master, b"\x11")
        rest(chat, master)
        assert chat.returncode == 130


@contextmanager
def opened(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command in a terminal of its own, and the other end of that terminal."""
    master, slave = pty.openpty()
    chat = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(TERM="xterm-256color"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    try:
        yield chat, master
    finally:
        os.close(slave)
        ask_to_end(folder / "runs/tiny")
        chat.terminate()
        chat.wait()


def stop(folder: Path) -> None:
    with closing(EventStore(folder / "runs/tiny/run.db")) as store:
        store.post(Stop(reason="the test is over"))


def rest(process: subprocess.Popen[bytes], master: int) -> str:
    """What the terminal is given until the program has ended."""
    os.set_blocking(master, False)
    text, ended = b"", False
    while not ended:
        ended = process.poll() is not None
        with suppress(BlockingIOError):
            while data := os.read(master, 1 << 16):
                text += data
        time.sleep(0.02)
    return text.decode(errors="replace")


def until(folder: Path, found: Callable[[list[Event]], bool], master: int | None = None) -> list[Event]:
    """The run's events once `found` holds; meanwhile the terminal takes what is drawn."""
    if master is not None:
        os.set_blocking(master, False)
    while True:
        try:
            if master is not None:
                os.read(master, 1 << 16)
        except BlockingIOError:
            pass
        if (folder / "runs/tiny/run.db").exists():
            store = EventStore(folder / "runs/tiny/run.db", create=False)
            events = store.events()
            store.close()
            if found(events):
                return events
        time.sleep(0.05)
