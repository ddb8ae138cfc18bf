"""The best value on each of YAHPO's tasks that a search of its surrogate finds: what regret 0 stands for.

    python benchmarks/yahpo_best.py YAHPO_FOLDER     rewrites src/tunesmith/bench/data/yahpo_best.json

10,000 uniform configurations, then ROUNDS of steps around the best 20, with a fixed seed. Three minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.bench.suites import yahpo
from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.history import Array

UNIFORM, KEPT, STEPS = 10_000, 20, 100
ROUNDS = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
TARGET = Path(__file__).parents[1] / "src/tunesmith/bench/data/yahpo_best.json"


def best(folder: Path, name: str, instance: str) -> float:
    space, rng = read_spaces("yahpo.yaml")[name].space, np.random.default_rng(0)

    def score(rows: Array) -> Array:
        columns: dict[str, Any] = {}
        for key, parameter in space.parameters.items():
            at = [i for i, column in enumerate(space.columns) if column.parameter == key]
            if len(at) == 1:
                columns[key] = parameter.numbers(rows[:, at[0]])
            else:
                columns[key] = [parameter.listed[i] for i in rows[:, at].argmax(axis=1)]
        return yahpo.predict(folder, name, instance, columns)

    rows = space.round(rng.random((UNIFORM, space.dimensions)))
    values = score(rows)
    for sd in ROUNDS:
        top = np.argsort(-values)[:KEPT]
        rows, values = rows[top], values[top]
        near = np.repeat(rows, STEPS, axis=0)
        moved = rng.random(near.shape) < 0.5
        near = space.round(np.clip(near + moved * rng.normal(0, sd, near.shape), 0, 1))
        rows, values = np.vstack([rows, near]), np.concatenate([values, score(near)])
    return float(values.max())


def main() -> None:
    folder = Path(sys.argv[1])
    found = {}
    for name, scenario in yahpo.SCENARIOS.items():
        worst = yahpo.lowest_observed(folder)
        for instance in sorted(yahpo.encoding(folder, name)[scenario.instance]):
            if (name, instance) in worst:
                found[f"{name}/{instance}"] = round(best(folder, name, instance), 6)
    TARGET.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
