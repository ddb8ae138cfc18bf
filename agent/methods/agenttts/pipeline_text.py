"""A pipeline, what its stages cost and how its trials went, as prompts show them: bounded, and cleaned.

stage    candidate models with sizes and prices, and what may be chosen besides
cost     the formula of the cost model in words, and a table worked out by the cost model itself
trial    configuration, score, cost against the budget, and each stage's own score and cost
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tunesmith.history import History
from tunesmith.pipeline.allocation import FIELDS, StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import FloatRange, ModelSettings, Range, StageSettings
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.excerpt import CONFIGURATION_LIMIT, MESSAGE_LIMIT, select
from tunesmith.tools.analysis.guidelines import judged_by
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial, TrialState

NAME, MOST_MODELS = 60, 20
"""Characters of a name, and models of a stage that are listed."""
FORMULAS = {
    "agenttts": "a stage costs (parameters / 3e9 * (prompt + S * completion tokens) - 128) / 64 units for S "
    "samples; one of a model of 3e9 parameters with 128 prompt and 64 completion tokens costs 1",
    "flops": "a stage costs 2 * parameters * tokens floating-point operations, with S the number of samples: "
    "tokens are the prompt's and S times the completion's",
    "price": "a stage costs its prompt tokens and the completion tokens of each sample at the model's prices",
    "seconds": "a stage costs the wall time of its calls",
    "memory": "a stage costs the memory traffic of its calls: weights and cache read for each token written",
    "calls": "a stage costs the number of its calls, whatever the model",
}
"""The cost models in words; the numbers in the table are the cost model's own."""


def stage_lines(options: PipelineSettings) -> list[str]:
    """One line a stage, in order."""
    return [f"{clean(name, NAME)}: {_stage(stage)}" for name, stage in options.stages.items()]


def cost_lines(options: PipelineSettings) -> list[str]:
    """The formula, then one line for each stage and model: the cost at a few numbers of samples."""
    basis = options.basis
    prompt = "is paid once for all samples of a stage" if basis.shared else "is paid for each sample"
    fusion = "is charged" if basis.fusion else "is not charged"
    lines = [
        f"in {basis.unit}: {FORMULAS[options.cost_model]}",
        f"the prompt {prompt}; a call that joins samples {fusion}",
    ]
    for name, stage in options.stages.items():
        for model in offered_models(stage)[:MOST_MODELS]:
            tables = {
                aggregator: _costs(options, name, model, aggregator) for aggregator in _aggregators(stage)
            }
            alike = len(set(tables.values())) == 1
            for aggregator, table in list(tables.items())[: 1 if alike else None]:
                by = "" if alike else f" by {aggregator}"
                lines.append(f"{clean(name, NAME)} with {clean(model, NAME)}{by}: {table}")
    return lines


def history_lines(history: History, options: PipelineSettings, trials: Sequence[Trial]) -> list[str]:
    """One line a trial."""
    return [_trial(history, options, trial) for trial in trials]


