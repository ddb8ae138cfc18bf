"""`tunesmith chat` in a real terminal: a pty of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.tiny_job import command, environment, write_job
from tunesmith.commands import Stop
from tunesmith.events import Event, RunFinished, TrialFinished
from tunesmith.tools.records.event_store import EventStore


@pytest.mark.parametrize("told", [True, False], ids=["with a signal", "without one"])
def test_a_closed_window_takes_its_run_down_resumably(tmp_path: Path, told: bool) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    master, slave = pty.openpty()
    chat = subprocess.Popen(
        command("chat", "task.yaml"),
        cwd=tmp_path,
        env=environment(TERM="xterm-256color"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events), master)
        os.close(master)
        if told:
            chat.send_signal(signal.SIGHUP)  # what the kernel sends to a session whose terminal is gone
        events = until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events))
        assert [e.status for e in events if isinstance(e, RunFinished)] == ["stopped"]
        assert chat.wait() != 0
    finally:
        chat.kill()
        chat.wait()


def test_a_run_goes_on_without_its_window_where_that_was_chosen(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    master, slave = pty.openpty()
    chat = subprocess.Popen(
        command("chat", "task.yaml", "--keep-running"),
        cwd=tmp_path,
        env=environment(TERM="xterm-256color"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events), master)
        os.close(master)
        assert chat.wait() == 128 + signal.SIGHUP
        seen = len(until(tmp_path, lambda events: True))
        until(tmp_path, lambda events: any(isinstance(e, TrialFinished) for e in events[seen:]))
        store = EventStore(tmp_path / "runs/tiny/run.db")
        store.post(Stop(reason="the test is over"))
        store.close()
        events = until(tmp_path, lambda events: any(isinstance(e, RunFinished) for e in events))
        assert [e.reason for e in events if isinstance(e, RunFinished)] == ["the test is over"]
    finally:
        chat.kill()
        chat.wait()


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
