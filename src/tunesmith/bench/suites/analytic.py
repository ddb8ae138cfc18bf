"""Functions known from the literature, and some of our own with mixed and conditional spaces.

Microseconds an evaluation, so a run costs what its contender costs. Parameters have names that say nothing,
so priors by name have no effect: the results show the surrogate, and the default where there is one.
The default is one fixed point, a quarter into every range. Functions after Surjanovic and Bingham's Virtual
Library of Simulation Experiments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.history import Array

CORNER = 0.25


def vector(c: Values) -> Array:
    """The values of `x0`, `x1`, ... in order, (n,)."""
    return np.array([float(c[name]) for name in sorted(c)], dtype=np.float64)


def branin(c: Values) -> float:
    u, v = vector(c)
    x, y = 15 * u - 5, 15 * v
    valley = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return float(valley + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


def camel(c: Values) -> float:
    x, y = vector(c)
    return float((4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2)


def goldstein_price(c: Values) -> float:
    x, y = vector(c)
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return float(np.log(a * b))


def valley(c: Values) -> float:
    """Narrow and curved on log scales, as a learning rate and its decay are."""
    a, b = np.log10(vector(c))
    return float(-((a + 2) ** 2) - 4 * (b + 0.5 * a**2 - 1) ** 2)


def rosenbrock(c: Values) -> float:
    x = vector(c)
    return float(np.log1p((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()))


def levy(c: Values) -> float:
    w = 1 + (vector(c) - 1) / 4
    inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
    return float(np.sin(np.pi * w[0]) ** 2 + inner + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2))


def ackley(c: Values) -> float:
    x = 10 * (vector(c) - np.array([0.62, 0.37, 0.55, 0.44, 0.71]))
    return float(
        20 + np.e - 20 * np.exp(-0.2 * np.sqrt((x**2).mean())) - np.exp(np.cos(2 * np.pi * x).mean())
    )


def hartmann(c: Values) -> float:
    alpha = np.array([1.0, 1.2, 3.0, 3.2])
    A = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    P = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return float(alpha @ np.exp(-(A * (vector(c) - P) ** 2).sum(axis=1)))


def mixed(c: Values) -> float:
    kind = str(c["kind"])
    best = {"a": 0.2, "b": 0.7, "c": 0.45}[kind]
    return -((float(c["x"]) - best) ** 2) - 0.03 * abs(int(c["n"]) - 7) - {"a": 0.2, "b": 0.0, "c": 0.1}[kind]


def stepped(c: Values) -> float:
    size = np.log2(float(c["size"]))
    bonus = 0.3 if c["flag"] else 0.0
    return float(
        (size - 6) ** 2 / 4 + (float(c["x"]) - 0.6) ** 2 * (2 - bonus) + abs(float(c["n"]) - 12) / 10
    )


def branching(c: Values) -> float:
    """Each branch has parameters of its own; the better optimum is in the branch that starts worse."""
    if c["branch"] == "left":
        return float(0.8 - (float(c["u"]) - 0.3) ** 2 - float(c["shared"]) / 10)
    deep = (float(c["v"]) - 0.85) ** 2 + (np.log10(float(c["w"])) + 3) ** 2 / 9
    return float(1.0 - 1.5 * deep - float(c["shared"]) / 10)


def unreachable(c: Values) -> float:
    """Fails (NaN) in a corner, as a training that diverges does; the optimum is next to it."""
    x, y = vector(c)
    if x + y > 1.4:
        return float("nan")
    return float(-((x - 0.75) ** 2) - (y - 0.6) ** 2)


SCORES = (
    branin,
    camel,
    goldstein_price,
    valley,
    unreachable,
    rosenbrock,
    levy,
    ackley,
    hartmann,
    mixed,
    stepped,
    branching,
)


def _task(score: Callable[[Values], float]) -> BenchTask:
    entry = read_spaces("analytic.yaml")[score.__name__]
    space = entry.space
    return BenchTask(
        name=score.__name__,
        space=space,
        direction=entry.more["direction"],
        metric="value",
        default=entry.default or dict(space.decode(np.full(space.dimensions, CORNER))),
        words="",
        evaluate=score,
        family=entry.more["family"],
    )


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tuple(map(_task, SCORES))


SUITE = Suite(
    name="analytic",
    about=(
        "12 functions, some with mixed or conditional spaces; regret (best - y) / (best - median of random) "
        "against the best of all stored runs, clipped to [0, 1]"
    ),
    tasks=tasks,
    contenders=(
        "tunesmith",
        "tunesmith-no-priors",
        "gp+default",
        "gp+default-no-startup",
        "tpe+default",
        "cmaes+default",
        "random+default",
        "gp",
        "tpe",
        "cmaes",
        "random",
    ),
    quick=("branin", "valley", "hartmann", "mixed", "branching"),
    shown_family="2 parameters",
)
