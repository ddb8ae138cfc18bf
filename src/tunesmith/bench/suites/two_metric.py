"""Functions with two metrics to minimise, judged by the hypervolume of what was found.

| task | from | front |
|---|---|---|
| `branin-currin` | Branin's and Currin's functions, as in Belakaria et al., "Max-value Entropy Search for Multi-Objective Bayesian Optimization", NeurIPS 2019; reference point and hypervolume as BoTorch has them | convex and concave parts |
| `zdt1` | Zitzler, Deb, Thiele, "Comparison of Multiobjective Evolutionary Algorithms", Evolutionary Computation 8(2), 2000; with 4 parameters | convex |
| `dtlz2` | Deb, Thiele, Laumanns, Zitzler, "Scalable Multi-Objective Optimization Test Problems", CEC 2002; with 4 parameters | concave |

Values are shares of the hypervolume of the known front (1.21 - 1/3 and 1.21 - pi/4 for the last two, below
(1.1, 1.1)); regret is 1 less the share.
"""  # noqa: E501 - titles of papers in a table

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from tunesmith.bench.aims import Aims
from tunesmith.bench.suites.analytic import branin, vector
from tunesmith.bench.suites.constrained import cube
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.goals import Goal, Goals

PARAMETERS = 4
CORNER = (1.1, 1.1)


def branin_currin(c: Values) -> dict[str, float]:
    x, y = (float(v) for v in vector(c))
    damping = 1 - math.exp(-1 / (2 * y)) if y > 0 else 1.0
    currin = (2300 * x**3 + 1900 * x**2 + 2092 * x + 60) / (100 * x**3 + 500 * x**2 + 4 * x + 20)
    return {"branin": branin(c), "currin": damping * currin}


def zdt1(c: Values) -> dict[str, float]:
    first, *rest = (float(v) for v in vector(c))
    g = 1 + 9 * sum(rest) / len(rest)
    return {"f1": first, "f2": g * (1 - math.sqrt(first / g))}


def dtlz2(c: Values) -> dict[str, float]:
    first, *rest = (float(v) for v in vector(c))
    g = 1 + sum((v - 0.5) ** 2 for v in rest)
    return {"f1": g * math.cos(first * math.pi / 2), "f2": g * math.sin(first * math.pi / 2)}


def _task(
    measure: Callable[[Values], dict[str, float]],
    metrics: tuple[str, str],
    dimensions: int,
    reference: tuple[float, float],
    most: float,
) -> BenchTask:
    goals = Goals(objectives=tuple(Goal(metric=metric, direction="minimize") for metric in metrics))
    return BenchTask(
        name=measure.__name__.replace("_", "-"),
        space=cube(0, 1, dimensions),
        direction="maximize",
        metric="hypervolume",
        default=None,
        words="",
        evaluate=lambda c: measure(c)[metrics[0]],
        bounds=(1.0, 0.0),
        aims=Aims(goals, measure, reference, most),
    )


@cache
def tasks() -> tuple[BenchTask, ...]:
    return (
        _task(branin_currin, ("branin", "currin"), 2, (18.0, 6.0), 59.36011874867746),
        _task(zdt1, ("f1", "f2"), PARAMETERS, CORNER, 1.21 - 1 / 3),
        _task(dtlz2, ("f1", "f2"), PARAMETERS, CORNER, 1.21 - math.pi / 4),
    )


SUITE = Suite(
    name="two-metric",
    about=(
        "3 functions with two metrics to minimise; the share of the known front's hypervolume that is "
        "dominated, regret 1 less that; no shared start"
    ),
    tasks=tasks,
    contenders=("tunesmith", "gp", "tpe", "gp+default-no-startup", "random"),
    evaluations=30,
    seeds=10,
    quick=("branin-currin", "zdt1"),
    reference="gp",
)
