"""What a contender is: a function that spends a search's budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.bench.pipelines.search import Search


@dataclass(frozen=True)
class Contender:
    """An optimiser that takes part.

    Attributes:
        name: As on the command line; stored runs are found by it.
        about: Who it is, in a line for the page.
        version: Changes when its code does, so that runs of two builds are never mixed.
        run: Spends the budget of a search; the seed makes it repeatable.
        whole: Whether it evaluates allocations only on all items, so that trials can be counted.
        most_seeds: How many seeds it is run on at most, where it costs much; None: all.
        families: Families of tasks it is for; empty: all.
    """

    name: str
    about: str
    version: str
    run: Callable[[Search, int], None]
    whole: bool = True
    most_seeds: int | None = None
    families: tuple[str, ...] = ()
