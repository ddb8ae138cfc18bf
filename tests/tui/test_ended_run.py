"""What is typed once a run has ended: answered and recorded by a process beside the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from fakes.tiny_job import tunesmith, write_job
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.ended_run import EndedRun
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.prompt import Prompt

TRAIN = "def train(config, trial):\n    return {'score': config['lr']}\n\n\ntest = train\n"


async def test_a_run_that_is_over_answers_and_takes_changes_and_stays_over(tmp_path: Path) -> None:
    write_job(tmp_path, trials=2, train=TRAIN)
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0
    app = TunesmithApp(tmp_path / "runs" / "tiny")
    async with app.run_test(size=(120, 40)) as pilot:
        await app.settled()
        prompt, chat = app.query_one(Prompt), app.query_one(ChatLog)
        for line in ("what did I ask?", "/trials +3"):
            prompt.value = line
            await pilot.press("enter")
        while "2 is now 5" not in chat.text or app.view.facts.trials != 5:
            await pilot.pause(0.05)
        assert "without a model" in chat.text and not app.view.asked
        assert app.view.over and app.is_running


async def test_what_cannot_be_carried_out_is_said_and_a_line_is_never_an_option(tmp_path: Path) -> None:
    nowhere = EndedRun(tmp_path / "no run")
    assert "no run" in await nowhere.say("--help")
    nowhere.command = (str(tmp_path / "no-such-program"),)
    assert "cannot be started" in await nowhere.say("what matters?")
    ended = EndedRun(tmp_path)
    ended.command = (sys.executable, "-c", "import sys; sys.stderr.write('\\x1b[31mbad'); sys.exit(2)")
    assert await ended.say("x") == "bad"
