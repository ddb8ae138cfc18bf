"""A run beside a slow model, over real HTTP: trials do not wait for it, and the replay is the same run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.chat_server import ChatRequest, ChatServer
from fakes.tiny_job import tunesmith, wait_for, write_job

TRIALS_MEANWHILE = 2
TRAIN = """
import math
import time
from pathlib import Path


def train(config, trial):
    folder = Path(trial.checkpoint_dir).parent
    said = folder.parent.parent / "exchanges.jsonl"
    patient = PATIENT and int(folder.name) > MEANWHILE
    while patient and '"decision"' not in (said.read_text() if said.exists() else ""):
        time.sleep(0.02)
    return {"score": -(math.log10(config["lr"]) + 2.5) ** 2 - (config["width"] - 48) ** 2 / 1000}
"""
"""Where it is patient, the trials after the first few go on once something was decided."""


def job(folder: Path, *, patient: bool) -> Path:
    train = TRAIN.replace("PATIENT", str(patient)).replace("MEANWHILE", str(TRIALS_MEANWHILE))
    task = write_job(folder, trials=6, train=train)
    compared = 'confirm: {function: "train.py:test", seeds: 3}\n'
    task.write_text(task.read_text().replace(compared, ""))
    return folder


def candidate(lr: float, width: int) -> dict[str, Any]:
    return {"configuration": {"lr": lr, "width": width}, "reason": "So it is done.", "expected": -0.1}


def configurations(report: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        tuple(json.dumps(t[key]) for key in ("number", "origin", "configuration", "reason"))
        for t in report["trials"]
    ]


@pytest.mark.long
def test_trials_do_not_wait_for_an_answer_over_http_and_the_replay_is_the_same_run(tmp_path: Path) -> None:
    live, again = job(tmp_path / "live", patient=True), job(tmp_path / "again", patient=False)
    result = live / "runs/tiny/trials" / f"{TRIALS_MEANWHILE - 1:05d}" / "result.json"

    def model(request: ChatRequest) -> dict[str, Any]:
        if request.number == 0:
            wait_for(result.exists)
        belief = {"parameter": "lr", "low": 1e-3, "best": 3e-3, "high": 1e-2, "why": "Small steps."}
        spread = [candidate(0.0031, 47 + request.number), candidate(0.0007, 90), candidate(0.02, 30)]
        return {"view": "Rates matter.", "beliefs": [belief], "candidates": spread}

    with ChatServer(model) as server:
        done = tunesmith(
            "run", "task.yaml", "--json", cwd=live, TUNESMITH_BASE_URL=server.url, TUNESMITH_MODEL="slow"
        )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [trial["origin"] for trial in report["trials"][:2]] != ["default", "model"], "it came later"
    first = next(trial for trial in report["trials"] if trial["origin"] == "model")
    assert first["number"] >= TRIALS_MEANWHILE and "It came when" in first["reason"]
    lines = [json.loads(line) for line in (live / "runs/tiny/exchanges.jsonl").read_text().splitlines()]
    effects = [line for line in lines if line.get("what") in ("advice", "decision")]
    # The last of these trials may have left its result and not been counted yet.
    assert effects and all(line["finished"] >= TRIALS_MEANWHILE - 1 for line in effects)

    recorded = live / "runs/tiny/exchanges.jsonl"
    done = tunesmith("run", "task.yaml", "--json", "--replay", recorded, cwd=again)
    assert done.returncode == 0, done.stderr
    assert configurations(json.loads(done.stdout)) == configurations(report)
