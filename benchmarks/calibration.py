"""How far the predictions of a suite's runs hold: coverage of the 50, 80 and 95 % bands, and log score.

.venv/bin/python -P benchmarks/calibration.py analytic                     # a suite of ours, by name
.venv/bin/python -P benchmarks/calibration.py development --tasks 'svc/*,net/*' --seeds 3
.venv/bin/python -P benchmarks/calibration.py path/to/task.yaml --out /tmp/calibration.json

Makes fresh runs by the method `numeric` (seeds 0, 1, ...) and compares each `expected` and `spread` with the
value that came, from a run's second prediction on. A band is expected +- `calibration.band(spread, p)`, the
quantile of a t distribution of which `spread` is half the central 68 %.
Names what `tunesmith bench` names: a suite, or paths. One process, one thread; about a second a run beside
the evaluations themselves.

The log score is the mean log density of the value under that distribution, in units of the task's scale:
the interquartile range of its shared random configurations over all seeds, where it has them, else of all
values. Larger is better. Beside it stands the log score of N(expected, spread), |z| cut at 10.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm, t
from threadpoolctl import threadpool_limits

from tunesmith.agent.methods.gp import calibration
from tunesmith.bench.contenders.ours import CHANGES, StrategySteps, numeric
from tunesmith.bench.suites import open_suite
from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import Evaluator, optimise
from tunesmith.trial import TrialState

BANDS = (0.5, 0.8, 0.95)
SKIPPED = 1
"""Predictions of a run that are not counted: the first rests on no earlier error."""
CUT = 10.0
"""Largest |z| that the normal log score counts."""


@dataclass(frozen=True)
class Predicted:
    """One prediction and what came of it, metric units."""

    task: str
    seed: int
    trial: int
    expected: float
    spread: float
    value: float
    scale: float

    @property
    def z(self) -> float:
        return (self.value - self.expected) / self.spread if self.spread > 0 else math.inf


def runs_of(task: BenchTask, seeds: int, evaluations: int, contender: str) -> Iterator[Predicted]:
    """The predictions of a task's runs, in order of seed and trial."""
    histories = []
    evaluate = Evaluator(task)
    for seed in range(seeds):
        evaluate.begin()
        strategy = numeric(task, seed)
        if (change := CHANGES[contender]) is not None:
            change(strategy)
        steps = StrategySteps(task, seed, strategy)
        optimise(steps, 0, evaluations, evaluate)
        histories.append(steps.history)
    scale = _scale(task, histories)
    for seed, history in enumerate(histories):
        predicted = [t for t in history.trials if t.proposal.expected is not None]
        for trial in predicted[SKIPPED:]:
            if trial.state is TrialState.COMPLETED and trial.value is not None:
                expected, spread = trial.proposal.expected, trial.proposal.spread
                assert expected is not None and spread is not None
                yield Predicted(task.name, seed, trial.number, expected, spread, trial.value, scale)


def _scale(task: BenchTask, histories: Sequence) -> float:
    """The unit of a task's scores: an interquartile range, or a standard deviation where that is 0."""
    shared = len(task.initial(0))
    values = np.array([t.value for h in histories for t in h.trials[: shared or None] if t.value is not None])
    if not len(values):
        return 1.0
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) or float(values.std()) or 1.0


def coverage(predictions: Sequence[Predicted], band: float) -> float:
    """Share of values inside the central `band` of their prediction."""
    return float(np.mean([abs(p.z) <= calibration.band(1.0, band) for p in predictions]))


def log_score(p: Predicted) -> float:
    """log density of the value in units of the task's scale."""
    spread = max(p.spread / p.scale, 1e-12)
    z = min(abs(p.z), calibration.LARGEST) * calibration.ONE_SPREAD
    return float(t.logpdf(z, calibration.TAIL) + math.log(calibration.ONE_SPREAD) - math.log(spread))


def normal_log_score(p: Predicted) -> float:
    """The same under a normal distribution with `spread` as its standard deviation."""
    spread = max(p.spread / p.scale, 1e-12)
    return float(norm.logpdf(min(abs(p.z), CUT)) - math.log(spread))


def figures(predictions: Sequence[Predicted]) -> dict[str, float]:
    z = np.abs([p.z for p in predictions])
    return {
        "n": len(predictions),
        **{f"{band:.0%}": coverage(predictions, band) for band in BANDS},
        "beyond 2 sd": float(np.mean(z > 2)),
        "beyond 3 sd": float(np.mean(z > 3)),
        "log score": float(np.mean([log_score(p) for p in predictions])),
        "normal log score": float(np.mean([normal_log_score(p) for p in predictions])),
    }


def show(name: str, found: dict[str, float]) -> None:
    shares = "  ".join(f"{key} {value:5.1%}" for key, value in found.items() if key.endswith(("%", "sd")))
    scores = f"log score {found['log score']:+.3f}  normal {found['normal log score']:+.3f}"
    print(f"{name:<28} n={found['n']:<5.0f} {shares}  {scores}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("suite", nargs="+", help="what `tunesmith bench` takes")
    arguments.add_argument("--tasks", default="*", help="shell patterns of task names, separated by commas")
    arguments.add_argument("--seeds", type=int, default=None)
    arguments.add_argument("--evaluations", type=int, default=None)
    arguments.add_argument("--contender", default="tunesmith", choices=sorted(CHANGES))
    arguments.add_argument("--seconds", type=float, default=math.inf, help="start no task after so many")
    arguments.add_argument("--out", type=Path, default=None, help="file for the figures and every prediction")
    given = arguments.parse_args()
    suite = open_suite(given.suite)
    suite.prepare()
    seeds, evaluations = given.seeds or suite.seeds, given.evaluations or suite.evaluations
    patterns = given.tasks.split(",")
    predictions: list[Predicted] = []
    began = time.monotonic()
    with threadpool_limits(1):
        for task in suite.tasks():
            if not any(fnmatch.fnmatchcase(task.name, pattern) for pattern in patterns):
                continue
            if time.monotonic() - began > given.seconds:
                print(f"{task.name} and what follows: no time left")
                break
            found = list(runs_of(task, seeds, evaluations, given.contender))
            if found:
                show(task.name, figures(found))
            predictions += found
    if not predictions:
        raise SystemExit("no prediction was made")
    # Bands of a run are not independent; over so many tasks the binomial error is still the scale to read by.
    errors = ", ".join(f"{100 * math.sqrt(b * (1 - b) / len(predictions)):.1f}" for b in BANDS)
    show("all", figures(predictions))
    early = [p for p in predictions if p.trial < 10]
    if early:
        show("all, before trial 10", figures(early))
    print(
        f"binomial standard errors of the three bands: {errors} points; {seeds} seeds, {evaluations} trials"
    )
    if given.out is not None:
        document = {
            "suite": given.suite,
            "seeds": seeds,
            "evaluations": evaluations,
            "all": figures(predictions),
        }
        given.out.write_text(
            json.dumps({**document, "predictions": [asdict(p) for p in predictions]}, indent=1)
        )


if __name__ == "__main__":
    main()
