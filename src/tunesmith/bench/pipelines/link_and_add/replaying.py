"""Banks of Link-and-Add as replay tables, and the pipelines that they answer for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tunesmith.bench.pipelines.link_and_add.bank import (
    BY_STATE,
    REPAIRS,
    ROUNDS,
    SAMPLES,
    SAMPLES_OF_THREE,
    Bank,
)
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.table import ReplayTable, Setting

TOKENS = {
    "link": {"prompt": 36, "completion": 3},
    "add": {"prompt": 21, "completion": 7},
    "repair": {"prompt": 21, "completion": 7},
}
SHARE = 0.3
"""Of the items, which repair is expected to run on in a round."""
Sizes = Mapping[str, Mapping[str, int]]
"""By stage and name of a model, its slots or hidden units."""


def settings_of(
    link_first: bool,
    sizes: Sizes,
    parameters: Mapping[str, Mapping[int, int]],
    aggregator: str,
    repairs: bool,
) -> PipelineSettings:
    """The pipeline of some models, without a budget; costs in FLOPs."""
    stages: dict[str, dict[str, Any]] = {}
    order = ["link", "add"] if link_first else ["add", "link"]
    if repairs:
        order.insert(order.index("add") + 1, "repair")
    for stage in order:
        weights = parameters["link" if stage == "link" else "add"]
        stages[stage] = {
            "call": f"stages.py:{stage}",
            "models": {name: {"parameters": weights[size]} for name, size in sizes[stage].items()},
            "samples": SAMPLES_OF_THREE if repairs else SAMPLES,
            "tokens": TOKENS[stage],
            "score": f"stages.py:{stage}_score",
        }
        if stage != "link":
            stages[stage] |= {"aggregator": aggregator, "verify": "stages.py:verify"}
        if stage == "repair":
            stages[stage] |= {
                "samples": REPAIRS,
                "rounds": tuple(range(ROUNDS + 1)),
                "when": "stages.py:failed",
                "share": SHARE,
            }
    return PipelineSettings.model_validate(
        {"stages": stages, "items": "stages.py:items", "score": "stages.py:score", "cost_model": "flops"}
    )


def replay_table(bank: Bank, settings: PipelineSettings, sizes: Sizes) -> ReplayTable:
    """A bank with the models that the settings name; totals are checked as their aggregator needs it."""
    first = "link" if bank.link_first else "add"
    samples = {
        (stage, turn): {
            Setting(name): bank.samples(stage, turn, size, by=settings.stages[stage].aggregator[0])
            for name, size in sizes[stage].items()
        }
        for stage, turn in bank.states
        if stage in settings.stages
    }
    assert next(iter(settings.stages)) == first
    return ReplayTable.from_arrays(
        items=[f"{first}-{i}" for i in range(bank.n)],
        stages=list(settings.stages),
        score=bank.score,
        samples=samples,
        cost=cost_of_a_run(settings),
        gates={"repair": ~bank.passes} if "repair" in settings.stages else {},
        stage_scores={stage: bank.own for stage in settings.stages},
        settings=settings,
    )


def cost_of_a_run(settings: PipelineSettings) -> Callable[[StageChoice, int, bool], float]:
    """What a stage costs for an item that it does run on, once."""
    ungated = {
        name: {**stage.model_dump(), "when": None, "share": 1.0} for name, stage in settings.stages.items()
    }
    of = PipelineSettings.model_validate({**settings.model_dump(), "stages": ungated})
    return lambda choice, drawn, fused: stage_cost(of, replace(choice, samples=drawn, rounds=1))


def joined(banks: Sequence[Bank]) -> Bank:
    """One bank of the items of several, in their order; the states before the first stage come first."""
    if len(banks) == 1:
        return banks[0]
    n = sum(bank.n for bank in banks)
    moved, items, others = [], 0, n
    for bank in banks:
        later = len(bank.score) - bank.n
        moved.append(np.concatenate([items + np.arange(bank.n), others + np.arange(later)]))
        items, others = items + bank.n, others + later

    whole = Bank(banks[0].link_first, n, **{name: _by_state(banks, name) for name in BY_STATE})
    for key in banks[0].states:
        states = np.concatenate([to[bank.states[key]] for bank, to in zip(banks, moved, strict=True)])
        order = np.argsort(states)
        whole.states[key] = states[order]
        for name in [name for name in banks[0].leads if name[:2] == key]:
            leads = np.concatenate([to[bank.leads[name]] for bank, to in zip(banks, moved, strict=True)])
            whole.leads[name] = leads[order]
    return whole


def _by_state(banks: Sequence[Bank], name: str) -> np.ndarray:
    each = [(getattr(bank, name), bank.n) for bank in banks]
    return np.concatenate([values[:n] for values, n in each] + [values[n:] for values, n in each])
