"""Priors that a language model states for this very task: checked, kept, and turned into cards.

The model gives, for each hyperparameter it has a view on, a best guess and the range it thinks plausible, or
weights for categories, and why. A range is read as the central 80 % of a normal belief on the parameter's own
scale, so its sd is (high - low) / 2.56 there. What it says is mixed half and half with the card of the
parameter's name (`prior.py`), fades with evidence and counts only as far as data bear it out, like any prior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.agent.knowledge import Card, Categories, Located
from tunesmith.agent.knowledge.cards import Transform
from tunesmith.events import ElicitedPrior
from tunesmith.space import Bool, Categorical, Ordinal, Parameter, Space
from tunesmith.text.cleaning import clean

SOURCE = "the language model"
CENTRAL_80 = 2.563
"""Width of the central 80 % of a normal distribution, in standard deviations."""
SAYS_NOTHING = 0.95
"""A range of at least this share of the space's states no belief."""
WHY_LIMIT = 300
SHOWN = 3


class ElicitedPriors:
    """What the model has stated in this run: set once, then the same for good, whoever reads it.

    Args:
        space: The search space.
        stated: What an earlier sitting was told; None when the model has not been asked yet.
    """

    def __init__(self, space: Space, stated: Sequence[ElicitedPrior] | None = None) -> None:
        self._space = space
        self._beliefs: tuple[ElicitedPrior, ...] | None = None
        self.cards: Mapping[str, Card] = {}
        """By parameter. Replaced as a whole: another thread may be reading it."""
        if stated is not None:
            # Read anew, as a task's space may have been changed between two sittings.
            self.state(read_beliefs([belief.model_dump() for belief in stated], space)[0])

    @property
    def asked(self) -> bool:
        """Whether the model has been asked, whatever it said."""
        return self._beliefs is not None

    @property
    def beliefs(self) -> tuple[ElicitedPrior, ...]:
        return self._beliefs or ()

    def state(self, beliefs: Sequence[ElicitedPrior]) -> None:
        """Take what the model states; only the first statement of a run counts."""
        if self._beliefs is None:
            self._beliefs = tuple(beliefs)
            self.cards = {b.parameter: card_of(b, self._space.parameters[b.parameter]) for b in beliefs}


def read_beliefs(said: Sequence[Any], space: Space) -> tuple[list[ElicitedPrior], list[str]]:
    """Beliefs in an answer, clipped to the space, and what was wrong with the others.

    Args:
        said: Mappings with `parameter`, then `low`, `best`, `high` or `weights`, and `why`; anything else
            is a fault, and never an exception.
    Returns:
        At most one belief a parameter, in the space's order; a range as wide as the space is left out.
    """
    found: dict[str, ElicitedPrior] = {}
    faults: list[str] = []
    for place, item in enumerate(said, 1):
        if not isinstance(item, Mapping):
            faults.append(f"belief {place} is no object")
            continue
        written = str(item.get("parameter", ""))
        name = written if written in space else written.replace("\\", "")
        if name not in space:
            faults.append(f"belief {place} is about no parameter of the space: {clean(written, 60)!r}")
        elif name in found:
            faults.append(f"belief {place} is about {name} again")
        else:
            belief = _read(name, item, space.parameters[name])
            if isinstance(belief, str):
                faults.append(f"{name}: {belief}")
            elif belief is not None:
                found[name] = belief
    return [found[name] for name in space.names if name in found], faults


def card_of(belief: ElicitedPrior, parameter: Parameter) -> Card:
    """A belief as a card, as if it had come from the knowledge base."""
    if belief.weights:
        weights = tuple((choice.lower(), weight) for choice, weight in belief.weights.items())
        return Categories(belief.parameter, (), weights, SOURCE)
    assert belief.low is not None and belief.best is not None and belief.high is not None
    scale = scale_of(parameter, belief.best)
    low, best, high = (_place(value, scale) for value in (belief.low, belief.best, belief.high))
    # A range of no width is widened where the card meets the space (`prior.MIN_SD_SHARE`).
    sd = max(abs(high - low) / CENTRAL_80, 1e-12)
    return Located(belief.parameter, (), scale, best, sd, SOURCE)


