"""Functions under outcome constraints: limits that only an evaluation shows to be met.

| task | from | limits |
|---|---|---|
| `ramp` | ours: a slope that leads away from the feasible quarter, optimum on the border | 1 |
| `gardner` | Gardner et al., "Bayesian Optimization with Inequality Constraints", ICML 2014, second simulation | 1 |
| `gramacy` | Gramacy et al., "Modeling an Augmented Lagrangian for Blackbox Constrained Optimization", Technometrics 58(1), 2016 | 2 |
| `hartmann-ball` | Hartmann's function of 6 parameters in the unit ball, after Letham et al., "Constrained Bayesian Optimization with Noisy Experiments", Bayesian Analysis 14(2), 2019 | 1 |

A quarter, 1.8 %, 46 % and 8 % of these spaces are feasible. Regret 0 is the known optimum, 1 the median of
uniform feasible draws, and what a run without any feasible evaluation has.
"""  # noqa: E501 - titles of papers in a table

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from tunesmith.bench.aims import Aims
from tunesmith.bench.suites.analytic import hartmann, vector
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.goals import Goal, Goals, Limit
from tunesmith.space import Float, Space

OBJECTIVE = "value"


def ramp(c: Values) -> dict[str, float]:
    x, y = vector(c)
    return {OBJECTIVE: float(x + abs(y - 1)), "shortfall": float(5 - x)}


def gardner(c: Values) -> dict[str, float]:
    x, y = vector(c)
    return {OBJECTIVE: float(np.sin(x) + y), "c": float(np.sin(x) * np.sin(y))}


def gramacy(c: Values) -> dict[str, float]:
    x, y = vector(c)
    wave = np.sin(2 * np.pi * (x**2 - 2 * y)) / 2
    return {OBJECTIVE: float(x + y), "c1": float(1.5 - x - 2 * y - wave), "c2": float(x**2 + y**2 - 1.5)}


def hartmann_ball(c: Values) -> dict[str, float]:
    return {OBJECTIVE: -hartmann(c), "norm": math.sqrt(float((vector(c) ** 2).sum()))}


def _task(
    measure: Callable[[Values], dict[str, float]],
    space: Space,
    limits: dict[str, float],
    bounds: tuple[float, float],
) -> BenchTask:
    """A minimisation; `limits` are upper ones, `bounds` best and worst as of `BenchTask`."""
    goals = Goals(
        objectives=(Goal(metric=OBJECTIVE, direction="minimize"),),
        limits=tuple(Limit(metric=name, operator="<=", bound=bound) for name, bound in limits.items()),
    )
    return BenchTask(
        name=measure.__name__.replace("_", "-"),
        space=space,
        direction="minimize",
        metric=OBJECTIVE,
        default=None,
        words="",
        evaluate=lambda c: measure(c)[OBJECTIVE],
        bounds=bounds,
        aims=Aims(goals, measure),
    )


def cube(low: float, high: float, dimensions: int) -> Space:
    return Space({f"x{i}": Float(low, high) for i in range(dimensions)})


@cache
def tasks() -> tuple[BenchTask, ...]:
    return (
        _task(ramp, cube(-10, 10, 2), {"shortfall": 0}, (5.0, 12.51)),
        _task(gardner, cube(0, 6, 2), {"c": -0.95}, (0.253236, 0.859)),
        _task(gramacy, cube(0, 1, 2), {"c1": 0, "c2": 0}, (0.599788, 1.251)),
        _task(hartmann_ball, cube(0, 1, 6), {"norm": 1}, (-3.322368, -0.3075)),
    )


SUITE = Suite(
    name="constrained",
    about=(
        "4 functions under limits that only an evaluation shows to be met; regret of the best feasible value "
        "so far, 0 at the known optimum and 1 at the median of feasible draws or without any; no shared start"
    ),
    tasks=tasks,
    contenders=("tunesmith", "gp", "tpe", "gp+default-no-startup", "random"),
    evaluations=30,
    seeds=10,
    quick=("ramp", "gramacy"),
    reference="gp",
)
