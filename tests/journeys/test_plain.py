"""Plain mode: `chat --plain` and `attach --plain` over pipes, in real processes."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from fakes.tiny_job import command, environment, wait_for, write_job
from tunesmith.tools.records.run_list import runs_in


class Talk:
    """A program whose lines are read as they come, and which is typed to."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=environment(TERM="dumb"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.text = ""
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.text += line
                self._more.notify_all()
        with self._more:
            self.text += "\0"
            self._more.notify_all()

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def until(self, pattern: str) -> None:
        """Wait for a line; fails where the program ends without."""
        with self._more:
            self._more.wait_for(lambda: re.search(pattern, self.text) or self.text.endswith("\0"))
        assert re.search(pattern, self.text), self.text

    def ended(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait()
        with self._more:
            self._more.wait_for(lambda: self.text.endswith("\0"))
        return code


@pytest.mark.slow
def test_a_run_is_started_asked_steered_left_joined_and_stopped_by_lines(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    first = Talk(tmp_path, "chat", "task.yaml", "--plain", "--no-model")
    first.until(r"#0 ")
    first.type("/help stop", "what matters?", "/freeze width=48")
    first.until(r"Answered from the records")
    first.until(r"> freeze: ")
    second = Talk(tmp_path, "attach", "tiny", "--plain")  # two terminals on one run
    second.until(r"tiny: running, \d+ of 300 trials done")
    second.type("/note from the second")
    first.until("from the second")
    first.type("/quit")
    first.until("Type keep to leave it running")
    first.type("keep")
    assert first.ended() == 0 and "Come back with: tunesmith attach tiny" in first.text
    second.type("/stop")
    second.until("tiny: stopped")
    assert second.ended() == 130
    for text in (first.text, second.text):
        assert "\x1b" not in text and "\r" not in text and "Traceback" not in text


@pytest.mark.slow
def test_the_end_of_stdin_and_signals_follow_the_choice(tmp_path: Path) -> None:
    write_job(tmp_path, trials=300, pause=0.05)
    chat = Talk(tmp_path, "chat", "task.yaml", "--plain", "--on-close", "keep")
    chat.until("#0 ")
    assert chat.ended() == 0 and "It goes on in the background" in chat.text
    watching = Talk(tmp_path, "attach", "--plain")
    watching.until("tiny: running")
    watching.process.send_signal(signal.SIGTERM)
    assert watching.ended() == 128 + signal.SIGTERM
    assert states(tmp_path) == ["running"]
    stopping = Talk(tmp_path, "attach", "--plain", "--on-close", "stop")
    stopping.until("tiny: running")
    assert stopping.ended() == 130
    wait_for(lambda: states(tmp_path) == ["stopped"])  # once its report is written


@pytest.mark.slow
def test_an_ended_run_is_asked_given_more_trials_and_resumed(tmp_path: Path) -> None:
    write_job(tmp_path, trials=2)
    run = Talk(tmp_path, "chat", "task.yaml", "--plain", "--no-model")
    run.until("tiny: finished")
    assert run.ended() == 0
    again = Talk(tmp_path, "attach", "tiny", "--plain")
    again.type("which trial is best?", "/trials +2", "/resume")
    again.until("tiny: finished, 4 of 4 trials done")
    assert again.ended() == 0
    assert "2 is now 4" in again.text and "Answered from the records" in again.text


def states(folder: Path) -> list[str]:
    return [run.state for run in runs_in(folder / "runs")]
