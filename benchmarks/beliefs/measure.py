"""How far beliefs hold where the truth is known: runs of `numeric` on functions with a known optimum.

.venv/bin/python -P benchmarks/beliefs/measure.py --seeds 8 --out benchmarks/beliefs/results.json

At several moments of each run:

range      share of (run, hyperparameter that matters) whose true best value lies in the stated 80 % range
expected   mean distance of the stated best value from the nearest true one, in shares of the range; and of
           those that are not called unsure
predicted  share of runs whose predicted best configuration has a true mean within the stated spread (68 %)
progress   Brier score of `progress.probability` against whether one of the run's next ten trials has a
           noticeably better true mean than the incumbent (1 % of the distance between the median and the best
           result); beside it the score of always saying the share over all runs, unknown beforehand

Spread: standard error over runs (a function and a seed): the moments of one run are averaged first, as they
depend on each other. One process, one thread; about 1 second a run.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tunesmith.agent.beliefs import beliefs_at
from tunesmith.agent.beliefs.outlook import NOTICEABLE
from tunesmith.agent.methods.gp.method import strategy_for
from tunesmith.beliefs import Beliefs
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.space import Float, Space
from tunesmith.task import Task
from tunesmith.trial import Trial, TrialState

MOMENTS = (6, 12, 24)
"""Trials that have ended."""
AHEAD = 10

Point = tuple[float, ...]


@dataclass(frozen=True)
class Function:
    """A function of the unit cube to be minimised.

    Attributes:
        optima: Every global minimum; None in a coordinate that does not matter.
        noise: Standard deviation of a measurement.
    """

    name: str
    dimensions: int
    value: Callable[[Point], float]
    optima: tuple[tuple[float | None, ...], ...]
    noise: float = 0.0


def _quadratic(x: Point) -> float:
    return (x[0] - 0.3) ** 2 + 2 * (x[1] - 0.6) ** 2


def _idle(x: Point) -> float:
    return (x[0] - 0.7) ** 2 + 0.5 * abs(x[1] - 0.2)


def _branin(x: Point) -> float:
    a, b = 15 * x[0] - 5, 15 * x[1]
    ripple = 10 * (1 - 1 / (8 * math.pi)) * math.cos(a)
    return (b - 5.1 * a * a / (4 * math.pi**2) + 5 * a / math.pi - 6) ** 2 + ripple + 10


def _cliff(x: Point) -> float:
    """As of a learning rate: better and better up to where training diverges."""
    return 1.5 * (0.8 - x[0]) ** 2 + 0.3 * (x[1] - 0.5) ** 2 if x[0] < 0.8 else 2 + x[0]


_A3 = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
_P3 = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
_C = np.array([1.0, 1.2, 3.0, 3.2])


def _hartmann(x: Point) -> float:
    return -float(_C @ np.exp(-(_A3 * (np.array(x) - _P3) ** 2).sum(axis=1)))


FUNCTIONS = (
    Function("quadratic", 2, _quadratic, ((0.3, 0.6),)),
    Function("two of four idle", 4, _idle, ((0.7, 0.2, None, None),)),
    Function("branin", 2, _branin, ((0.12389, 0.81833), (0.54277, 0.15167), (0.96165, 0.165))),
    Function("cliff", 2, _cliff, ((0.8, 0.5),)),
    Function("hartmann3", 3, _hartmann, ((0.114614, 0.555649, 0.852547),)),
    Function("noisy quadratic", 2, _quadratic, ((0.3, 0.6),), noise=0.05),
)


@dataclass(frozen=True)
class Case:
    """What one run's beliefs came to at one moment."""

    function: str
    seed: int
    trials: int
    covered: float
    """Share of the hyperparameters that matter."""
    away: float
    """Mean distance of the expected from the true best value over those that matter, in ranges."""
    away_sure: float
    """Of those that are not unsure; NaN without any."""
    within: bool
    probability: float
    better: bool
    seconds: float


