"""`tunesmith beliefs --follow` on a run that goes on, and when who reads it is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ENGINE = """
import sys, time
from pathlib import Path
import tunesmith
from tunesmith.space import Float

here = Path(sys.argv[1])

def train(config, trial):
    while not (here / f"go{trial.number}").exists():
        time.sleep(0.05)
    return {"loss": (config["x"] - 0.3) ** 2}

if __name__ == "__main__":
    tunesmith.tune(train, {"x": Float(0.0, 1.0)}, metric="loss", direction="minimize", trials=4, name="slow",
                   runs=here, model=None)
"""

TERMINAL = """
import asyncio, sys
from pathlib import Path
from tunesmith.tui.belief_feed import BeliefFeed

async def main():
    feed = BeliefFeed(Path(sys.argv[1]), lambda: 1)
    await feed.follow(lambda _: print(feed.process.pid, flush=True))

asyncio.run(main())
"""


@pytest.fixture
def going_on(tmp_path: Path) -> Iterator[Path]:
    """The folder of a run whose trial N ends once a file `goN` is beside it; it waits in trial 0."""
    script = tmp_path / "engine.py"
    script.write_text(ENGINE)
    engine = subprocess.Popen([sys.executable, "-P", str(script), str(tmp_path)])
    try:
        while not list(tmp_path.glob("slow/lock")) or not list(tmp_path.glob("slow/run.db")):
            assert engine.poll() is None
            with suppress(subprocess.TimeoutExpired):
                engine.wait(0.1)
        yield tmp_path / "slow"
        for number in range(4):
            (tmp_path / f"go{number}").touch()
        assert engine.wait(120) == 0
    finally:
        engine.kill()
        engine.wait()


def test_each_trial_that_ends_gives_a_line_until_the_run_has_ended(going_on: Path) -> None:
    command = [sys.executable, "-P", "-m", "tunesmith", "beliefs", str(going_on), "--follow", "--json"]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    try:
        told = [json.loads(follower.stdout.readline())]
        assert told[0]["finished"] == 0
        for number in range(4):
            (going_on.parent / f"go{number}").touch()
            while told[-1]["finished"] <= number:
                told.append(json.loads(follower.stdout.readline()))
            # While a trial waits for its file nothing can have overtaken it.
            assert told[-1]["finished"] == number + 1
        told += map(json.loads, follower.stdout)
        assert follower.wait(120) == 0
    finally:
        follower.kill()
        follower.wait()
    assert told[-1]["finished"] == 4 and not told[-1]["next"]
    assert any(each["next"] for each in told), "a running trial is never told"


def test_the_process_ends_when_the_terminal_is_killed_while_the_run_goes_on(going_on: Path) -> None:
    terminal = subprocess.Popen(
        [sys.executable, "-P", "-c", TERMINAL, str(going_on)], stdout=subprocess.PIPE, text=True
    )
    assert terminal.stdout is not None
    try:
        child = psutil.Process(int(terminal.stdout.readline()))
        assert child.is_running() and "beliefs" in child.cmdline()
    finally:
        terminal.kill()
        terminal.wait()
    gone, alive = psutil.wait_procs([child], timeout=60)
    assert gone and not alive
