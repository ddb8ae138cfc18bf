"""Where the best value of one hyperparameter is: a distribution over its range, and what is read off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.gp.densities import GRID
from tunesmith.agent.methods.gp.prior import ParameterPrior
from tunesmith.beliefs import BINS
from tunesmith.history import Array
from tunesmith.space import Bool, Categorical, Ordinal, Parameter
from tunesmith.text.literal import one_line
from tunesmith.trial import Value

ATOMS = 256
"""Equal cells that a range is divided into; a range of fewer values has one for each."""
SMOOTHED_ABOVE = 12
"""Ranges of up to so many values are counted value by value."""
CENTRAL = 0.8
"""Belief that the stated range holds at least."""
FLOOR = 0.02
"""Share of a posterior that is uniform: a few hundred draws exclude nothing."""
NAME_WIDTH = 60


@dataclass(frozen=True)
class Range:
    """A hyperparameter's range as equal atoms of [0, 1]."""

    parameter: Parameter

    @property
    def listed(self) -> bool:
        """Whether it is shown value by value."""
        return isinstance(self.parameter, Categorical | Bool | Ordinal)

    @property
    def ordered(self) -> bool:
        return not isinstance(self.parameter, Categorical | Bool)

    @property
    def atoms(self) -> int:
        size = self.parameter.size
        return size if size is not None and (self.listed or size <= ATOMS) else ATOMS

    def of_prior(self, prior: ParameterPrior | None) -> Array:
        """The prior's probability of each atom."""
        if prior is None:
            return np.full(self.atoms, 1 / self.atoms)
        density = prior.density
        if not isinstance(self.parameter, Categorical):
            density = np.interp((np.arange(self.atoms) + 0.5) / self.atoms, GRID, density)
        mass: Array = density / density.sum()
        return mass

    def of_units(self, units: Array, weights: Array) -> Array:
        """The probability of each atom from weighted draws at unit coordinates (S,); weights sum to 1."""
        n = self.atoms
        place = np.clip((units * n).astype(int), 0, n - 1)
        mass: Array = np.bincount(place, weights, minlength=n).astype(np.float64)
        if self.ordered and not self.listed and n > SMOOTHED_ABOVE:
            mass = _smoothed(mass, units, weights)
        even: Array = (1 - FLOOR) * mass / mass.sum() + FLOOR / n
        return even

    def cells(self, mass: Array) -> tuple[float, ...]:
        """Atoms as `ParameterBelief` shows them: one a value of a listed one, else BINS."""
        if self.listed:
            return tuple(float(p) for p in mass)
        edges = np.interp(np.linspace(0, 1, BINS + 1), np.linspace(0, 1, len(mass) + 1), _cumulative(mass))
        return tuple(float(p) for p in np.diff(edges))

    def value(self, unit: float) -> Value:
        return self.parameter.from_unit(unit)

    def text(self, unit: float) -> str:
        return one_line(self.parameter.format(self.value(unit)), NAME_WIDTH)

    def expected(self, mass: Array, best: float | None = None) -> float:
        """Unit coordinate of the value that is expected to be the best.

        `best`, that of the predicted best configuration, where it lies in the range: a marginal alone may be
        centred where no good configuration is, and was further from known optima. Else the likeliest value,
        and of a float or int the middle of the belief in its range, as the mode of a wide belief says little.
        """
        if best is not None:
            low, high, _ = self.interval(mass)
            half = 0.5 / len(mass)
            if low - half <= best <= high + half:
                return best
        if self.listed:
            return float((int(np.argmax(mass)) + 0.5) / len(mass))
        first, last = self._shortest(mass)
        total = _cumulative(mass)
        middle = (total[first] + total[last]) / 2
        unit = float(np.interp(middle, total, np.linspace(0, 1, len(total))))
        return min(max(unit, 0.0), 1.0)

    def interval(self, mass: Array) -> tuple[float, float, float]:
        """Ends of the shortest range with at least CENTRAL of the belief, as units, and what it holds.

        The ends are the middles of the outer atoms where atoms are values, else their outer edges.
        """
        low, high = self._shortest(mass)
        held = float(_cumulative(mass)[[low, high]] @ [-1.0, 1.0])
        inner = 0.5 if self.parameter.size is not None else 0.0
        return (low + inner) / len(mass), (high - inner) / len(mass), held

    def _shortest(self, mass: Array) -> tuple[int, int]:
        """First atom of the shortest range and the one after its last; of several the likeliest."""
        total = _cumulative(mass)
        ends = np.searchsorted(total, total[:-1] + CENTRAL - 1e-12)
        starts = np.flatnonzero(ends <= len(mass))
        held = total[ends[starts]] - total[starts]
        width = ends[starts] - starts
        # Of equally short ones that hold as much the middle one: a uniform belief prefers no end.
        equal = np.flatnonzero(width == width.min())
        best = equal[held[equal] >= held[equal].max() - 1e-9]
        best = best[len(best) // 2]
        return int(starts[best]), int(ends[starts[best]])

    def ticks(self) -> tuple[str, ...]:
        """Low end, middle and high end in words; of a listed one its values."""
        if self.listed:
            return tuple(self.text((i + 0.5) / self.atoms) for i in range(self.atoms))
        return self.text(0.0), self.text(0.5), self.text(1.0)


def _cumulative(mass: Array) -> Array:
    total = np.concatenate([[0.0], np.cumsum(mass)])
    share: Array = total / total[-1]
    return share


def _smoothed(mass: Array, units: Array, weights: Array) -> Array:
    """A kernel density by Silverman's rule, reflected at both ends; at least an eighth of a cell wide."""
    n = len(mass)
    mean = float(weights @ units)
    sd = float(np.sqrt(weights @ (units - mean) ** 2))
    order = np.argsort(units)
    q1, q3 = np.interp((0.25, 0.75), np.cumsum(weights[order]), units[order])
    effective = 1 / float(weights @ weights)
    width = max(0.9 * min(sd, (q3 - q1) / 1.34 or sd) * effective**-0.2, 1 / (8 * BINS))
    middles = (np.arange(n) + 0.5) / n
    kernel = np.zeros((n, n))
    for mirrored in (middles, -middles, 2 - middles):
        kernel += np.exp(-0.5 * ((middles[:, None] - mirrored[None, :]) / width) ** 2)
    smooth: Array = (kernel / kernel.sum(axis=0)) @ mass
    return smooth
