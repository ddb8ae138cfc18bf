"""Sessions of a run without any process: trials that end as wanted, in a space that may change."""

from __future__ import annotations

from tunesmith.space import Categorical, Float, Space
from tunesmith.task import Task
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

COMPLETED = TrialState.COMPLETED
LR = Float(1e-5, 1e-1, scale="log")
V1 = {"lr": LR, "opt": Categorical(["adam", "sgd"])}


def task(space, *, constraints=(), **changes):
    fields = {"name": "t", "metric": "acc", "direction": "maximize", "objective": {"function": "t.py:train"}}
    if "metrics" in changes:
        del fields["metric"], fields["direction"]
    return Task.model_validate({**fields, "space": Space(space, constraints), **changes})


def run_trials(runs, a_task, configurations, *, storage=None, ends=(), events=None, others=None):
    """A session that runs these configurations; returns the history that it began with.

    Args:
        others: Values of further metrics, of every completed trial.
    """
    said = [] if events is None else events
    store = FolderStore.create(runs, a_task, storage)
    with store.lease():
        history = store.load(said.append)
        store.events.append_many(said)
        for place, values in enumerate(configurations):
            state = ends[place] if place < len(ends) else COMPLETED
            proposal = Proposal(
                configuration=a_task.space.validate(values), origin=Origin.SURROGATE, reason="why"
            )
            trial = Trial(number=store.next_number, proposal=proposal, seed=1, started_at=1.7e9)
            store.begin(trial)
            if state is TrialState.RUNNING:
                continue  # killed here
            done = {"acc": values["lr"] * 10, **(others or {})} if state is COMPLETED else {}
            outcome = store.record_outcome(trial.number, Outcome(state=state, values=done, seconds=1.0))
            store.finish(finished_trial(trial, outcome, *a_task.goals.names))
    store.close()
    return history


def numbers(trials):
    return [trial.number for trial in trials]
