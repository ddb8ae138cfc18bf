"""A pipeline of two stages whose quality is a formula, for tests of the method `agenttts`."""

from __future__ import annotations

from typing import Any

from tunesmith.budget import ModelCaps
from tunesmith.history import History
from tunesmith.task import Task
from tunesmith.trial import Origin, Proposal, Trial, TrialState

TOKENS = {"find": {"prompt": 2048, "completion": 128}, "answer": {"prompt": 256, "completion": 64}}
SIZES = {"small": 3e9, "mid": 7e9, "large": 72e9}
BUDGET = 3.6e14
CAPS = ModelCaps(calls=200)
SPACE = {
    "find": ({name: {"parameters": size} for name, size in SIZES.items()}, {"low": 1, "high": 100}),
    "answer": ({name: {"parameters": SIZES[name]} for name in ("small", "large")}, {"low": 1, "high": 100}),
}


def problem(**changes: Any) -> dict[str, Any]:
    stages = {
        name: {"models": models, "samples": samples, "tokens": TOKENS[name]}
        for name, (models, samples) in SPACE.items()
    }
    return {"name": "pipeline", "cost_model": "flops", "item_budget": BUDGET, "stages": stages, **changes}


def task(**changes: Any) -> Task:
    """The pipeline as a task; `problem` may be given, and any other key."""
    return Task.model_validate({"problem": problem(), "description": "Two hops.", "seed": 3, **changes})


def quality(values: Any) -> float:
    """A larger finder is better and samples buy little; the answer is best at ten samples."""
    capability = {"small": 0.3, "mid": 0.7, "large": 0.95}[values["find.model"]]
    found = capability + (1 - capability) * 0.15 * (1 - 1 / values["find.samples"])
    right = {"small": 0.6, "large": 0.9}[values["answer.model"]]
    samples = values["answer.samples"]
    return found * (right + (1 - right) * 0.8 * (1 - 1 / samples) - 0.002 * max(0, samples - 10))


def empty(made: Task) -> History:
    return History(made.space, made.metric, made.direction, default=made.default)


def told(made: Task, history: History, proposal: Proposal, **changes: Any) -> History:
    """The history with a completed trial of a proposal."""
    value = changes["value"] if "value" in changes else quality(proposal.configuration)
    cost = made.cost_of(proposal.configuration)
    fields = {"value": value, "values": {"quality": value, "cost": cost}, "cost": cost, **changes}
    trial = Trial(number=len(history), proposal=proposal, state=TrialState.COMPLETED, **fields)
    return history.with_trial(trial)


def ran(made: Task, *rows: tuple[str, int, str, int], **changes: Any) -> History:
    """A history of trials: model and samples of `find`, then of `answer`."""
    history = empty(made)
    for row in rows:
        names = ("find.model", "find.samples", "answer.model", "answer.samples")
        configuration = made.space.validate(dict(zip(names, row, strict=True)))
        proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason="As told.")
        history = told(made, history, proposal, **changes)
    return history
