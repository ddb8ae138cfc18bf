"""Trials beside a model that answers after a minute: how much of the time they run, and is the replay exact?

.venv/bin/python -P benchmarks/slow_model.py                # two runs of four minutes; hardly any computing
.venv/bin/python -P benchmarks/slow_model.py --scale 0.2    # the same with all times a fifth; writes nothing

One worker. A scripted model answers each request over real HTTP after 60 s, a trial takes 5 s, the run 240 s.
Counted is the time during which a trial was running, as a share of the time from the start of the run to the
end of its search. Then the recorded conversation is replayed, which asks nobody: the configurations, their
origins and their order must be the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fakes.chat_server import ChatRequest, ChatServer, Reply
from fakes.plausible_model import PlausibleModel
from tunesmith.api import Result, run_task
from tunesmith.events import Decided, Event, RunFinished, RunStarted, TrialFinished, TrialStarted
from tunesmith.settings import ModelSettings
from tunesmith.space import Float, Int, Space
from tunesmith.task import load_task

ANSWER_S, TRIAL_S, RUN_S = 60.0, 5.0, 240.0
SPACE = Space({"lr": Float(1e-5, 1, scale="log"), "width": Int(8, 128)})
TASK = """
name: slow-model
description: A small network trained with Adam.
metric: score
direction: maximize
objective: {{function: "train.py:train"}}
space:
  lr: {{type: float, low: 1e-5, high: 1, scale: log}}
  width: {{type: int, low: 8, high: 128}}
default: {{lr: 1e-4, width: 16}}
budget: {{trials: 1000, wall_time: {run_s}, model: {{calls: 100}}}}
seed: 0
"""
TRAIN = """
import math
import time


def train(config, trial):
    time.sleep({trial_s})
    return {{"score": -(math.log10(config["lr"]) + 2.5) ** 2 - (config["width"] - 48) ** 2 / 1000}}
"""
RESULT = Path(__file__).parent / "results" / "slow_model.json"


def run(folder: Path, scale: float, **more: Any) -> tuple[Result, list[Event]]:
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN.format(trial_s=TRIAL_S * scale))
    (folder / "task.yaml").write_text(TASK.format(run_s=RUN_S * scale))
    events: list[Event] = []
    task = load_task(folder / "task.yaml")
    result = run_task(task, runs=folder / "runs", listen=events.append, **more)
    return result, events


def busy_share(events: list[Event]) -> float:
    """The share of the search during which its one worker had a trial."""
    began = next(event.at for event in events if isinstance(event, RunStarted))
    ended = next(event.at for event in events if isinstance(event, RunFinished))
    starts = {event.number: event.at for event in events if isinstance(event, TrialStarted)}
    ends = {event.number: event.at for event in events if isinstance(event, TrialFinished)}
    return sum(ends.get(number, ended) - at for number, at in starts.items()) / (ended - began)


def trials(result: Result) -> list[tuple[object, ...]]:
    return [(t.number, t.proposal.origin.value, dict(t.configuration)) for t in result.history]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="of all times")
    scale = parser.parse_args().scale
    plausible = PlausibleModel(SPACE, {"lr": 3e-3, "width": 48}, expected=-0.1)

    def slow(request: ChatRequest) -> Reply:
        return dataclasses.replace(plausible(request), delay_s=ANSWER_S * scale)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ChatServer(slow) as server:
            key = SecretStr("sk-local")
            settings = ModelSettings(base_url=server.url, model="scripted", api_key=key)
            live, events = run(folder / "live", scale, model=settings)
        replayed, _ = run(folder / "replayed", scale, replay=live.folder / "exchanges.jsonl")
    share = busy_share(events)
    effects = [(e.policy, e.started, e.finished) for e in events if isinstance(e, Decided)]
    same = trials(replayed) == trials(live)
    origins = [origin for _, origin, _ in trials(live)]
    print(f"{len(origins)} trials, running {share:.1%} of the time; {plausible.calls} calls of the model")
    print("decisions, with the trials started and finished when they took effect:", effects)
    print("origins:", " ".join(map(str, origins)))
    print(f"replay: {'the same trials' if same else 'DIFFERENT'} ({len(trials(replayed))})")
    if scale == 1:
        RESULT.write_text(
            json.dumps(
                {
                    "command": "python -P benchmarks/slow_model.py",
                    "machine": {
                        "cores": os.cpu_count(),
                        "python": platform.python_version(),
                        "system": platform.system(),
                    },
                    "answer_s": ANSWER_S,
                    "trial_s": TRIAL_S,
                    "run_s": RUN_S,
                    "seed": 0,
                    "trials": len(origins),
                    "trials_by_model": origins.count("model"),
                    "running_share": round(share, 4),
                    "decisions": effects,
                    "replay_is_the_same": same,
                },
                indent=1,
            )
            + "\n"
        )
    sys.exit(not same or (scale == 1 and share < 0.95))


if __name__ == "__main__":
    main()
