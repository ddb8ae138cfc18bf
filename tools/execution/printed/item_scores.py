"""What stands under a metric's name: a number, its history, or scores per item (a list, or by ids)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.errors import ItemsError
from tunesmith.items import Items
from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.numbers_in import number_from, numbers_of

MOST_READ = 10_000_000
"""Scores whose mean is taken; more is no list of scores."""


class Scored(NamedTuple):
    """The scores of a metric's items."""

    mean: float
    """May be NaN or infinite."""
    packed: str
    """As `Items.pack` has it; empty where they are not kept."""
    note: str
    """Why they are not kept; empty where they are."""


class Under(NamedTuple):
    """What stands under a metric's name in something that was printed or written."""

    number: float | None
    """Its value; None where there is no single one."""
    history: list[float] | None
    """Several values, one after another; None where it is no such list, or none is wanted."""
    items: dict[str, str]
    """Packed scores per item behind `number`, by the metric's name."""
    note: str
    """Why they are not kept; empty where that is no question."""


def under(raw: Any, metric: str, reading: Reading, *, histories: bool = False) -> Under:
    """Read what stands under a metric's name.

    Args:
        histories: Whether a list may be a history, of which one value is taken.
    """
    if reading.items and (found := scored(raw, metric)) is not None:
        return Under(found.mean, None, {metric: found.packed} if found.packed else {}, found.note)
    number = number_from(raw)
    return Under(number, numbers_of(raw) if histories and number is None else None, {}, "")


def scored(raw: Any, metric: str) -> Scored | None:
    """The scores in what stands under a metric's name; None where that is no list or mapping of scores.

    Args:
        raw: A list, tuple, or array of one dimension, of numbers; True and False count 1 and 0. Or a mapping
            of items' ids to such.
    """
    if isinstance(raw, Mapping):
        return scores_of(list(raw.values()), metric, tuple(map(str, raw)))
    if not isinstance(raw, (list, tuple)) and hasattr(raw, "tolist"):
        raw = raw.tolist()
    return scores_of(raw, metric) if isinstance(raw, (list, tuple)) else None


def scores_of(
    raw: list[Any] | tuple[Any, ...], metric: str, ids: tuple[str, ...] | None = None
) -> Scored | None:
    """As `scored`, for scores whose ids are known."""
    if not 1 <= len(raw) <= MOST_READ:
        return None
    scores = [_score(one) for one in raw]
    numbers = [score for score in scores if score is not None]
    if len(numbers) < len(scores):
        return None
    try:
        return Scored(_mean(numbers), Items(tuple(numbers), ids).pack(), "")
    except ItemsError as error:
        return Scored(_mean(numbers), "", f"The scores per item of {metric} are not kept: {error}.")


def _mean(numbers: list[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except (ValueError, OverflowError):  # infinities of both signs; a sum beyond the range of a float
        return math.nan


def _score(one: Any) -> float | None:
    if not isinstance(one, (bool, int, float, str)) and hasattr(one, "item"):
        try:
            one = one.item()  # a NumPy scalar, or a tensor of one element
        except (ValueError, RuntimeError, TypeError):
            return None
    return float(one) if isinstance(one, bool) else number_from(one)
