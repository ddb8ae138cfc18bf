"""How long a trial takes to start: from `submit` to its first report reaching the engine.

    python benchmarks/trial_start.py

`warm` forks a parent that has imported torch already, `cold` starts a new Python for each trial; the
training code is the same and makes a model, an optimizer and one step before it reports. The goal is 0.15 s
warm. Times are of the whole way, process start and imports included; the result is recorded in
benchmarks/results/trial_start.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from tunesmith.objective import Objective
from tunesmith.tools.execution.base import Continue, Finished, Job, Reported
from tunesmith.tools.execution.local import LocalExecutor, StartMethod
from tunesmith.tools.execution.preload import discover_preload

RESULT = Path(__file__).parent / "results" / "trial_start.json"
GOAL_S = 0.15
SCRIPT = """
import torch

def train(config, trial):
    model = torch.nn.Linear(64, 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"])
    loss = model(torch.ones(8, 64)).square().mean()
    loss.backward()
    optimizer.step()
    trial.report(loss.item(), 0)
    return loss.item()
"""


def measure(method: StartMethod, n: int, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds from submit to first report, and from submit to the end being known, of `n` trials in turn."""
    (folder / "train.py").write_text(SCRIPT)
    objective = Objective(function=f"{folder / 'train.py'}:train")
    executor = LocalExecutor(1, discover_preload(objective), start_method=method)
    first, whole = [], []
    try:
        for number in range(-1, n):  # the first one waits for the libraries and is not counted
            began = time.perf_counter()
            executor.offer(
                Job(
                    number=number,
                    folder=folder / method / str(number),
                    configuration={"lr": 1e-3},
                    seed=0,
                    metric="loss",
                    objective=objective,
                )
            )
            ended = False
            while not ended:
                for event in executor.events(60):
                    seconds = time.perf_counter() - began
                    if isinstance(event, Reported):
                        executor.answer(event.number, event.step, Continue())
                        first.append(seconds)
                    elif isinstance(event, Finished):
                        assert event.outcome.values, event.outcome
                        whole.append(seconds)
                        ended = True
        assert executor.start_method == method, executor.warnings
    finally:
        executor.close()
    return first[1:], whole[1:]


def summary(seconds: list[float]) -> dict[str, Any]:
    return {
        "n": len(seconds),
        "median_s": round(statistics.median(seconds), 4),
        "min_s": round(min(seconds), 4),
        "max_s": round(max(seconds), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long a trial takes to start.")
    parser.add_argument("-n", type=int, default=30, help="warm starts; a fifth as many cold ones")
    parser.add_argument("--dry", action="store_true", help="print only, record nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warm, warm_whole = measure("fork", options.n, Path(folder))
        cold, cold_whole = measure("spawn", max(3, options.n // 5), Path(folder))
    result = {
        "what": "seconds from submit to the first report (first) and to the end being known (whole)",
        "warm": {"first": summary(warm), "whole": summary(warm_whole)},
        "cold": {"first": summary(cold), "whole": summary(cold_whole)},
        "goal_s": GOAL_S,
        "goal_met": statistics.median(warm) <= GOAL_S,
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": round(os.getloadavg()[0], 2),
        },
        "python": platform.python_version(),
        "torch": torch.__version__,
        "command": f"python benchmarks/trial_start.py -n {options.n}",
        "seed": 0,
    }
    text = json.dumps(result, indent=2)
    print(text)
    if not options.dry:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(text + "\n")
    sys.exit(0 if result["goal_met"] else 1)


if __name__ == "__main__":
    main()
