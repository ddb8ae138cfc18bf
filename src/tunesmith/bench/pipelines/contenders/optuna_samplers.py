"""Optuna's samplers. Sample counts are told in their order; models as categories, or in order of size.

A proposal beyond the budget is rejected: the known cost says so before anything is run. TPE is then asked
again; `tpe_told`, and the Gaussian process, which would propose the same again, are told a constraint that is
violated, with the worst value seen. A repeated proposal is told its known value, and costs nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from tunesmith.bench.pipelines.landscape import listed_of
from tunesmith.bench.pipelines.search import Search
from tunesmith.pipeline.costs import item_cost
from tunesmith.seeds import rng_for
from tunesmith.space import Categorical, Parameter, Space
from tunesmith.trial import Value


def tpe(search: Search, seed: int) -> None:
    """Multivariate TPE."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # multivariate is experimental
        sampler = optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
    _run(search, seed, sampler)


def tpe_told(search: Search, seed: int) -> None:
    """As `tpe`, told that models have an order, and by how much a proposal is beyond the budget."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
    _run(search, seed, sampler, ordered=True, constrained=True)


def gp(search: Search, seed: int) -> None:
    """Optuna's Gaussian process, told the budget as a constraint."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.GPSampler(seed=seed)
    _run(search, seed, sampler, constrained=True)


def _run(
    search: Search, seed: int, sampler: Any, *, ordered: bool = False, constrained: bool = False
) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    task = search.landscape.task
    budget = search.landscape.settings.item_budget
    study = optuna.create_study(direction="maximize", sampler=sampler)
    failed = optuna.trial.TrialState.FAIL
    worst = 0.0
    if task.default is not None:
        study.enqueue_trial(_told(task.space.parameters, task.default, ordered))
    while not (search.over or search.stuck):
        trial = study.ask()
        values = _suggested(trial, task.space, ordered)
        configuration = search.legal(values)
        if configuration is None and constrained and budget is not None:
            cost = item_cost(search.landscape.settings, task.space.originals(values))
            trial.set_constraint("cost", cost / budget - 1)
            study.tell(trial, worst)
        elif configuration is None:
            study.tell(trial, state=failed)
        else:
            quality = search.evaluate(configuration).quality
            worst = quality if not search.tried > 1 else min(worst, quality)
            if constrained:
                trial.set_constraint("cost", -1.0)
            study.tell(trial, quality)
    fill(search, seed)


def fill(search: Search, seed: int) -> None:
    """Spend what is left at random, where a sampler ended in repeating itself."""
    for configuration in search.landscape.drawn(rng_for(seed, "fill")):
        if search.over:
            return
        search.evaluate(configuration)


Parameters = Mapping[str, Parameter]


def _suggested(trial: Any, space: Space, ordered: bool) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name in space.order:
        if not space.is_active(name, values):
            continue
        parameter = space.parameters[name]
        choices = listed_of(parameter)
        if _by_place(name, parameter, ordered):
            values[name] = choices[trial.suggest_int(name, 0, len(choices) - 1)]
        else:
            values[name] = trial.suggest_categorical(name, choices)
    return values


def _told(
    parameters: Mapping[str, Parameter], values: Mapping[str, Value], ordered: bool
) -> dict[str, Value]:
    return {
        name: listed_of(p).index(values[name]) if _by_place(name, p, ordered) else values[name]
        for name, p in parameters.items()
        if name in values
    }


def _by_place(name: str, parameter: Parameter, ordered: bool) -> bool:
    return not isinstance(parameter, Categorical) or (ordered and name.endswith(".model"))