def cases(function: Function, seed: int) -> list[Case]:
    """One run, looked at in its moments."""
    names = [f"u{i}" for i in range(function.dimensions)]  # no prior by name fits these
    task = Task(
        metric="value",
        direction="minimize",
        space=Space({name: Float(0.0, 1.0) for name in names}),
        budget={"trials": MOMENTS[-1] + AHEAD},
        noise=function.noise or None,
        seed=seed,
    )
    strategy, history, told = strategy_for(task), task.empty_history(), dict[int, tuple[Beliefs, float]]()
    truth: list[float] = []
    for number in range(MOMENTS[-1] + AHEAD):
        if number in MOMENTS:
            began = time.perf_counter()
            told[number] = beliefs_at(task, history), time.perf_counter() - began
        (proposal,) = strategy.propose(history, 1)
        true = function.value(tuple(float(proposal.configuration[name]) for name in names))
        value = true + function.noise * float(rng_for(seed, "noise", number).standard_normal())
        ended = dict(state=TrialState.COMPLETED, value=value, values={"value": value})
        history = history.with_trial(Trial(number=number, proposal=proposal, **ended))
        truth.append(true)
    found = []
    for number, (beliefs, seconds) in told.items():
        best = replace(history, trials=history.trials[:number]).incumbent
        assert best is not None and beliefs.predicted is not None and beliefs.progress is not None
        at = tuple(float(beliefs.predicted.configuration[name]) for name in names)
        found.append(
            Case(
                function.name,
                seed,
                number,
                covered=_covered(function, beliefs),
                away=_away(function, beliefs, unsure=True),
                away_sure=_away(function, beliefs, unsure=False),
                within=abs(function.value(at) - beliefs.predicted.mean) <= beliefs.predicted.spread,
                probability=beliefs.progress.probability,
                better=min(truth[number : number + AHEAD])
                < truth[best.number] - _noticeable(history, number),
                seconds=seconds,
            )
        )
    return found


def _noticeable(history: History, number: int) -> float:
    """An improvement that counts after `number` trials, metric units."""
    values = [trial.value for trial in history.completed[:number] if trial.value is not None]
    return NOTICEABLE * (float(np.median(values)) - min(values))


def _covered(function: Function, beliefs: Beliefs) -> float:
    """Any of several optima counts, coordinate by coordinate."""
    ranges = {p.name: (float(p.low), float(p.high)) for p in beliefs.parameters}
    hits = []
    for i in range(function.dimensions):
        places = [optimum[i] for optimum in function.optima]
        if None not in places:
            low, high = ranges[f"u{i}"]
            hits.append(any(low - 5e-4 <= place <= high + 5e-4 for place in places if place is not None))
    return sum(hits) / len(hits)


def _away(function: Function, beliefs: Beliefs, *, unsure: bool) -> float:
    """Mean distance of expected from true best values; of several optima the nearest counts."""
    believed = {p.name: p for p in beliefs.parameters}
    found = []
    for i in range(function.dimensions):
        places = [place for optimum in function.optima if (place := optimum[i]) is not None]
        one = believed[f"u{i}"]
        if places and (unsure or not one.unsure):
            found.append(min(abs(float(one.expected) - place) for place in places))
    return sum(found) / len(found) if found else math.nan


def _by_run(found: list[Case], values: list[float]) -> tuple[float, float]:
    """Mean over runs of each run's mean, and its standard error; NaN values are left out."""
    runs: dict[tuple[str, int], list[float]] = {}
    for case, value in zip(found, values, strict=True):
        if not math.isnan(value):
            runs.setdefault((case.function, case.seed), []).append(value)
    means = np.array([sum(each) / len(each) for each in runs.values()])
    if len(means) < 2:
        return math.nan, math.nan
    return round(float(means.mean()), 3), round(float(means.std(ddof=1)) / math.sqrt(len(means)), 3)


def summary(found: list[Case]) -> dict[str, float]:
    """Means and standard errors over runs."""
    better = np.array([case.better for case in found], dtype=float)
    measured = {
        "range": [case.covered for case in found],
        "expected": [case.away for case in found],
        "expected_sure": [case.away_sure for case in found],
        "predicted": [float(case.within) for case in found],
        "brier": [(case.probability - float(case.better)) ** 2 for case in found],
    }
    figures: dict[str, float] = {"runs": len({(case.function, case.seed) for case in found})}
    for name, values in measured.items():
        figures[name], figures[f"{name}_se"] = _by_run(found, values)
    return figures | {
        "brier_of_base_rate": round(float(better.mean() * (1 - better.mean())), 3),
        "said": round(float(np.mean([case.probability for case in found])), 3),
        "happened": round(float(better.mean()), 3),
        "seconds": round(float(np.mean([case.seconds for case in found])), 3),
    }


def main() -> None:
    """Run, print a line a moment and a function, write the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=4)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    found: list[Case] = []
    with threadpool_limits(1):
        for function in FUNCTIONS:
            for seed in range(given.seeds):
                found += cases(function, seed)
    groups = {f"after {n} trials": [case for case in found if case.trials == n] for n in MOMENTS}
    groups |= {f.name: [case for case in found if case.function == f.name] for f in FUNCTIONS}
    groups |= {"all": found}
    figures = {name: summary(group) for name, group in groups.items()}
    for name, each in figures.items():
        print(f"{name:18}", " ".join(f"{key} {value:g}" for key, value in each.items()))
    if given.out is not None:
        given.out.write_text(json.dumps({"seeds": given.seeds, "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
