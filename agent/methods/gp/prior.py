"""Prior densities over the space, each a mixture of what several sources believe.

Each parameter has its own density p_j on the unit interval, held on a grid with mean 1 (1 = uniform):

    p_j = 0.9 [1 + sum_k share_k t_jk (b_jk - 1)] + 0.1

b_jk is the density of source k (`densities.py`), t_jk in [0, 1] how far the results bear it out (`trust.py`):
a source without trust counts as the uniform density. The floor of 0.1 bounds what a wrong prior can cost.
Shares:
    card and default   0.75 N(T(x); m, s), 0.25 N(u; u_default, 0.15)
    card alone         1; rival cards share it (`Knowledge.find_all`)
    default alone      1, N(u; u_default, 0.2), the part beyond the range spread evenly
    elicited           half of it and half of the card, or of the uniform where there is no card
    neither            the parameter is left out
    category           0.85 card, 0.15 default, alone too: other choices than a default count alike
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.knowledge import Card, Located, find_cards
from tunesmith.agent.methods.gp.densities import GRID, about_default, of_card
from tunesmith.history import Array
from tunesmith.space import Bool, Categorical, Parameter, Space
from tunesmith.trial import Configuration

FLOOR = 0.1
DEFAULT_SHARE, DEFAULT_SD, LONE_DEFAULT_SD = 0.25, 0.15, 0.2
CATEGORY_DEFAULT_SHARE = 0.15
CardSource = Callable[[str, Parameter, str], Sequence[Card]]
ELICITED_SHARE = 0.5
"""Of a prior elicited for this task (`hybrid/elicited_priors.py`) beside a name's card, or beside nothing:
neither is known to be wrong more often, and the mixture is nowhere below half of either density."""
DEFAULT, NAME, DATA, MODEL, WORD = "default", "name", "data", "model", "word "
"""Sources: the stated default, cards by name, cards placed by figures of the data, the language model, and
cards chosen by a word of the task, which follows WORD: the word is wrong or right for all of them."""


@dataclass(frozen=True)
class Belief:
    """What one source believes of one parameter.

    Attributes:
        source: Beliefs of one source are trusted alike, apart from what each shows by itself.
        share: Of the parameter's density at full trust, in (0, 1].
        density: On GRID for a numeric parameter (Bool and Ordinal too), one per choice for a categorical one;
            mean 1 under the uniform distribution.
        card: The card it came from; None for the default.
        trust: In [0, 1].
    """

    source: str
    share: float
    density: Array
    card: Card | None = None
    trust: float = 1.0


@dataclass(frozen=True)
class ParameterPrior:
    """The prior of one parameter: a mixture of beliefs, of which there is at least one."""

    beliefs: tuple[Belief, ...]

    @cached_property
    def density(self) -> Array:
        """As `Belief.density`, of the mixture."""
        return self._mixture(self.beliefs)

    @cached_property
    def parts(self) -> list[Array]:
        """What each belief adds to the log density, centred to mean 0 under the uniform distribution."""
        without = [self._mixture([b for b in self.beliefs if b is not belief]) for belief in self.beliefs]
        added = [np.log(self.density) - np.log(rest) for rest in without]
        return [log - log.mean() for log in added]

    def _mixture(self, beliefs: Sequence[Belief]) -> Array:
        excess = [belief.share * belief.trust * (belief.density - 1) for belief in beliefs]
        density: Array = (1 - FLOOR) * (1 + np.sum([np.zeros_like(self.beliefs[0].density), *excess], axis=0))
        return density + FLOOR

    @property
    def card(self) -> Card | None:
        """The card with the largest share, or None: from the default alone."""
        cards = [belief for belief in self.beliefs if belief.card is not None]
        return max(cards, key=lambda belief: belief.share).card if cards else None

    @cached_property
    def log_mean(self) -> float:
        """Mean of log density under the uniform distribution; at most 0."""
        return float(np.mean(np.log(self.density)))

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

    @cached_property
    def beliefs(self) -> list[tuple[str, Belief]]:
        """Every belief with its parameter's name, in order: F of them."""
        return [(name, belief) for name, prior in self.parameters.items() for belief in prior.beliefs]

    @cached_property
    def trust(self) -> float:
        """Mean trust of all beliefs by their share, in [0, 1]; 0 without any."""
        total = sum(belief.share for _, belief in self.beliefs)
        return sum(b.share * b.trust for _, b in self.beliefs) / total if total else 0.0

    @cached_property
    def source_trusts(self) -> dict[str, float]:
        """The same for each source, in the order in which they first appear."""
        weighed: dict[str, list[float]] = {}
        for _, belief in self.beliefs:
            sums = weighed.setdefault(belief.source, [0.0, 0.0])
            sums[0] += belief.share * belief.trust
            sums[1] += belief.share
        return {source: trusted / share for source, (trusted, share) in weighed.items()}

    def trusted(self, trusts: Array) -> Prior:
        """The prior with these trusts in [0, 1], shape (F,), in the order of `beliefs`."""
        left = iter(trusts.tolist())
        return replace(
            self,
            parameters={
                name: ParameterPrior(tuple(replace(b, trust=next(left)) for b in prior.beliefs))
                for name, prior in self.parameters.items()
            },
        )

    def log_density(self, rows: Array, active: NDArray[np.bool_]) -> Array:
        """sum_j log p_j(u_j), shape (n,). An inactive parameter counts its mean: neither for nor against."""
        total = np.zeros(len(rows))
        for name, prior in self.parameters.items():
            log = np.log(self.at(name, prior.density, rows))
            total += np.where(active[:, self.columns[name][0]], log, prior.log_mean)
        return total

    def at(self, name: str, values: Array, rows: Array) -> Array:
        """A parameter's values on GRID, or one per choice, read off at the rows, shape (n,)."""
        at = self.columns[name]
        if len(at) > 1:
            chosen: Array = values[np.argmax(rows[:, at], axis=1)]
            return chosen
        return np.interp(rows[:, at[0]], GRID, values)

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
    cards: CardSource | None = find_cards,
    elicited: Mapping[str, Card] | None = None,
) -> Prior:
    """The prior of a space.

    Args:
        default: The task's default, or None.
        words: About the model and data; decides which context of a card fits.
        cards: Finds the cards of a parameter, with shares, given its name, itself and `words`; None means no
            cards.
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
        known = cards(name, parameter, words) if cards is not None else ()
        prior = parameter_prior(parameter, known, start, (elicited or {}).get(name))
        if prior is not None:
            priors[name] = prior
    return Prior(space, priors, {name: np.array(at, dtype=np.intp) for name, at in columns.items()})


def source_of(card: Card) -> str:
    """The source that a card's beliefs are trusted by: figures of the data, a word of the task, or names."""
    if isinstance(card, Located) and card.measured:
        return DATA
    return f"{WORD}{card.words[0]}" if card.words else NAME


