"""The terminal as a person has it: start, ask, steer, leave, attach, stop, in tmux.

The screens are written to the folder in TUNESMITH_SCREENS, else to the test's own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.tiny_job import command, environment, write_job

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")]


class Tmux:
    """A tmux server of its own with one window, 120 by 40."""

    def __init__(self, folder: Path, screens: Path) -> None:
        self._screens, self._taken = screens, 0
        self._socket = str(folder / "tmux")
        env = environment(TERM="xterm-256color")
        subprocess.run(
            [
                "tmux",
                "-S",
                self._socket,
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                "120",
                "-y",
                "40",
                "sh",
            ],
            cwd=folder,
            env=env,
            check=True,
        )

    def _tmux(self, *arguments: str) -> str:
        return subprocess.check_output(["tmux", "-S", self._socket, *arguments], text=True)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def line(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", "Enter")

    def until(self, found: str | Callable[[str], bool], name: str) -> None:
        """Wait for a text on the screen, and keep the screen under a name."""
        while not (found in self.screen() if isinstance(found, str) else found(self.screen())):
            time.sleep(0.1)
        self._taken += 1
        (self._screens / f"{self._taken:02}-{name}.txt").write_text(self.screen())

    def close(self) -> None:
        self._tmux("kill-server")


def test_start_ask_steer_leave_attach_stop(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    screens = Path(os.environ.get("TUNESMITH_SCREENS", tmp_path / "screens"))
    screens.mkdir(parents=True, exist_ok=True)
    tmux = Tmux(tmp_path, screens)
    try:
        tmux.line(shlex.join(command()))
        tmux.until("the example", "first-screen")
        tmux.keys("Enter")  # the task
        tmux.until("running", "started")
        tmux.line("what matters?")
        tmux.until("without a model", "asked")
        tmux.line("/freeze width=48")
        tmux.until("width", "steered")
        tmux.keys("C-q")
        tmux.until("What should become of it?", "leaving")
        tmux.keys("b")
        tmux.until("Everything is in", "left")
        tmux.line("clear")
        tmux.line(shlex.join(command("attach", "tiny")))
        tmux.line("/stop")  # before the screen is drawn
        tmux.until("● stopped", "stopped")
        tmux.keys("C-q")
        tmux.until("tiny: stopped", "the-end")
    finally:
        tmux.close()
    assert len(list(screens.glob("*.txt"))) >= 8