def scale_of(parameter: Parameter, near: float) -> Transform:
    """The scale on which beliefs about a parameter are normal: logarithmic where its range is."""
    scale = getattr(parameter, "scale", "linear")
    if scale == "logit":
        return "log10" if near < 0.5 else "log10_one_minus"
    if isinstance(parameter, Ordinal):
        values = parameter.numbers(np.linspace(0, 1, 101))
        return "log10" if values.min() > 0 and values.max() >= 8 * values.min() else "linear"
    return "log10" if scale == "log" else "linear"


def in_words(beliefs: Sequence[ElicitedPrior], limit: int = SHOWN) -> str:
    """`lr near 0.003 (0.001 to 0.01), optimizer adam (70 %)`; at most `limit` of them."""
    return ", ".join(belief.text for belief in beliefs[:limit])


def _read(name: str, item: Mapping[str, Any], parameter: Parameter) -> ElicitedPrior | str | None:
    """The belief, or what is wrong with it, or None where it says nothing."""
    why = clean(item.get("why") or "", WHY_LIMIT)
    if parameter.size == 1:
        return None
    if isinstance(parameter, Categorical | Bool):
        weights = _weights(item.get("weights"), parameter)
        if isinstance(weights, str):
            return weights
        even = 1 / len(parameter.listed)
        if len(weights) == len(parameter.listed) and all(abs(w - even) < 0.01 for w in weights.values()):
            return None
        return ElicitedPrior(parameter=name, weights=weights, why=why)
    if not parameter.numeric:
        return "its values are no numbers, so a range says nothing of it"
    low, best, high = (_number(item.get(key)) for key in ("low", "best", "high"))
    ends = parameter.numbers(np.array([0.0, 1.0]))
    bottom, top = float(ends.min()), float(ends.max())
    if low is None or high is None:
        if best is None:
            return "it has neither a best guess nor a range"
        return "it has no range, so there is no telling how sure it is"
    low, high = min(low, high), max(low, high)
    if high < bottom or low > top:
        return f"its range {low:.4g} to {high:.4g} lies outside the space"
    low, high = max(low, bottom), min(high, top)
    if best is None:
        scale = scale_of(parameter, (low + high) / 2)
        best = _middle(low, high, scale)
    best = min(max(best, low), high)
    scale = scale_of(parameter, best)
    whole = abs(_place(top, scale) - _place(bottom, scale))
    if abs(_place(high, scale) - _place(low, scale)) >= SAYS_NOTHING * whole:
        return None
    return ElicitedPrior(parameter=name, low=low, best=best, high=high, why=why)


def _weights(said: Any, parameter: Categorical | Bool) -> dict[str, float] | str:
    """Shares by choice, summing to at most 1 (the rest is the other choices'); or what is wrong."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(said, Mapping):
        pairs = list(said.items())
    elif isinstance(said, Sequence) and not isinstance(said, str):
        pairs = [(item.get("choice"), item.get("weight")) for item in said if isinstance(item, Mapping)]
    choices = {str(choice).lower(): str(choice) for choice in parameter.listed}
    found: dict[str, float] = {}
    for choice, weight in pairs:
        share, known = _number(weight), choices.get(str(choice).lower().strip())
        if share is not None and share >= 0 and known is not None:
            found[known] = min(share, 1e6)
    total = sum(found.values())
    if total <= 0:
        return "it gives no weight to any choice of the space"
    if total > 1 or len(found) == len(choices):
        found = {choice: weight / total for choice, weight in found.items()}
    return found


def _number(said: Any) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        number = float(said)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _place(value: float, scale: Transform) -> float:
    """A value on a card's scale."""
    if scale == "linear":
        return value
    return math.log10(max(value if scale == "log10" else 1 - value, 1e-300))


def _middle(low: float, high: float, scale: Transform) -> float:
    middle = (_place(low, scale) + _place(high, scale)) / 2
    if scale == "linear":
        return middle
    power: float = 10.0**middle
    return power if scale == "log10" else 1 - power
