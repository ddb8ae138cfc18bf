"""A small conditional task on real disk, and trials of it."""

import math
import shutil

import pytest
from optuna.storages import RDBStorage

from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.task import Task
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Origin, Outcome, Proposal, Provenance, Trial, TrialState


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """An Optuna database without a study: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "study.db"
    RDBStorage(f"sqlite:///{path}").engine.dispose()
    return path


@pytest.fixture
def database_url(empty_database, tmp_path):
    shutil.copy(empty_database, tmp_path / "study.db")
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def space():
    return Space(
        {
            "lr": Float(1e-5, 1e-1, scale="log"),
            "layers": Int(1, 4),
            "optimizer": Categorical(["sgd", "adam"]),
            "momentum": Float(0.0, 0.99, when={"optimizer": "sgd"}),
        }
    )


@pytest.fixture
def make_task(space, tmp_path):
    def make(**changes):
        fields = {
            "name": "digits",
            "metric": "accuracy",
            "direction": "maximize",
            "space": space,
            "objective": {"function": str(tmp_path / "train.py") + ":train"},
        }
        return Task.model_validate({**fields, **changes})

    return make


@pytest.fixture
def task(make_task):
    return make_task()


@pytest.fixture
def folder(tmp_path, task):
    return RunFolder.create(tmp_path / "runs", task)


@pytest.fixture
def make_trial(space):
    """A running trial; every second one has a conditional parameter."""

    def make(number, **changes):
        values = {"lr": 1e-4 * (1 + number % 500), "layers": 1 + number % 4, "optimizer": "adam"}
        if number % 2:
            values |= {"optimizer": "sgd", "momentum": 0.5}
        proposal = Proposal(
            configuration=space.validate(values),
            origin=Origin.SURROGATE,
            reason=f"Trial {number} looks promising; ümlaut [/red] \u2028.",
            evidence=tuple(range(number))[:2],
            expected=0.8,
            spread=0.05,
            prompt_id="hybrid/candidates.v2",
            tokens=12,
            provenance=Provenance(acquisition=0.25, side="model"),
            details={"trust": 0.25},
        )
        return Trial(
            number=number, proposal=proposal, seed=100 + number, started_at=1.7e9 + number, **changes
        )

    return make


@pytest.fixture
def outcome():
    def make(number, state=TrialState.COMPLETED, steps=3):
        completed = state is TrialState.COMPLETED
        return Outcome(
            state=state,
            values={"accuracy": 0.5 + 0.01 * number, "loss": 1.0 / (number + 1)} if completed else {},
            curve=tuple((step, round(0.1 * step + 0.01 * number, 6)) for step in range(steps)),
            message="" if completed or state is TrialState.PRUNED else f"it ended {state.value}",
            seconds=1.5,
        )

    return make


@pytest.fixture
def repairs():
    """Collects emitted events."""

    class Said(list):
        def __call__(self, event):
            self.append(event)

        @property
        def text(self):
            return "\n".join(f"{event.cause} -> {event.continuation}" for event in self)

    return Said()


@pytest.fixture
def same_trial():
    """Whether two trials agree in all that both the folders and the study keep."""

    def same(a, b):
        drop = {"traceback"}
        left, right = a.model_dump(exclude=drop), b.model_dump(exclude=drop)
        started = left.pop("started_at"), right.pop("started_at")
        return left == right and math.isclose(*started, abs_tol=1e-3)

    return same
