"""What reports cost the engine and the disk, by their number. Goal: twice the reports, about twice the time.

.venv/bin/python benchmarks/report_cost.py      # prints, and writes benchmarks/results/report_cost.json

One trial each, in a real run, that reports so often and asks for a verdict each time. The time is the
processor time of the engine's own process, without its start.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

REPORTS = (10_000, 20_000, 40_000)
PRUNERS = ("forecast", "median")
_TRAIN = """
def train(config, trial):
    for step in range(REPORTS):
        trial.report(config["x"] + step, step)
        trial.should_prune()
    return 0.5
"""
_TASK = """
name: reports
metric: value
direction: maximize
objective: train.py:train
space: {x: {type: float, low: 0.0, high: 1.0}}
default: {x: 0.5}
budget: {trials: 1}
pruner: PRUNER
"""


def measure(reports: int, pruner: str, home: Path) -> dict[str, float]:
    """Processor seconds of the engine, wall seconds, and bytes on disk of the run."""
    (home / "train.py").write_text(_TRAIN.replace("REPORTS", str(reports)))
    (home / "task.yaml").write_text(_TASK.replace("PRUNER", pruner))
    started = time.perf_counter()
    code = (
        "import resource, sys\n"
        "from tunesmith.cli import main\n"
        "sys.argv = ['tunesmith', 'run', 'task.yaml', '--no-model', '--fresh']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print('engine', used.ru_utime + used.ru_stime, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=home, capture_output=True, text=True, check=True
    )
    engine = float(done.stderr.rpartition("engine ")[2].split()[0])
    folder = max((home / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"engine_s": engine, "wall_s": time.perf_counter() - started, "disk_kib": size / 1024}


def main() -> None:
    results: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        start = measure(0, "none", Path(name))["engine_s"]
        for pruner in PRUNERS:
            results[pruner] = {}
            for reports in REPORTS:
                found = measure(reports, pruner, Path(name))
                found["engine_s"] = round(found["engine_s"] - start, 2)
                results[pruner][str(reports)] = {key: round(value, 2) for key, value in found.items()}
                print(f"{pruner:9} {reports:7,} reports: {found['engine_s']:6.2f} s of the engine, "
                      f"{found['wall_s']:6.2f} s, {found['disk_kib']:6.0f} KiB")  # fmt: skip
            times = [row["engine_s"] for row in results[pruner].values()]
            ratios = ", ".join(f"{later / earlier:.2f}" for earlier, later in pairwise(times))
            print(f"{pruner:9} twice the reports cost {ratios} times as much")
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    path = Path(__file__).parent / "results" / "report_cost.json"
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
