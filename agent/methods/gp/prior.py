"""Prior densities over the space: from the default configuration, and from cards by hyperparameter name.

Each parameter has its own density p_j on the unit interval, held on a grid with mean 1 (1 = uniform):
    card and default   0.9 [0.75 N(T(x); m, s) + 0.25 N(u; u_default, 0.15)] + 0.1
    card alone         0.9 N(T(x); m, s) + 0.1
    default alone      0.9 N(u; u_default, 0.2) + 0.1
    elicited           half of it and half of the card, or of the uniform where there is no card
    neither            flat: the parameter is left out
    category           0.9 [0.85 card + 0.15 default] + 0.1 uniform
The floor of 0.1 bounds what a wrong prior can cost. No Jacobian: a density is over u as the space scales it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.knowledge import Card, Categories, Located, find_card
from tunesmith.history import Array
from tunesmith.space import Bool, Categorical, Parameter, Space
from tunesmith.trial import Configuration

GRID = np.linspace(0.0, 1.0, 201)
FLOOR = 0.1
DEFAULT_SHARE, DEFAULT_SD, LONE_DEFAULT_SD = 0.25, 0.15, 0.2
CATEGORY_DEFAULT_SHARE = 0.15
CardSource = Callable[[str, Parameter, str], Card | None]
ELICITED_SHARE = 0.5
"""Of a prior elicited for this task (`hybrid/elicited_priors.py`) beside a name's card, or beside nothing:
neither is known to be wrong more often, and the mixture is nowhere below half of either density."""
MIN_SD_SHARE = 0.05
"""A card's sd is at least this share of the parameter's range on the card's scale."""


@dataclass(frozen=True)
class ParameterPrior:
    """The prior of one parameter.

    Attributes:
        density: On GRID for a numeric parameter (Bool and Ordinal too), one per choice for a categorical one;
            mean 1 under the uniform distribution.
        card: The card it came from, or None: from the default alone.
    """

    density: Array
    card: Card | None

    @cached_property
    def log_mean(self) -> float:
        """Mean of log density under the uniform distribution; at most 0."""
        return float(np.mean(np.log(self.density)))

    @cached_property
    def log_variance(self) -> float:
        return float(np.var(np.log(self.density)))

    @cached_property
    def cumulative(self) -> Array:
        total: Array = np.cumsum(self.density)
        share: Array = total / total[-1]
        return share


@dataclass(frozen=True)
class Prior:
    """The prior over a space; parameters without one are uniform.

    Rows are unit-cube columns (n, c) as `Space.encode` makes them, already legal.
    """

    space: Space
    parameters: dict[str, ParameterPrior]
    columns: dict[str, NDArray[np.intp]]
    """Columns of each parameter, in the space's order."""

    @property
    def informative(self) -> bool:
        return bool(self.parameters)

    def log_density(self, rows: Array, active: NDArray[np.bool_]) -> Array:
        """sum_j log p_j(u_j), shape (n,). An inactive parameter counts its mean: neither for nor against."""
        total = np.zeros(len(rows))
        for name, prior in self.parameters.items():
            at = self.columns[name]
            if len(at) > 1:
                density = prior.density[np.argmax(rows[:, at], axis=1)]
            else:
                density = np.interp(rows[:, at[0]], GRID, prior.density)
            total += np.where(active[:, at[0]], np.log(density), prior.log_mean)
        return total

    def standardise(self, log_density: Array) -> Array:
        """Log densities centred and scaled by their moments under the uniform distribution."""
        mean = sum(p.log_mean for p in self.parameters.values())
        variance = sum(p.log_variance for p in self.parameters.values())
        standard: Array = (log_density - mean) / np.sqrt(max(variance, 1e-12))
        return standard

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """Draws from the prior, shape (n, c); not yet rounded to legal values."""
        rows = rng.random((n, self.space.dimensions))
        for name, at in self.columns.items():
            prior = self.parameters.get(name)
            if len(at) > 1:
                cumulative = np.arange(1, len(at) + 1) / len(at) if prior is None else prior.cumulative
                choice = np.searchsorted(cumulative, rng.random(n)).clip(0, len(at) - 1)
                rows[:, at] = np.eye(len(at))[choice]
            elif prior is not None:
                cell = np.searchsorted(prior.cumulative, rng.random(n)).clip(0, len(GRID) - 1)
                jitter = (rng.random(n) - 0.5) / (len(GRID) - 1)
                rows[:, at[0]] = np.clip(GRID[cell] + jitter, 0.0, 1.0)
        return rows

    def mode(self, rng: np.random.Generator) -> Array:
        """The most plausible row (c,): each parameter at its density's top; uniform where it has none."""
        row: Array = self.sample(rng, 1)[0]
        for name, prior in self.parameters.items():
            at = self.columns[name]
            top = int(np.argmax(prior.density))
            row[at] = np.eye(len(at))[top] if len(at) > 1 else GRID[top]
        return row


