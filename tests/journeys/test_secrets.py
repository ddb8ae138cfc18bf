"""A secret that training code prints and raises is in no request, file or output of a run."""

from __future__ import annotations

import json
from pathlib import Path

from fakes.chat_server import ChatServer
from fakes.tiny_job import tunesmith

CANARY = "canary-3b1d9f-hunter2-7c55aa"
TRAIN = """
import os

def train(config, trial):
    key = os.environ["SERVICE_API_TOKEN"]
    print("logging in with", key, os.environ["OTHER_SECRET"], flush=True)
    if config["lr"] > 0.03:
        raise RuntimeError(f"403: {key!r} is not allowed")
    return {"loss": config["lr"]}
"""
TASK = """
metric: loss
direction: minimize
objective: train.py:train
space: {lr: {type: float, low: 0.001, high: 0.1, scale: log}}
default: {lr: 0.05}
budget: {trials: 4}
in_step: true
env: {pass: [SERVICE_API_TOKEN], set: {OTHER_SECRET: canary-of-the-task-file}}
"""


def test_a_secret_in_output_and_errors_reaches_nothing(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "task.yaml").write_text(TASK)
    answer = {"candidates": [{"configuration": {"lr": 0.04}, "reason": f"{CANARY} works.", "evidence": []}]}
    with ChatServer(lambda _: answer) as server:
        done = tunesmith(
            "run",
            "task.yaml",
            "--json",
            cwd=tmp_path,
            SERVICE_API_TOKEN=CANARY,
            TUNESMITH_BASE_URL=server.url,
            TUNESMITH_MODEL="scripted",
        )
        sent = json.dumps([request.body for request in server.requests])
    assert done.returncode == 0, done.stderr
    assert "[SERVICE_API_TOKEN]" in done.stderr and len(json.loads(done.stdout)["trials"]) == 4
    assert CANARY not in done.stdout + done.stderr + sent
    quoting = [
        path.name for path in (tmp_path / "runs").rglob("*") if path.is_file() and CANARY in text(path)
    ]
    assert quoting == []
    logs = [text(path) for path in (tmp_path / "runs").rglob("log.txt")]
    assert len(logs) == 4 and not any("canary-of" in log for log in logs) and "[OTHER_SECRET]" in logs[0]


def text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
