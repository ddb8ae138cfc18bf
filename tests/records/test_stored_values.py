"""Every configuration comes back from every kind of storage as it was."""

import json

import optuna
import pytest

from tunesmith.objective import Objective
from tunesmith.space import Categorical, Float, Int, Ordinal, Space
from tunesmith.task import Task
from tunesmith.tools.execution.base import Job
from tunesmith.tools.execution.job import Resources
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Origin, Proposal, Trial

CHOICES = [
    None,
    [50, 100],
    (3, (4,)),
    {"a": [None]},
    float("nan"),
    1,
    "1",
    "none",
    "",
    "x" * 3000,
    2**90,
    True,
]
SPACE = Space(
    {
        "c": Categorical(CHOICES),
        "o": Ordinal([None, 2, 4.5]),
        "n": Int(0, 2**63 - 1),
        "log": Int(1, 2**60, "log"),
        "step": Int(-(2**62) - 1, 2**62, step=6),
        "tiny": Float(0, 5e-323),
        "grid": Float(0, 1, step=0.1),
        "one": Float(0.1, 0.1),
    }
)
BASE = {"o": None, "n": 2**53 + 1, "log": 3**37, "step": -(2**62) - 1 + 6 * 3**30, "tiny": 1e-323,
        "grid": 0.3, "one": 0.1}  # fmt: skip


@pytest.mark.parametrize("url", [None, "sqlite:///{}/study.db"], ids=["journal", "sqlite"])
def test_a_study_gives_back_every_configuration(url, tmp_path):
    task = Task(metric="v", direction="minimize", space=SPACE, name="t")
    where = None if url is None else url.format(tmp_path)
    folder = RunFolder.create(tmp_path, task)
    store = StudyStore.open(folder, task, where)
    wanted = [SPACE.validate({**BASE, "c": choice}) for choice in CHOICES]
    for number, configuration in enumerate(wanted):
        proposal = Proposal(configuration=configuration, origin=Origin.USER, reason="")
        store.started(Trial(number=number, proposal=proposal))
    again = StudyStore.open(folder, task, where).load()
    assert [dict(trial.configuration) for trial in again] == [dict(c) for c in wanted]
    assert len({trial.configuration for trial in again}) == len(CHOICES) - 1  # True is 1


def test_a_job_brings_the_training_code_what_was_listed(tmp_path):
    for choice in CHOICES[:-1]:
        configuration = SPACE.originals(SPACE.validate({**BASE, "c": choice}))
        job = Job(0, tmp_path, configuration, 0, "v", Objective(function="a:b"), Resources())
        received = Job.from_data(json.loads(job.to_json())).configuration
        assert repr(received) == repr(configuration)
        assert repr(received["c"]) == repr(choice) and received["o"] is None and received["n"] == 2**53 + 1


def test_optuna_reads_null_as_null_and_the_rest_as_text(tmp_path):
    task = Task(metric="v", direction="minimize", space=SPACE, name="t")
    folder = RunFolder.create(tmp_path, task)
    where = f"sqlite:///{tmp_path}/study.db"
    store = StudyStore.open(folder, task, where)
    for number, choice in enumerate((None, [50, 100])):
        proposal = Proposal(
            configuration=SPACE.validate({**BASE, "c": choice}), origin=Origin.USER, reason=""
        )
        store.started(Trial(number=number, proposal=proposal))
    (name,) = optuna.get_all_study_names(where)
    trials = optuna.load_study(study_name=name, storage=where).trials
    assert [trial.params["c"] for trial in trials] == [None, "[50, 100]"]
    assert all(trial.params["o"] is None for trial in trials)
