"""Small spaces and studies in memory, for the suites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tunesmith.history import History
from tunesmith.space import Bool, Categorical, Float, Int, Space
from tunesmith.task import Task
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState

SPACES: dict[str, Space] = {
    "numbers": Space({"lr": Float(1e-5, 1e-1, scale="log"), "width": Int(8, 256), "drop": Float(0, 0.9)}),
    "branches": Space(
        {
            "optimizer": Categorical(["sgd", "adam"]),
            "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
            "nesterov": Bool(when={"optimizer": "sgd"}),
            "lr": Float(1e-5, 1e-1, scale="log"),
        }
    ),
    "constraint": Space({"warmup": Int(0, 20), "epochs": Int(5, 40)}, ["warmup < epochs / 2"]),
}
FINITE = Space({"layers": Int(1, 3), "bias": Bool()})
ENDS = tuple(map(TrialState, ("completed", "crashed", "completed", "diverged", "pruned")))
"""How the trials of `grown` end, in turn."""


def task_for(space: Space, **changes: Any) -> Task:
    """A task over a space, whose default is a fixed draw of it."""
    default = space.sample(np.random.default_rng(1))[0]
    fields = {"metric": "score", "direction": "maximize", "space": space, "default": default}
    return Task.model_validate({**fields, **changes})


def task_with_goals(space: Space, *, bound: float) -> Task:
    """The same with a second metric, `latency_ms` from 0 to 1 with a limit on it, and a cost of trials."""
    goals = {
        "metrics": {"score": "maximize", "latency_ms": "minimize"},
        "limits": {"latency_ms": f"<= {bound}"},
    }
    return Task.model_validate({"space": space, "default": task_for(space).default, "cost": "2", **goals})


def empty_history(task: Task) -> History:
    return task.empty_history()


def score(space: Space, configuration: Configuration) -> float:
    """A smooth value of a configuration, best in the middle of the unit cube."""
    row, active = space.encode(configuration)
    return 1.0 - float(((row - 0.5) ** 2)[active].sum())


def finished(history: History, proposal: Proposal, state: TrialState = TrialState.COMPLETED) -> History:
    """The history with a proposal run and ended."""
    value = score(history.space, proposal.configuration)
    values = {history.metric: value, **{goal.metric: abs(value) % 1.0 for goal in history.others}}
    trial = Trial(
        number=history.trials[-1].number + 1 if history.trials else 0,
        proposal=proposal,
        state=state,
        value=value if state is TrialState.COMPLETED else None,
        values=values if state is TrialState.COMPLETED and history.others else {},
        curve=((1, value),) if state is TrialState.PRUNED else (),
        message="it did not work" if state.failed else "",
    )
    return history.with_trial(trial)


def grown(task: Task, n: int) -> History:
    """A history of `n` finished trials of every kind of end, at random configurations, none twice."""
    history = empty_history(task)
    for configuration in distinct(task.space, n):
        proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason="Drawn at random.")
        history = finished(history, proposal, ENDS[len(history) % len(ENDS)])
    return history


def distinct(space: Space, n: int) -> Iterator[Configuration]:
    """`n` different random configurations, or as many as there are among 10,000 draws."""
    drawn = space.sample(np.random.default_rng(0), min(3 * n + 20, 10_000))
    yield from list(dict.fromkeys(drawn))[:n]
