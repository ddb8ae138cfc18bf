"""What a run's last choice is worth when the metric is noisy: best value against best expected value.

.venv/bin/python -P benchmarks/noisy_choice.py --seeds 2   # a CPU second a run; prints, writes results/

The analytic suite's functions with normal noise added, a tenth of the interquartile range of random values.
Each variant makes 30 evaluations. What counts is the function itself, without noise, at the configuration
that is chosen: how far below the best of 2,000 random points and all choices, in standard deviations of the
noise.

    nothing stated, best value      the configuration of the best value
    nothing stated, recommended     that of the best posterior mean, of the same run
    noise stated, recommended       the noise known, and leaders repeated
    measured, recommended           the noise measured by two more trials of the default, and leaders repeated
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tunesmith.agent.methods.gp.method import strategy_for
from tunesmith.bench.suites.analytic import SUITE
from tunesmith.bench.task import BenchTask
from tunesmith.history import History
from tunesmith.noise import Noise
from tunesmith.seeds import rng_for
from tunesmith.task import Task
from tunesmith.trial import Configuration, Origin, Trial, TrialState

EVALUATIONS = 30
NOISE = 0.1
"""Of the interquartile range of random values."""
VARIANTS: dict[str, Noise | None] = {"nothing stated": None, "noise stated": 0.0, "measured": "measure"}


def true_score(task: BenchTask, configuration: Configuration) -> float:
    sign = 1.0 if task.direction == "maximize" else -1.0
    return sign * float(task.evaluate(dict(configuration)))


def search(
    task: BenchTask, sd: float, seed: int, noise: Noise | None
) -> tuple[Configuration, Configuration, int]:
    """Configurations of the best value and of the recommendation, and how many trials were repeats."""
    as_task = Task.model_validate(
        {
            "metric": "score",
            "direction": "maximize",
            "space": task.space,
            "default": task.default,
            "seed": seed,
            "noise": noise,
            "budget": {"trials": EVALUATIONS},
        }
    )
    strategy = strategy_for(as_task)
    history = History(as_task.space, "score", "maximize", default=as_task.default)
    for number in range(EVALUATIONS):
        made = strategy.propose(history, 1)[0]
        value = true_score(task, made.configuration)
        value += sd * float(rng_for(seed, "noise", number).standard_normal())
        state = TrialState.COMPLETED if math.isfinite(value) else TrialState.DIVERGED
        trial = Trial(
            number=number, proposal=made, state=state, value=value if math.isfinite(value) else None
        )
        history = history.with_trial(trial)
    found = strategy.recommend(history)
    assert found is not None and history.incumbent is not None
    repeats = sum(t.proposal.origin is Origin.REPLICATE for t in history)
    return history.incumbent.configuration, found.configuration, repeats


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=4)
    given = arguments.parse_args()
    losses: dict[str, list[float]] = {}
    repeated: dict[str, list[int]] = {}
    with threadpool_limits(1):
        for task in SUITE.tasks():
            drawn = task.space.sample(np.random.default_rng(0), 2000)
            scores = np.array([true_score(task, c) for c in drawn])
            low, high = np.nanquantile(scores, [0.25, 0.75])
            sd = NOISE * float(high - low)
            chosen: list[tuple[str, float]] = []
            for seed in range(given.seeds):
                for name, noise in VARIANTS.items():
                    best, found, repeats = search(task, sd, seed, sd if noise == 0.0 else noise)
                    chosen += [(f"{name}, best value", true_score(task, best))]
                    chosen += [(f"{name}, recommended", true_score(task, found))]
                    repeated.setdefault(name, []).append(repeats)
            top = max(float(np.nanmax(scores)), *(score for _, score in chosen))
            for name, score in chosen:
                losses.setdefault(name, []).append((top - score) / sd)
    rows = {}
    for name, values in losses.items():
        rows[name] = {"mean": float(np.mean(values)), "median": float(np.median(values)), "n": len(values)}
        print(
            f"{name:<32} mean {rows[name]['mean']:6.2f}  median {rows[name]['median']:6.2f}  n={len(values)}"
        )
    print({name: float(np.mean(counts)) for name, counts in repeated.items()}, "repeats a run")
    result = {
        "command": f"python -P benchmarks/noisy_choice.py --seeds {given.seeds}",
        "unit": "noise standard deviations below the best known point",
        "rows": rows,
        "repeats": {name: float(np.mean(counts)) for name, counts in repeated.items()},
    }
    path = Path(__file__).parent / "results" / "noisy_choice.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
