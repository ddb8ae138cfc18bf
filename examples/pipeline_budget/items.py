"""Link-and-Add: three facts to look up by alias, three numbers to add; items of both orders of the two steps.

The world has 1,500 entities with 3 aliases each; alias `a` belongs to entity `a // 3`.

link first: each of three questions names an alias and shows 12 candidates, each by an alias and a number of
    six digits. The right one goes by another alias of the same entity. The answer is the total of the three.
add first: three numbers are given. Their total says which three aliases are asked for, and each has to be
    found among 12 candidates. The answer is the three places.

Each item shows `check`, the right total modulo 9. A wrong total passes it about once in nine times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ENTITIES, ALIASES, FACTS, CANDIDATES = 1500, 3, 3, 12
NAMES = ENTITIES * ALIASES
COLUMNS = 7
"""Digits of a total; the largest is 2,999,997."""
_FACTOR = np.array([1, 1433, 2731])
_SHIFT = np.array([0, 977, 3119])


@dataclass(frozen=True)
class Items:
    """n items as arrays."""

    link_first: bool
    asked: np.ndarray
    """Aliases asked for, (n, 3); where adding comes first, what the right total asks for."""
    shown: np.ndarray
    """Aliases of the candidates, (n, 3, 12)."""
    numbers: np.ndarray
    """Numbers to add: (n, 3, 12), one for each candidate; where adding comes first (n, 3)."""
    place: np.ndarray
    """Place of the right candidate, (n, 3)."""
    total: np.ndarray
    """The right total, (n,)."""

    def __len__(self) -> int:
        return len(self.total)

    @property
    def check(self) -> np.ndarray:
        """Shown with the item: the right total modulo 9, (n,)."""
        return self.total % 9


def asked_by(total: np.ndarray) -> np.ndarray:
    """Where adding comes first: the three aliases that a total asks for, (..., 3)."""
    asked: np.ndarray = (np.asarray(total)[..., None] * _FACTOR + _SHIFT) % NAMES
    return asked


def draw_items(n: int, seed: int, link_first: bool = True) -> Items:
    """Items of a seed; those of two seeds are independent, and no two of 8,000 are expected to be equal."""
    rng = np.random.default_rng([seed, int(link_first)])
    numbers = rng.integers(0, 1_000_000, (n, FACTS, CANDIDATES) if link_first else (n, FACTS))
    if link_first:
        asked = rng.integers(0, NAMES, (n, FACTS))
    else:
        total = numbers.sum(1)
        asked = asked_by(total)
    shown, place = draw_candidates(asked, rng)
    if link_first:
        total = np.take_along_axis(numbers, place[..., None], 2)[..., 0].sum(1)
    return Items(link_first, asked, shown, numbers, place, total)


def draw_candidates(asked: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """12 candidates for each alias asked for, (..., 12), and the place of the right one, (...)."""
    entity = asked // ALIASES
    other = (entity[..., None] + rng.integers(1, ENTITIES, (*asked.shape, CANDIDATES))) % ENTITIES
    shown = other * ALIASES + rng.integers(0, ALIASES, other.shape)
    right = entity * ALIASES + (asked + rng.integers(1, ALIASES, asked.shape)) % ALIASES
    place = rng.integers(0, CANDIDATES, asked.shape)
    np.put_along_axis(shown, place[..., None], right[..., None], -1)
    return shown, place


def digits(numbers: np.ndarray) -> np.ndarray:
    """Decimal digits, the last one first, (..., 7)."""
    return np.asarray(numbers)[..., None] // 10 ** np.arange(COLUMNS) % 10
