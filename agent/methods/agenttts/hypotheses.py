"""Hypotheses about a pipeline: which insights hold in which stage, and how large each effect is.

A hypothesis is a point of the unit cube, uniform before any trial. A surrogate is a mixture over hypotheses
with the weights that the trials give them, so an insight's confidence is the weight of the hypotheses that
believe it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.methods.agenttts.insights import capability, interaction, saturation
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.history import Array

OF_STAGE = 6
"""Coordinates for each stage, after those of the whole."""
OF_WHOLE = 5
OTHER = (0.02, 0.3)
"""Scale of further fields (prompt, temperature, aggregator), units of log quality."""
ROUNDS = (0.02, 0.5)
"""Scale of a stage that can be left out."""
ROUGH = (0.002, 0.03)
"""Standard deviation of what no smooth function explains, units of log quality."""
APART = (0.03, 0.5)
"""How far a stage's own score may be from its part of the end score, share of its effects."""
FACTOR = (0.4, 1.6)
"""What a step of a stage's own score is worth in the end score's units."""


@dataclass(frozen=True)
class Hypotheses:
    """h hypotheses; arrays have one value, or row, for each.

    Attributes:
        points: (h, d) of the unit cube.
        multiplied: (h,) whether stages multiply.
        joint, other, rough, apart, factor: (h,) scales of the whole; see the constants above.
        larger: (h, stages) whether larger models are better.
        shape: (h, stages) of the curve in samples.
        capability, sampling, rounds: (h, stages) scales.
    """

    points: Array
    multiplied: NDArray[np.bool_]
    joint: Array
    rough: Array
    apart: Array
    factor: Array
    larger: NDArray[np.bool_]
    shape: NDArray[np.intp]
    capability: Array
    sampling: Array
    rounds: Array
    other: Array

    def __len__(self) -> int:
        return len(self.points)

    def take(self, index: NDArray[np.intp]) -> Array:
        return self.points[index]


def dimensions(stages: int) -> int:
    return OF_WHOLE + OF_STAGE * stages


def hypotheses(points: Array, ordered: list[bool], settings: AgentTTSSettings) -> Hypotheses:
    """The hypotheses at points of the unit cube.

    Args:
        ordered: For each stage, whether its models' sizes are known.
    """
    whole, stages = points[:, :OF_WHOLE], points[:, OF_WHOLE:].reshape(len(points), -1, OF_STAGE)
    larger = (stages[:, :, 0] < capability.PRIOR) & np.array(ordered) & settings.capability
    shape = _shape(stages[:, :, 1]) if settings.saturation else np.zeros(larger.shape, dtype=np.intp)
    return Hypotheses(
        points=points,
        multiplied=(whole[:, 0] < interaction.PRIOR) & settings.interaction,
        joint=_between(whole[:, 1], interaction.SCALE),
        rough=_between(whole[:, 2], ROUGH),
        apart=_between(whole[:, 3], APART),
        factor=_between(whole[:, 4], FACTOR),
        larger=larger,
        shape=shape,
        capability=_between(stages[:, :, 2], capability.SCALE),
        sampling=_between(stages[:, :, 3], saturation.SCALE),
        rounds=_between(stages[:, :, 4], ROUNDS),
        other=_between(stages[:, :, 5], OTHER),
    )


def _shape(u: Array) -> NDArray[np.intp]:
    """Shape 0 with the probability that saturation is not believed, else one of the others."""
    shapes = saturation.SHAPES - 1
    believed = np.minimum((u / saturation.PRIOR * shapes).astype(np.intp), shapes - 1) + 1
    return np.where(u < saturation.PRIOR, believed, 0)


def _between(u: Array, bounds: tuple[float, float]) -> Array:
    """On a logarithmic scale."""
    return np.asarray(bounds[0] * (bounds[1] / bounds[0]) ** u)