def shown_trials(history: History, limit: int) -> tuple[Trial, ...]:
    """The trials of a prompt: all that ended, or of more than `limit` the best, latest, failed and others."""
    finished = [t for t in history.informative if t.finished]
    if len(finished) <= limit:
        return tuple(finished)
    part = max(limit // 4, 1)
    return select(history, best=limit - 3 * part, recent=part, failed=part // 2, diverse=part)


def offered_models(stage: StageSettings) -> tuple[str, ...]:
    """The models that may be chosen, as the task orders them."""
    offered = stage.offered("model")
    assert isinstance(offered, tuple)
    return offered


def samples_offered(stage: StageSettings) -> tuple[int, ...]:
    """The numbers of samples that may be chosen, rising."""
    offered = stage.offered("samples")
    if isinstance(offered, Range):
        return tuple(range(offered.low, offered.high + 1))
    assert not isinstance(offered, FloatRange)
    return tuple(sorted(offered))


def few_samples(stage: StageSettings) -> tuple[int, ...]:
    """Up to four of them from least to most, evenly on a logarithmic scale."""
    all_of_them = samples_offered(stage)
    low, high = max(all_of_them[0], 1), max(all_of_them[-1], 1)
    wanted = [math.exp(math.log(low) + share * math.log(high / low)) for share in (0, 1 / 3, 2 / 3, 1)]
    nearest = [min(all_of_them, key=lambda s: abs(s - value)) for value in wanted]
    return tuple(sorted(set(nearest)))


def sample_cost(
    options: PipelineSettings, name: str, model: str, samples: int, aggregator: str | None = None
) -> float:
    """Cost of one stage for one item, with the first offered value of every field that is not given."""
    stage = options.stages[name]
    others: dict[str, Any] = {
        field: value
        for field in FIELDS
        if field not in ("model", "samples") and (value := _first(stage, field)) is not None
    }
    if aggregator is not None:
        others["aggregator"] = aggregator
    return stage_cost(options, StageChoice(name, model, samples, **others))


def _costs(options: PipelineSettings, name: str, model: str, aggregator: str) -> str:
    """`1 sample 12, 5 samples 30`."""
    return ", ".join(
        f"{s} {'sample' if s == 1 else 'samples'} "
        f"{significant(sample_cost(options, name, model, s, aggregator))}"
        for s in few_samples(options.stages[name])
    )


def _aggregators(stage: StageSettings) -> tuple[str, ...]:
    offered = stage.offered("aggregator")
    assert isinstance(offered, tuple)
    return offered


def _first(stage: StageSettings, field: str) -> object:
    offered = stage.offered(field)
    if isinstance(offered, Range | FloatRange):
        return offered.low
    return offered[0] if offered else None


def _stage(stage: StageSettings) -> str:
    models = [_model(name, stage.models[name]) for name in offered_models(stage)]
    left = len(models) - MOST_MODELS
    parts = [f"models {', '.join(models[:MOST_MODELS])}" + (f" and {left} more" if left > 0 else "")]
    for field in FIELDS[1:]:
        if offered := _offered(stage, field):
            parts.append(f"{field} {offered}")
    if stage.tokens is not None:
        parts.append(
            f"about {stage.tokens.prompt:g} prompt and {stage.tokens.completion:g} completion tokens"
        )
    if stage.when is not None:
        parts.append("runs only on items whose gate asks for it")
    return "; ".join(parts)


def _model(name: str, model: ModelSettings) -> str:
    known = [] if model.parameters is None else [f"{model.parameters:.3g} parameters"]
    if model.price is not None:
        known.append(f"${model.price.prompt:g} and ${model.price.completion:g} for a million tokens")
    if model.seconds is not None:
        known.append(f"{model.seconds:.3g} s a call")
    return clean(name, NAME) + (f" ({', '.join(known)})" if known else "")


def _offered(stage: StageSettings, field: str) -> str:
    """What may be chosen, in words; empty where nothing was said of the field."""
    offered = stage.offered(field)
    if isinstance(offered, Range | FloatRange):
        return f"{offered.low:g}" if offered.low == offered.high else f"{offered.low:g} to {offered.high:g}"
    known = [value for value in offered if value is not None]
    if not known or (field not in ("samples", "aggregator") and len(offered) < 2):
        return ""
    return clean(", ".join("never" if value is None else str(value) for value in offered), 200)


def _trial(history: History, options: PipelineSettings, trial: Trial) -> str:
    metric, _ = judged_by(history)
    value = trial.values.get(metric, trial.value if metric == history.metric else None)
    score = f"{clean(metric, NAME)} {significant(value)}" if value is not None else "no score"
    if metric == history.metric and trial.value is not None:
        score = f"{clean(metric, NAME)} {format_metric(history, trial.value)}"
    cells = [f"#{trial.number}", score, _used(options, trial)]
    cells.append(trial.state.value.replace("_", " "))
    cells.append(clean(history.space.format(trial.configuration), CONFIGURATION_LIMIT))
    stages = [_stage_result(trial, name) for name in options.stages]
    if any(stages):
        cells.append("; ".join(filter(None, stages)))
    if history.incumbent is not None and history.incumbent.number == trial.number:
        cells.append("best")
    if trial.state is not TrialState.COMPLETED and trial.message:
        cells.append(f'cause: "{clean(trial.message, MESSAGE_LIMIT)}"')
    return " | ".join(cells)


def _used(options: PipelineSettings, trial: Trial) -> str:
    cost = trial.values.get("cost", trial.cost)
    if cost is None:
        return "cost unknown"
    if options.item_budget is None:
        return f"cost {significant(cost)}"
    return f"cost {significant(cost)} of {significant(options.item_budget)}"


def _stage_result(trial: Trial, stage: str) -> str:
    known = [
        f"{name} {significant(value)}"
        for name in ("score", "cost", "share")
        if (value := trial.values.get(f"{stage}.{name}")) is not None
    ]
    return f"{clean(stage, NAME)}: {', '.join(known)}" if known else ""
