"""Training code that damages its own run's records or processes: a trial never takes a run down."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fakes import vandals
from fakes.tiny_job import tunesmith
from tunesmith import tune
from tunesmith.events import RunFinished, TrialFinished, TrialStarted
from tunesmith.space import Categorical, Float
from tunesmith.tools.records.event_store import EventStore
from tunesmith.trial import TrialState

SOME = [
    "moved:own",
    "fifo:result.json",
    "forged:result.json",
    "device:curve.jsonl",
    "link:log.txt",
    "folder:config.json",
    "deleted:trials",
    "file:next",
    "deleted:default's",
    "link:exchanges.jsonl",
    "fifo:lock.json",
    "truncated:study.journal",
    "huge:study.journal",
    "events:run.db",
    "fifo:run.db",
    "overwritten:task.yaml",
    "deleted:lock",
    "stopped:parent",
    "killed:parent",
    *(f"{way}:line" for way in vandals.LINES),
    "link:run",
]
WAYS = [
    *("deleted", "moved", "folder", "file", "fifo", "link", "loop", "device", "huge"),
    *("garbage", "truncated", "overwritten", "appended", "forged"),
]
NOT_FILES = ("truncated", "overwritten", "appended", "huge", "forged")
FOLDERS = ("own", "trials", "next", "default's", "run")
FILES = [
    *(*vandals.OWN, "study.journal", "study.journal.lock", "run.db", "run.db-wal", "task.yaml", "run.json"),
    *("lock", "lock.json", "report.md", "report.json", "exchanges.jsonl"),
]


ROWS = ["studies", "study_directions", "trials", "trial_params", "trial_values", "trial_user_attributes"]


def run(tmp_path: Path, acts: list[str], workers: int) -> None:
    """A run whose trials do these acts, and the same command again with three trials more."""
    shutil.copy(vandals.__file__, tmp_path / "vandals.py")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    choices = ["nothing", *acts, "nothing more"]
    task = {
        "name": "job",
        "objective": {"function": "vandals.py:train"},
        "metric": "v",
        "direction": "maximize",
        "space": {"act": {"type": "categorical", "choices": choices}},
        "default": {"act": "nothing"},
        "budget": {"trials": len(acts) - 2},
        "tuner": "random",
        "workers": workers,
    }
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(task))
    first = tunesmith("run", "task.yaml", "--no-model", cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    whole(tmp_path, acts)
    before = states(tmp_path)
    again = tunesmith("run", "task.yaml", "--no-model", "--trials", str(len(choices)), cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    whole(tmp_path, acts)
    assert states(tmp_path)[: len(before)] == before
    assert {act for act, _ in states(tmp_path)} == set(choices)
    assert victim.read_text() == "precious"


def states(tmp_path: Path) -> list[tuple[str, str]]:
    report = json.loads((tmp_path / "runs/job/report.json").read_text())
    return [(trial["configuration"]["act"], trial["state"]) for trial in report["trials"]]


def whole(tmp_path: Path, acts: list[str]) -> None:
    """Report, log and study agree on every trial, each act has a typed end, and no value was made up."""
    folder = tmp_path / "runs/job"
    told = states(tmp_path)
    ended = dict(told)
    for act in (act for act in acts if act in ended):
        ends = {"killed:parent": {"lost"}, **{f"{way}:line": {"crashed"} for way in vandals.LINES}}
        expected = ends.get(act, {"completed"})
        # Where nothing is left of the run's folder the trial cannot say how it ended; the engine does.
        assert ended[act] in (expected | {"crashed"} if act.endswith(":run") else expected), act
    assert ended["nothing"] == "completed"
    report = json.loads((folder / "report.json").read_text())
    assert {trial["value"] for trial in report["trials"]} <= {0.5, None}
    log = EventStore(folder / "run.db", create=False)
    events = log.events()
    log.close()
    numbers = list(range(len(told)))
    assert sorted(e.number for e in events if isinstance(e, TrialStarted)) == numbers
    assert sorted(e.number for e in events if isinstance(e, TrialFinished)) == numbers
    assert [e.status for e in events if isinstance(e, RunFinished)][-1] == "finished"
    study = optuna.load_study(
        study_name="job", storage=JournalStorage(JournalFileBackend(str(folder / "study.journal")))
    )
    assert [(t.params["act"], t.user_attrs["tunesmith"]["outcome"]) for t in study.trials] == told


@pytest.mark.long
def test_what_a_trial_does_to_the_records_costs_that_trial_at_most(tmp_path: Path) -> None:
    run(tmp_path, SOME, workers=1)
    told = states(tmp_path)
    assert [end for act, end in told if act == "killed:parent"] == ["lost"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_whatever_a_trial_does_to_the_records_costs_that_trial_at_most(tmp_path: Path, workers: int) -> None:
    every = [
        f"{way}:{target}"
        for way, target in product(WAYS, (*FOLDERS, *FILES))
        if not (target in FOLDERS and way in NOT_FILES) and not (target == "run" and workers > 1)
    ]
    run(tmp_path, every, workers)


def test_a_function_whose_own_pickle_a_trial_deletes_is_still_there_for_the_next(tmp_path: Path) -> None:
    def train(config, trial):
        (trial.folder.parent.parent / "objective.pkl").unlink()
        return config["x"]

    result = tune(
        train, {"x": Float(0, 1)}, metric="v", direction="maximize", trials=3, runs=tmp_path, model=None
    )
    assert [trial.state for trial in result.history] == [TrialState.COMPLETED] * 3


@pytest.mark.long
def test_a_database_that_trials_take_away_is_made_anew_from_what_is_known(tmp_path: Path) -> None:
    database = tmp_path / "study.db"

    def train(config, trial):
        way = config["way"]
        if way == "rows":
            with closing(sqlite3.connect(database, isolation_level=None)) as held:
                for table in ROWS:
                    held.execute(f"DELETE FROM {table}")
        elif way == "junk":
            database.write_bytes(b"junk" * 999)
        elif way == "gone":
            database.unlink()
        return float(len(way))

    ways = ["nothing", "gone", "rows", "junk"]
    url = f"sqlite:///{database}"
    space = {"way": Categorical(ways)}
    result = tune(
        train, space, metric="v", direction="maximize", trials=4, runs=tmp_path, model=None, storage=url
    )
    assert {trial.configuration["way"]: trial.value for trial in result.history} == {
        way: float(len(way)) for way in ways
    }
    [summary] = optuna.get_all_study_summaries(url)
    study = optuna.load_study(study_name=summary.study_name, storage=url)
    assert [(t.params["way"], t.value) for t in study.trials] == [
        (trial.configuration["way"], trial.value) for trial in result.history
    ]
