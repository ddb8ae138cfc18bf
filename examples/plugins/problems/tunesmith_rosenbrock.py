"""A kind of problem in a package of its own: Rosenbrock's function in any number of dimensions.

problem: {name: rosenbrock, dimensions: 3, radius: 6}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from tunesmith.problem import ProblemKind
from tunesmith.space import Float, Space
from tunesmith.trial import Frozen


class RosenbrockSettings(Frozen):
    dimensions: int = Field(ge=2, le=20)
    radius: float | None = Field(default=None, gt=0)
    """Points further from the origin cannot be evaluated; None: all can."""


class Rosenbrock(ProblemKind):
    settings = RosenbrockSettings

    def compile(self, options: RosenbrockSettings, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **stated,
            "space": Space({f"x{i}": Float(-5, 10) for i in range(options.dimensions)}),
            "metric": "value",
            "direction": "minimize",
            "objective": f"{Path(__file__).resolve()}:evaluate",
        }

    def cost(self, options: RosenbrockSettings, configuration: Mapping[str, Any]) -> float:
        return 1 + norm(configuration)  # far from the origin it takes longer, `budget: {cost: 40}` limits it

    def feasible(self, options: RosenbrockSettings, configuration: Mapping[str, Any]) -> bool:
        return options.radius is None or norm(configuration) <= options.radius


def norm(configuration: Mapping[str, Any]) -> float:
    return math.hypot(*configuration.values())


def evaluate(config: dict[str, float], trial: Any) -> float:
    x = [config[f"x{i}"] for i in range(len(config))]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:], strict=False))
