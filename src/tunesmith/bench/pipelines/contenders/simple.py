"""Random search with the default first, and the exhaustive search."""

from __future__ import annotations

from tunesmith.bench.pipelines.search import Search
from tunesmith.seeds import rng_for


def random(search: Search, seed: int) -> None:
    """The default, then feasible allocations uniformly, none twice."""
    default = search.landscape.task.default
    if default is not None:
        search.evaluate(default)
    for configuration in search.landscape.drawn(rng_for(seed, "random")):
        if search.over:
            return
        if default is None or configuration.digest != default.digest:
            search.evaluate(configuration)


def exhaustive(search: Search, seed: int) -> None:
    """Every feasible allocation on every item, in the space's order, whatever it costs."""
    search.budget = search.n * len(search.landscape.feasible)
    for places in search.landscape.feasible:
        configuration = search.landscape.configuration(places)
        search.evaluate(configuration)
        search.landscape.forget(configuration)
