"""Densities of one source of knowledge about one parameter, on a grid over the unit interval.

Each has mean 1 over GRID (1 = uniform), or over the choices of a categorical parameter. No Jacobian: a
density is over the coordinate as the space scales it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from tunesmith.agent.knowledge import Categories, Located
from tunesmith.history import Array
from tunesmith.space import Bool, Categorical, Parameter

GRID = np.linspace(0.0, 1.0, 201)
MIN_SD_SHARE = 0.05
"""A card's sd is at least this share of the parameter's range on the card's scale."""


def ends(parameter: Parameter) -> tuple[float, float]:
    """Unit coordinate of the first legal value, and the distance from it to the last (1 for a constant).

    A finite parameter's values lie in the middle of equal cells, so two values are at 1/4 and 3/4.
    """
    low, high = parameter.round_units(np.array([0.0, 1.0]))
    return float(low), float(high - low) or 1.0


def about_default(parameter: Parameter, default: Array, sd: float, *, alone: bool) -> Array:
    """A bell about a default; for choices all of the mass on it.

    Args:
        default: The default's unit-cube columns of this parameter: (1,), or (k,) for k choices.
        sd: On the grid as the space rounds it, first value at 0, last at 1.
        alone: No card says anything. The part of the bell beyond the range is then spread evenly: a default
            at an end, such as 0, often means 'not used' rather than 'near here'.
    """
    if isinstance(parameter, Categorical | Bool):
        chosen = np.array([1 - default[0], default[0]]).round() if len(default) == 1 else default
        return _over_choices(parameter, chosen)
    low, span = ends(parameter)
    place, middle = (parameter.round_units(GRID) - low) / span, (default[0] - low) / span
    bell = _bell(place, middle, sd)
    if not alone:
        return bell
    inside = float(ndtr((1 - middle) / sd) - ndtr(-middle / sd))
    spread: Array = inside * bell + 1 - inside
    return spread


def of_card(parameter: Parameter, card: Located | Categories | None) -> Array | None:
    """A card's density; None where the card says nothing of this parameter."""
    if isinstance(parameter, Categorical | Bool):
        shares = card.probabilities(parameter.listed) if isinstance(card, Categories) else None
        return None if shares is None else _over_choices(parameter, np.array(shares))
    return _located(parameter, card) if isinstance(card, Located) else None


def _over_choices(parameter: Categorical | Bool, shares: Array) -> Array:
    density = len(parameter.listed) * shares
    return np.where(GRID < 0.5, density[0], density[1]) if isinstance(parameter, Bool) else density


def _located(parameter: Parameter, card: Located) -> Array | None:
    """The card's normal on the grid; None where the range has no place on the card's scale."""
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
