"""The initial design of AgentTTS (arXiv 2508.00890, Eq. 5): each model of each stage at one equal budget.

Symbols: B_i^max the cost of one sample of stage i's largest model, as far as the budget B leaves room for it
beside the cheapest of the other stages; S the samples that a model m of the stage gets for it.

    for each stage i, each of its models m:   stage i: m with S = the most samples that cost at most B_i^max,
                                              left out where not even one fits, 60 at most
                                              other stages: the largest model, one sample, where affordable;
                                              else the smallest
"""

from __future__ import annotations

import math
from typing import Any

from tunesmith.agent.methods.agenttts.pipeline_text import offered_models, sample_cost, samples_offered
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.space import Space
from tunesmith.trial import Configuration

MOST_SAMPLES = 60


def initial_design(space: Space, options: PipelineSettings) -> list[Configuration]:
    """The design in order, at most one configuration for each stage and model; each one once, all legal.

    Args:
        space: The task's, whose kind says what fits the budget.
    """
    budget = math.inf if options.item_budget is None else options.item_budget
    found: dict[str, Configuration] = {}
    for stage in options.stages:
        most = _budget_of(options, stage, budget)
        for model in by_size(options, stage):
            samples = _most_samples(options, stage, model, most)
            if samples is None:
                continue
            for others in ("largest", "smallest"):
                values = {
                    name: (model, samples) if name == stage else _one_sample(options, name, others)
                    for name in options.stages
                }
                configuration = _configuration(space, values)
                if configuration is not None:
                    found.setdefault(configuration.digest, configuration)
                    break
    return list(found.values())


def by_size(options: PipelineSettings, stage: str) -> list[str]:
    """The models of a stage from small to large: by parameters where all have them, else by cost.

    Of equal ones the order of the task, which is smallest first.
    """
    settings = options.stages[stage]
    models = list(offered_models(settings))
    sizes = {name: settings.models[name].parameters for name in models}
    if all(sizes.values()):
        return sorted(models, key=lambda name: sizes[name] or 0.0)
    least = _fewest(options, stage)
    return sorted(models, key=lambda name: sample_cost(options, stage, name, least))


def _fewest(options: PipelineSettings, stage: str) -> int:
    """One sample, or what comes next to it."""
    offered = samples_offered(options.stages[stage])
    return next((s for s in offered if s >= 1), offered[-1])


def _one_sample(options: PipelineSettings, stage: str, which: str) -> tuple[str, int]:
    models = by_size(options, stage)
    return models[-1 if which == "largest" else 0], _fewest(options, stage)


def _budget_of(options: PipelineSettings, stage: str, budget: float) -> float:
    """B_i^max."""
    others = math.fsum(
        sample_cost(options, name, *_one_sample(options, name, "smallest"))
        for name in options.stages
        if name != stage
    )
    room, fewest = budget - others, _fewest(options, stage)
    costs = [sample_cost(options, stage, model, fewest) for model in by_size(options, stage)]
    fitting = [cost for cost in reversed(costs) if cost <= room]  # too big: the next smaller one
    return fitting[0] if fitting else room


def _most_samples(options: PipelineSettings, stage: str, model: str, most: float) -> int | None:
    """The most samples that cost at most `most`; None where not even one does."""
    fitting = [
        s
        for s in samples_offered(options.stages[stage])
        if 1 <= s <= MOST_SAMPLES and sample_cost(options, stage, model, s) <= most * (1 + 1e-9)
    ]
    return fitting[-1] if fitting else None


def _configuration(space: Space, chosen: dict[str, tuple[str, int]]) -> Configuration | None:
    """The configuration, with the first offered value of every other field; None where it cannot be run."""
    values: dict[str, Any] = {}
    for name in space.order:
        if not space.is_active(name, values):
            continue
        parameter = space.parameters[name]
        stage, _, field = name.rpartition(".")
        model, samples = chosen[stage]
        listed = getattr(parameter, "listed", None)
        other = listed[0] if listed else getattr(parameter, "low", None)
        values[name] = {"model": model, "samples": samples}.get(field, other)
    return None if space.problems(values) else space.validate(values)