def parameter_prior(
    parameter: Parameter, cards: Sequence[Card], default: Array | None, elicited: Card | None = None
) -> ParameterPrior | None:
    """One parameter's prior, or None where nothing is known.

    Args:
        default: The default's unit-cube columns of this parameter: (1,), or (k,) for k choices; or None.
        elicited: A prior that counts beside the card.
    """
    if parameter.size == 1:
        return None
    category = isinstance(parameter, Categorical | Bool)
    placed = [(card, density) for card in cards if (density := of_card(parameter, card)) is not None]
    stated = of_card(parameter, elicited)
    known = bool(placed) or stated is not None
    share = CATEGORY_DEFAULT_SHARE if category else DEFAULT_SHARE if known else 1.0
    rest = 1 - share if default is not None else 1.0
    of_cards = rest * (1 if stated is None else 1 - ELICITED_SHARE)
    beliefs = [Belief(source_of(card), of_cards * card.share, density, card) for card, density in placed]
    if stated is not None:
        beliefs.append(Belief(MODEL, rest * ELICITED_SHARE, stated, elicited))
    if default is not None:
        density = about_default(parameter, default, DEFAULT_SD if known else LONE_DEFAULT_SD, alone=not known)
        beliefs.append(Belief(DEFAULT, share, density))
    return ParameterPrior(tuple(beliefs)) if beliefs else None
