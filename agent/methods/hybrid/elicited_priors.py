"""Priors elicited from a language model for one task: checked, kept, and turned into cards.

For each hyperparameter it knows something about, the model gives a best guess and a plausible range, or
weights for categories, and why. A range is read as the central 80 % of a normal distribution on the
parameter's own scale, so its sd is (high - low) / 2.56 there. A hyperparameter said to be flat has the
uniform density. The result is mixed with the card of the parameter's name (`gp/prior.py`), fades with
evidence and counts only as far as data agree with it. What a best value is said to move with is shown and
kept, no more: each prior is of one hyperparameter.
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
UNINFORMATIVE = 0.95
"""A range of at least this share of the space's is left out."""
WHY_LIMIT = 300


class ElicitedPriors:
    """The model's priors of one run: stated once, then constant.

    In a run they are written by the engine's thread between two proposals, while the policy's thread waits.

    Args:
        space: The search space.
        recorded: From an earlier session of the run; None when the model has not been asked yet.
    Attributes:
        asked: Whether the model has been asked, whatever it answered.
        priors: What it answered, as far as it could be used.
        cards: The same by parameter, for `GaussianProcessStrategy.with_advice`.
    """

    def __init__(self, space: Space, recorded: Sequence[ElicitedPrior] | None = None) -> None:
        self._space = space
        self.asked = False
        self.priors: tuple[ElicitedPrior, ...] = ()
        self.cards: Mapping[str, Card] = {}
        if recorded is not None:
            # Checked again, because the task's space may have been changed between two sessions.
            self.record(read_priors([prior.model_dump() for prior in recorded], space)[0])

    def record(self, priors: Sequence[ElicitedPrior]) -> None:
        """Keep the model's answer; only the first of a run counts."""
        if not self.asked:
            self.extend(priors)

    def extend(self, priors: Sequence[ElicitedPrior]) -> None:
        """Keep a further part of that answer; what was said of a parameter before stands."""
        known = {prior.parameter for prior in self.priors}
        new = {p.parameter: p for p in reversed(priors) if p.parameter not in known}
        found = {name: card_of(prior, self._space.parameters[name]) for name, prior in new.items()}
        cards = {name: card for name, card in found.items() if card is not None}
        self.asked = True
        self.priors = (*self.priors, *(prior for prior in priors if new.get(prior.parameter) is prior))
        self.cards = {**self.cards, **cards}  # another dictionary, because a proposal may still hold this one


def read_priors(answer: Sequence[Any], space: Space) -> tuple[list[ElicitedPrior], list[str]]:
    """The priors in an answer, clipped to the space, and the faults of the items that were left out.

    Args:
        answer: Mappings with `parameter`, then `low`, `best`, `high`, or `weights`, or `flat`, and
            `joint_with` and `why`; anything else is a fault, and never an exception.
    Returns:
        At most one prior a parameter, in the space's order; a range as wide as the space is left out.
    """
    priors: dict[str, ElicitedPrior] = {}
    faults: list[str] = []
    for place, item in enumerate(answer, 1):
        if not isinstance(item, Mapping):
            faults.append(f"prior {place} is no object")
            continue
        written = str(item.get("parameter", ""))
        name = written if written in space else written.replace("\\", "")
        if name not in space:
            faults.append(f"prior {place} is about no parameter of the space: {clean(written, 60)!r}")
        elif name in priors:
            faults.append(f"prior {place} is about {name} again")
        else:
            joint = str(item.get("joint_with") or "").replace("\\", "")
            joint = joint if joint in space and joint != name else ""
            flat = item.get("flat") is True and space.parameters[name].size != 1
            stated = any(item.get(key) is not None for key in ("low", "best", "high")) or item.get("weights")
            known = flat or (joint and not stated)
            prior = None if known else _read_prior(name, item, space.parameters[name])
            if isinstance(prior, str):
                faults.append(f"{name}: {prior}")
            elif flat or prior is not None or joint:
                prior = prior or ElicitedPrior(parameter=name, flat=flat, why=_why(item))
                priors[name] = prior.model_copy(update={"joint_with": joint})
    return [priors[name] for name in space.names if name in priors], faults


def card_of(prior: ElicitedPrior, parameter: Parameter) -> Card | None:
    """An elicited prior as a card, as if from the knowledge base; None where it has no density."""
    if prior.flat:
        if isinstance(parameter, Categorical | Bool):
            even = tuple((str(choice).lower(), 1 / len(parameter.listed)) for choice in parameter.listed)
            return Categories(prior.parameter, (), even, SOURCE)
        return Located(prior.parameter, (), "linear", 0.0, math.inf, SOURCE) if parameter.numeric else None
    if prior.weights:
        weights = tuple((choice.lower(), weight) for choice, weight in prior.weights.items())
        return Categories(prior.parameter, (), weights, SOURCE)
    if prior.low is None or prior.best is None or prior.high is None:
        return None
    scale = scale_of(parameter, prior.best)
    low, best, high = (_place(value, scale) for value in (prior.low, prior.best, prior.high))
    # A range of no width is widened where the card is put on the space (`prior.MIN_SD_SHARE`).
    sd = max(abs(high - low) / CENTRAL_80, 1e-12)
    return Located(prior.parameter, (), scale, best, sd, SOURCE)


def scale_of(parameter: Parameter, near: float) -> Transform:
    """The scale on which a parameter's prior is normal: logarithmic where its range is."""
    scale = getattr(parameter, "scale", "linear")
    if scale == "logit":
        return "log10" if near < 0.5 else "log10_one_minus"
    if isinstance(parameter, Ordinal):
        values = parameter.numbers(np.linspace(0, 1, 101))
        return "log10" if values.min() > 0 and values.max() >= 8 * values.min() else "linear"
    return "log10" if scale == "log" else "linear"


def _read_prior(name: str, item: Mapping[str, Any], parameter: Parameter) -> ElicitedPrior | str | None:
    """The prior, or its fault, or None where it is uninformative."""
    why = _why(item)
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
    if abs(_place(high, scale) - _place(low, scale)) >= UNINFORMATIVE * whole:
        return None
    return ElicitedPrior(parameter=name, low=low, best=best, high=high, why=why)


def _why(item: Mapping[str, Any]) -> str:
    return clean(item.get("why") or "", WHY_LIMIT)


def _weights(written: Any, parameter: Categorical | Bool) -> dict[str, float] | str:
    """Shares by choice, summing to at most 1 (the rest is the other choices'); or the fault."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(written, Mapping):
        pairs = list(written.items())
    elif isinstance(written, Sequence) and not isinstance(written, str):
        pairs = [(item.get("choice"), item.get("weight")) for item in written if isinstance(item, Mapping)]
    choices = {str(choice).lower(): str(choice) for choice in parameter.listed}
    shares: dict[str, float] = {}
    for choice, weight in pairs:
        share, known = _number(weight), choices.get(str(choice).lower().strip())
        if share is not None and share >= 0 and known is not None:
            shares[known] = min(share, 1e6)
    total = sum(shares.values())
    if total <= 0:
        return "it gives no weight to any choice of the space"
    if total > 1 or len(shares) == len(choices):
        shares = {choice: weight / total for choice, weight in shares.items()}
    return shares


def _number(written: Any) -> float | None:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    try:
        number = float(written)
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
