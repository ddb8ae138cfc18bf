"""Every method goes on in a space that is changed under it, and alike when the same is done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith
from tunesmith.events import CommandDone, Degraded, TaskChanged, TrialStarted
from tunesmith.tools.records.event_store import EventStore

TRAIN = """
import time
from pathlib import Path
from tunesmith.commands import AddChoice, Freeze, Narrow, Undo, Widen
from tunesmith.tools.records.event_store import EventStore

SAID = {
    2: Narrow(parameter="lr", low=1e-3, high=1e-1),
    3: Freeze(parameter="optimizer", value="sgd"),
    4: Undo(),
    5: AddChoice(parameter="optimizer", choices=("lion",)),
    6: Widen(parameter="width", high=300),
}


def train(config, trial):
    if trial.number in SAID:
        log = EventStore(Path(__file__).parent / "runs" / "job" / "run.db", create=False)
        number = log.post(SAID[trial.number])
        while log.command_status(number).status == "pending":
            time.sleep(0.01)
        log.close()
    return {"score": -abs(config["lr"] - 0.01) - config["width"] / 1000 + config.get("momentum", 0)}
"""
TASK = """
name: job
metric: score
direction: maximize
objective: {function: "train.py:train"}
space:
  lr: {type: float, low: 1e-5, high: 1, scale: log}
  width: {type: int, low: 8, high: 128}
  optimizer: {type: categorical, choices: [adam, sgd]}
  momentum: {type: float, low: 0, high: 0.9, when: {optimizer: sgd}}
budget: {trials: 9}
seed: 3
tuner: METHOD
"""


def run(folder: Path, method: str) -> list[dict[str, object]]:
    (folder / "train.py").write_text(TRAIN)
    (folder / "task.yaml").write_text(TASK.replace("METHOD", method))
    done = tunesmith("run", "task.yaml", "--no-model", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    log = EventStore(folder / "runs" / "job" / "run.db", create=False)
    events = log.events()
    log.close()
    assert [e.ok for e in events if isinstance(e, CommandDone)] == [True] * 5
    assert [e.version for e in events if isinstance(e, TaskChanged)] == [2, 3, 2, 4, 5]
    assert not [
        e for e in events if isinstance(e, Degraded) and e.what == "fallback" and "strategy" in e.where
    ]
    started = [e for e in events if isinstance(e, TrialStarted)]
    assert len(started) == 9
    assert all(1e-3 <= e.proposal.configuration["lr"] <= 1e-1 for e in started[3:])
    assert started[4].proposal.configuration["optimizer"] == "sgd"
    return [dict(e.proposal.configuration) for e in started]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["numeric", "hybrid", "random", "llambo"])
def test_a_method_goes_on_in_a_changed_space(tmp_path: Path, method: str) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    found = run(first, method)
    if method == "numeric":
        second.mkdir()
        assert run(second, method) == found
