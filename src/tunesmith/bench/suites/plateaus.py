"""Landscapes that are one value nearly everywhere: how many trials until a search leaves that plateau?

Each of 100 tasks is generated from its number: 2 to 6 parameters; a box of 2 to 10 % of the volume, at a
random place, of a random number of active parameters; inside it the value rises to the middle, outside it is
CHANCE. The shared random start and the default lie on the plateau, so that nothing but the search leaves it.
In half of the tasks the parameters have the names, ranges and words of a network trained by SGD or of a
boosted ensemble, for which there are cards; the box does not know them. A run ends once it has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tunesmith.bench.task import BenchTask, Suite, Values
from tunesmith.history import Array
from tunesmith.seeds import rng_for
from tunesmith.space import Float, Int, Parameter, Space

COUNT, START = 100, 5
CHANCE, LIFT, TOP = 0.5, 0.1, 0.9
"""The value outside the box, how much more it is at the box's edge at least, and the value in the middle."""
VOLUME = (0.02, 0.10)
LEAST_EDGE = 0.04
"""No edge of a box is a smaller share of the range, so that integers and rounding do not empty it."""
NETWORK: dict[str, Parameter] = {
    "learning_rate": Float(1e-5, 1.0, scale="log"),
    "weight_decay": Float(1e-7, 1e-1, scale="log"),
    "momentum": Float(0.0, 0.99),
    "batch_size": Int(8, 512, scale="log"),
    "hidden_units": Int(16, 1024, scale="log"),
    "dropout": Float(0.0, 0.8),
}
BOOSTING: dict[str, Parameter] = {
    "learning_rate": Float(1e-3, 1.0, scale="log"),
    "n_estimators": Int(10, 1000, scale="log"),
    "subsample": Float(0.2, 1.0),
    "reg_lambda": Float(1e-3, 1e3, scale="log"),
    "colsample_bytree": Float(0.2, 1.0),
    "min_child_weight": Float(0.1, 100.0, scale="log"),
}
NAMED = ((NETWORK, "a small neural network trained by SGD"), (BOOSTING, "gradient boosting of trees"))


@dataclass(frozen=True)
class Plateau:
    """The function of one task, over unit-cube rows.

    Attributes:
        low, high: (d,) the box; 0 and 1 where a parameter is not active.
    """

    space: Space
    low: Array
    high: Array

    def __call__(self, configuration: Values) -> float:
        return float(self.value(self.space.encode(configuration)[0][None])[0])

    def value(self, rows: Array) -> Array:
        """(n,) of rows (n, d)."""
        active = self.high - self.low < 1
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        out = np.where(active, np.abs(rows - middle) / half, 0.0).max(axis=1)
        return np.where(out <= 1, TOP - (TOP - CHANCE - LIFT) * out, CHANCE)


def generated(number: int) -> BenchTask:
    """The task of that number, the same every time."""
    rng = rng_for(number, "plateau")
    d = 2 + number % 5
    words, space = "", Space({f"x{i}": Float(0.0, 1.0) for i in range(d)})
    if number % 2:
        known, words = NAMED[number // 2 % 2]
        names = [list(known)[i] for i in sorted(rng.permutation(len(known))[:d])]
        space = Space({name: known[name] for name in names})
    plateau = Plateau(space, *_box(rng, d))
    flat = _on_plateau(plateau, rng, 1)[0]

    def initial(seed: int) -> Sequence[Values]:
        return _on_plateau(plateau, rng_for(seed, "plateau start", str(number)), START)

    return BenchTask(
        name=f"plateau-{number:03d}",
        space=space,
        direction="maximize",
        metric="accuracy",
        default=flat,
        words=words,
        evaluate=plateau,
        initial=initial,
        bounds=(TOP, CHANCE),
        family="named" if words else "unnamed",
        goal=CHANCE,
    )


def _box(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """Lower and upper corner; the edges' logarithms share the volume's at random."""
    active = rng.permutation(d)[: rng.integers(1, d + 1)]
    log_volume = np.log(rng.uniform(*VOLUME))
    while True:
        edges = np.exp(log_volume * rng.dirichlet(np.full(len(active), 2.0)))
        if edges.min() >= LEAST_EDGE or len(active) == 1:
            break
    low, high = np.zeros(d), np.ones(d)
    low[active] = rng.random(len(active)) * (1 - edges)
    high[active] = low[active] + edges
    return low, high


def _on_plateau(plateau: Plateau, rng: np.random.Generator, n: int) -> list[Values]:
    """Uniform configurations outside the box."""
    found: list[Values] = []
    while len(found) < n:
        found += [dict(c) for c in plateau.space.sample(rng, n) if plateau(c) == CHANCE]
    return found[:n]


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tuple(generated(number) for number in range(COUNT))


SUITE = Suite(
    name="plateaus",
    about=(
        "100 generated plateaus of 2-6 parameters with a good region of 2-10 % of the volume; 5 shared "
        "random configurations and the default on the plateau; a run ends once it has left"
    ),
    tasks=tasks,
    contenders=(
        "tunesmith",
        "tunesmith-no-priors",
        "gp+default",
        "gp",
        "tpe+default",
        "random+default",
        "random",
    ),
    evaluations=60,
    seeds=1,
    quick=("plateau-000", "plateau-001", "plateau-002", "plateau-003"),
    shown_family="named",
)
