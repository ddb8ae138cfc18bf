"""A genetic algorithm with the constants that AgentTTS states for its disabled one.

Crossover with probability 0.8 takes each stage whole from one of two parents; mutation with 0.5 redraws one
parameter, a sample count by a step or two in its list. Parents are drawn by rank. Steady state: a child joins
the POPULATION best. A child beyond the budget is rejected and made anew.
"""

from __future__ import annotations

import numpy as np

from tunesmith.bench.pipelines.contenders.optuna_samplers import fill
from tunesmith.bench.pipelines.landscape import active_of, listed_of
from tunesmith.bench.pipelines.search import Search
from tunesmith.seeds import rng_for
from tunesmith.space import Categorical
from tunesmith.trial import Configuration, Value

POPULATION, CROSSOVER, MUTATION, FARTHEST = 10, 0.8, 0.5, 2


def evolution(search: Search, seed: int) -> None:
    """See the module; the default and random allocations are the first generation."""
    rng, task = rng_for(seed, "evolution"), search.landscape.task
    members: list[tuple[float, Configuration]] = []
    default = [] if task.default is None else [task.default]
    for configuration in [*default, *task.space.sample(rng, POPULATION - len(default))]:
        if search.over:
            return
        members.append((search.evaluate(configuration).quality, configuration))
    while not (search.over or search.stuck):
        members = sorted({c.digest: (q, c) for q, c in members}.values(), key=lambda m: -m[0])[:POPULATION]
        child = search.legal(_child(search, [configuration for _, configuration in members], rng))
        if child is not None:
            members.append((search.evaluate(child).quality, child))
    fill(search, seed)


def _child(search: Search, ranked: list[Configuration], rng: np.random.Generator) -> dict[str, Value]:
    weights = np.arange(len(ranked), 0, -1, dtype=float)
    first, second = (ranked[i] for i in rng.choice(len(ranked), 2, p=weights / weights.sum()))
    space = search.landscape.task.space
    # What neither parent says, because it is inactive there, is drawn.
    values = {**{name: listed_of(p)[rng.integers(len(listed_of(p)))] for name, p in space.parameters.items()}}
    values |= first
    crossed = rng.random() < CROSSOVER
    if crossed:
        for stage in search.landscape.settings.stages:
            if rng.random() < 0.5:
                values |= {name: v for name, v in second.items() if name.startswith(f"{stage}.")}
    if rng.random() < MUTATION or not crossed:
        names = list(active_of(space, values))
        name = names[rng.integers(len(names))]
        parameter = space.parameters[name]
        choices = listed_of(parameter)
        if isinstance(parameter, Categorical):
            values[name] = choices[rng.integers(len(choices))]
        else:
            step = int(rng.integers(1, FARTHEST + 1)) * (1 if rng.random() < 0.5 else -1)
            values[name] = choices[min(max(choices.index(values[name]) + step, 0), len(choices) - 1)]
    return values
