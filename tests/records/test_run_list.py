from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.tui_runs import TASK, Run, begun, trials
from tunesmith.events import Progress, RunFinished
from tunesmith.tools.records.run_list import runs_in


def made(runs: Path, name: str) -> Run:
    run = Run(runs / name)
    (run.folder / "task.yaml").write_text(TASK)
    (run.folder / "run.json").write_text(json.dumps({"created_at": 1.0}))
    return run


@pytest.mark.long
def test_every_run_is_listed_with_its_state_and_nothing_is_changed(tmp_path: Path) -> None:
    done = made(tmp_path, "done")
    done.tell(begun(), *trials([0.5, 0.7]), RunFinished(reason="the budget is used", status="finished"))
    going = made(tmp_path, "going")
    going.hold()
    going.tell(
        begun(), *trials([0.5]), Progress(done=1, total=16, running=0, workers=1, seconds=1, left_s=None)
    )
    cut = made(tmp_path, "cut \x1b[2J[b]")
    cut.tell(begun())
    broken = made(tmp_path, "broken")
    broken.store.close()
    (broken.folder / "run.db").write_bytes(b"no database at all" * 100)
    (tmp_path / "no run").mkdir()
    before = sorted(str(path) for path in done.folder.iterdir())
    found = {run.name: run for run in runs_in(tmp_path)}
    assert list(found)[0] == "going"
    states = {name: run.state for name, run in found.items()}
    assert states == {
        "going": "running",
        "done": "finished",
        "cut \x1b[2J[b]": "interrupted",
        "broken": "unreadable",
    }
    assert (found["going"].pid, found["going"].trials, found["going"].total) == (os.getpid(), 1, 16)
    assert (found["done"].trials, found["done"].reason) == (2, "the budget is used")
    assert sorted(str(path) for path in done.folder.iterdir()) == before
    ran = [
        subprocess.run(
            [sys.executable, "-P", "-m", "tunesmith", "ls", "--runs", str(tmp_path), *options],
            capture_output=True,
            text=True,
        )
        for options in ([], ["--json"])
    ]
    assert ran[0].returncode == 0, ran[0].stderr
    assert "going" in ran[0].stdout and "1 of 16" in ran[0].stdout and "\x1b" not in ran[0].stdout
    assert {run["name"] for run in json.loads(ran[1].stdout)} == set(found)
    going.let_go()
    for run in (done, going, cut):
        run.store.close()


def test_a_folder_without_runs_says_how_to_begin_one(tmp_path: Path) -> None:
    assert runs_in(tmp_path / "nothing") == ()
    command = [sys.executable, "-P", "-m", "tunesmith", "ls", "--runs", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0 and "tunesmith run TASK" in ran.stdout
    command[4] = "attach"
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2 and "needs a terminal" in ran.stderr
