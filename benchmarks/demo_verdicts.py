"""Whether the demo's verdicts are right: seeds 0-4, each against a reference of 50 paired seeds.

.venv/bin/python -P benchmarks/demo_verdicts.py --runs /tmp/demo      # prints, and writes benchmarks/results/
.venv/bin/python -P benchmarks/demo_verdicts.py --runs /tmp/demo --seconds 150     # a part; again to go on

Runs `examples/digits_cnn/task.yaml` without a language model and without its time limits for each seed, then
trains what each run compared with the default again, on 50 seeds that neither the search nor its comparison
used, by the same test function. The reference's verdict is that of `compare_paired` over its 50 differences.
Everything is kept in `--runs`: a training of the reference is made once a configuration and seed. About 4 CPU
seconds a training, 300 of them.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tunesmith.api import run_task
from tunesmith.seeds import derive_seed
from tunesmith.space import Space
from tunesmith.task import Task, load_task
from tunesmith.tools.analysis.compare import Comparison, compare_paired

TASK = Path(__file__).parent.parent / "examples" / "digits_cnn" / "task.yaml"
SEEDS = range(5)
REFERENCE = 50
CHUNK = 4
"""Trainings handed to the two processes before the clock is looked at."""


class TimeIsUp(Exception):
    """The part of the work that this call was given is done."""


def searched(seed: int, runs: Path, until: float) -> dict[str, Any]:
    """What the demo's run of a seed compared, and its verdict; runs it, or goes on with it.

    Raises:
        TimeIsUp: The time has passed; the run is stopped so that it can go on.
    """

    def listen(event: object) -> None:
        if time.monotonic() > until:
            raise TimeIsUp

    task = load_task(TASK)
    # Without the limit on wall time, so that a busy machine makes the same search.
    budget = task.budget.model_copy(update={"wall_time_s": None, "trial_time_s": None})
    task = task.model_copy(update={"seed": seed, "name": f"seed-{seed}", "budget": budget})
    record = runs / task.name / "confirm.json"
    if not record.is_file():
        run_task(task, runs=runs, model=None, listen=listen)
    compared = json.loads(record.read_bytes())
    trial = runs / task.name / "trials" / f"{compared['trial']:05d}"
    return {**compared, "configuration": json.loads((trial / "config.json").read_bytes())}


def trained(job: tuple[dict[str, Any], int]) -> float:
    """Test accuracy of one training."""
    sys.path.insert(0, str(TASK.parent))
    import train  # type: ignore[import-not-found]

    configuration, seed = job
    return float(train.test(configuration, SimpleNamespace(seed=seed))["test_accuracy"])


class References:
    """Trainings on the reference's seeds, each made once and kept in a file."""

    def __init__(self, path: Path, space: Space, until: float) -> None:
        self.path, self.space, self.until = path, space, until
        lines = path.read_text().splitlines() if path.is_file() else []
        self.known = {(row["digest"], row["seed"]): row["value"] for row in map(json.loads, lines)}

    def values(self, configuration: Mapping[str, Any]) -> list[float] | None:
        """Of the reference's seeds in order; None where time ran out."""
        legal = self.space.validate(configuration)
        seeds = [derive_seed(0, "demo reference", i) for i in range(REFERENCE)]
        missing = [seed for seed in seeds if (legal.digest, seed) not in self.known]
        with ProcessPoolExecutor(2) as pool:
            while missing and time.monotonic() < self.until:
                now, missing = missing[:CHUNK], missing[CHUNK:]
                for seed, value in zip(now, pool.map(trained, [(dict(legal), s) for s in now]), strict=True):
                    self.known[legal.digest, seed] = value
                    with self.path.open("a") as file:
                        file.write(json.dumps({"digest": legal.digest, "seed": seed, "value": value}) + "\n")
        return None if missing else [self.known[legal.digest, seed] for seed in seeds]


def row(seed: int, found: dict[str, Any], comparison: Comparison) -> dict[str, Any]:
    own = found["comparison"]
    return {
        "seed": seed,
        "trial": found["trial"],
        "configuration": found["configuration"]["proposal"]["configuration"]["values"],
        "verdict": own["verdict"],
        "gain": own["difference"],
        "interval": [own["low"], own["high"]],
        "pairs": own["n"],
        "reference": comparison.verdict,
        "reference_gain": comparison.difference,
        "reference_interval": [comparison.low, comparison.high],
        "agrees": own["verdict"] == comparison.verdict,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--runs", type=Path, required=True, help="folder for runs and trainings")
    arguments.add_argument("--seconds", type=float, default=float("inf"), help="start nothing after so many")
    given = arguments.parse_args()
    until = time.monotonic() + given.seconds
    task: Task = load_task(TASK)
    assert task.default is not None
    given.runs.mkdir(parents=True, exist_ok=True)
    references = References(given.runs / "reference.jsonl", task.space, until)
    rows: list[dict[str, Any]] = []
    default = references.values(task.default)
    for seed in SEEDS:
        if default is None or time.monotonic() > until:
            break
        try:
            found = searched(seed, given.runs, until)
        except TimeIsUp:
            break
        best = references.values(found["configuration"]["proposal"]["configuration"]["values"])
        if best is None:
            break
        comparison = compare_paired(best, default, direction=task.direction, metric=found["metric"])
        rows.append(row(seed, found, comparison))
        print(json.dumps(rows[-1]))
    if len(rows) < len(SEEDS):
        raise SystemExit("not done; the same command goes on")
    agreeing = sum(r["agrees"] for r in rows)
    print(f"{agreeing} of {len(rows)} verdicts agree with the reference of {REFERENCE} paired seeds")
    result = {
        "command": "python -P benchmarks/demo_verdicts.py --runs DIR",
        "seeds": list(SEEDS),
        "reference_pairs": REFERENCE,
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "agree": agreeing,
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "demo_verdicts.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