def build_prior(
    space: Space,
    *,
    default: Configuration | None = None,
    words: str = "",
    cards: CardSource | None = find_card,
    elicited: Mapping[str, Card] | None = None,
) -> Prior:
    """The prior of a space.

    Args:
        default: The task's default, or None.
        words: About the model and data; decides which context of a card fits.
        cards: Finds the card of a parameter, given its name, itself and `words`; None means no cards.
        elicited: Further priors by parameter, mixed with the cards.
    """
    columns: dict[str, list[int]] = {name: [] for name in space.names}
    for i, column in enumerate(space.columns):
        columns[column.parameter].append(i)
    row = active = None
    if default is not None:
        row, active = space.encode(default)
    priors: dict[str, ParameterPrior] = {}
    for name, parameter in space.parameters.items():
        at = columns[name]
        start = row[at] if row is not None and active is not None and active[at[0]] else None
        card = cards(name, parameter, words) if cards is not None else None
        prior = parameter_prior(parameter, card, start, (elicited or {}).get(name))
        if prior is not None:
            priors[name] = prior
    return Prior(space, priors, {name: np.array(at, dtype=np.intp) for name, at in columns.items()})


def parameter_prior(
    parameter: Parameter, card: Card | None, default: Array | None, elicited: Card | None = None
) -> ParameterPrior | None:
    """One parameter's prior, or None where nothing is known.

    Args:
        default: The default's unit-cube columns of this parameter: (1,), or (k,) for k choices; or None.
        elicited: A prior that counts beside the card.
    """
    if parameter.size == 1:
        return None
    if isinstance(parameter, Categorical | Bool):
        return _categorical_prior(parameter, card, default, elicited)
    bump = _card_density(parameter, card) if isinstance(card, Located) else None
    if isinstance(elicited, Located) and (other := _card_density(parameter, elicited)) is not None:
        card = elicited if bump is None else card
        bump = (1 - ELICITED_SHARE) * (1.0 if bump is None else bump) + ELICITED_SHARE * other
    if default is None:
        return None if bump is None else ParameterPrior((1 - FLOOR) * bump + FLOOR, card)
    # Bells about the default lie on the grid as the space rounds it, first value at 0, last at 1.
    low, span = ends(parameter)
    place, middle = (parameter.round_units(GRID) - low) / span, (default[0] - low) / span
    if bump is None:
        return ParameterPrior((1 - FLOOR) * _bell(place, middle, LONE_DEFAULT_SD) + FLOOR, None)
    bump = (1 - DEFAULT_SHARE) * bump + DEFAULT_SHARE * _bell(place, middle, DEFAULT_SD)
    return ParameterPrior((1 - FLOOR) * bump + FLOOR, card)


def ends(parameter: Parameter) -> tuple[float, float]:
    """Unit coordinate of the first legal value, and the distance from it to the last (1 for a constant).

    A finite parameter's values lie in the middle of equal cells, so two values are at 1/4 and 3/4.
    """
    low, high = parameter.round_units(np.array([0.0, 1.0]))
    return float(low), float(high - low) or 1.0


def _categorical_prior(
    parameter: Categorical | Bool, card: Card | None, default: Array | None, elicited: Card | None = None
) -> ParameterPrior | None:
    choices = parameter.listed
    k = len(choices)
    known = card.probabilities(choices) if isinstance(card, Categories) else None
    other = elicited.probabilities(choices) if isinstance(elicited, Categories) else None
    if other is not None and known is not None:
        pairs = zip(known, other, strict=True)
        known = [(1 - ELICITED_SHARE) * p + ELICITED_SHARE * q for p, q in pairs]
    elif other is not None:
        known, card = [(1 - ELICITED_SHARE) / k + ELICITED_SHARE * q for q in other], elicited
    if known is None and default is None:
        return None
    # Without a card the choices other than the default count alike.
    probabilities = np.full(k, 1 / k) if known is None else np.array(known)
    if default is not None:
        chosen = np.array([1 - default[0], default[0]]).round() if len(default) == 1 else default
        probabilities = (1 - CATEGORY_DEFAULT_SHARE) * probabilities + CATEGORY_DEFAULT_SHARE * chosen
    density = k * ((1 - FLOOR) * probabilities + FLOOR / k)
    if isinstance(parameter, Bool):
        density = np.where(GRID < 0.5, density[0], density[1])
    return ParameterPrior(density, card if known is not None else None)


def _card_density(parameter: Parameter, card: Located) -> Array | None:
    """The card's normal on the grid, mean 1; None where the range has no place on the card's scale."""
    if not parameter.numeric:
        return None
    values = parameter.numbers(GRID)
    with np.errstate(divide="ignore", invalid="ignore"):
        if card.transform == "log10":
            place = np.log10(values)
        else:
            place = np.log10(1 - values) if card.transform == "log10_one_minus" else values
    finite = np.isfinite(place)
    # Half the range without a logarithm: the name means something else here.
    if finite.mean() < 0.5:
        return None
    low, high = float(place[finite].min()), float(place[finite].max())
    mean, sd = min(max(card.mean, low), high), max(card.sd, MIN_SD_SHARE * (high - low))
    return _bell(np.where(finite, place, np.inf), mean, sd)


def _bell(x: Array, mean: float, sd: float) -> Array:
    """A normal density at x, renormalised to mean 1 over the grid; 0 where x is infinite."""
    bell = np.exp(-0.5 * ((x - mean) / sd) ** 2)
    scaled: Array = bell / max(float(bell.mean()), 1e-300)
    return scaled
