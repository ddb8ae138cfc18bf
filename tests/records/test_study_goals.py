"""Several metrics and limits in the records: Optuna's programs see them, and folders alone restore them."""

from __future__ import annotations

import shutil
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tunesmith.errors import RunError
from tunesmith.events import Degraded, Noted
from tunesmith.history import History
from tunesmith.space import Float, Space
from tunesmith.task import Task
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.study import ATTRIBUTE
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

COMPLETED, PRUNED, CRASHED = TrialState.COMPLETED, TrialState.PRUNED, TrialState.CRASHED
VALUES = [
    {"acc": 0.9, "ms": 30.0, "mib": 5.0},
    {"acc": 0.8, "ms": 10.0, "mib": 4.0},
    {"acc": 0.7, "ms": 5.0, "mib": 3.0},
    {"acc": 0.6, "ms": 7.0, "mib": 1.0},
    {"acc": 0.95, "ms": 50.0, "mib": 9.0},
]


def task(metrics: dict, **changes) -> Task:
    fields = {"name": "t", "metrics": metrics, "space": Space({"x": Float(0, 1)})}
    return Task.model_validate({**fields, "objective": {"function": "t.py:train"}, **changes})


def run(runs: Path, a_task: Task, storage: str | None, outcomes=()) -> tuple[History, list]:
    """A session whose trials end so; what the next one would be given, and what was said."""
    said: list = []
    store = FolderStore.create(runs, a_task, storage)
    with store.lease():
        store.load(said.append)
        for outcome in outcomes:
            n = store.next_number
            proposal = Proposal(
                configuration=a_task.space.validate({"x": n / 100}), origin=Origin.RANDOM, reason="why"
            )
            trial = Trial(number=n, proposal=proposal, seed=1, started_at=1.7e9)
            store.begin(trial)
            kept = store.record_outcome(n, outcome)
            store.finish(finished_trial(trial, kept, *a_task.goals.names))
    store.close()
    store = FolderStore.create(runs, a_task, storage)
    with store.lease():
        history = store.load(said.append)
    store.close()
    return history, said


def ends(values=VALUES) -> list[Outcome]:
    curve = ((1, 0.25), (2, 0.5))
    done = [Outcome(state=COMPLETED, values={**v, "extra": 1.0}, curve=curve, seconds=1.0) for v in values]
    return [*done, Outcome(state=PRUNED, curve=curve), Outcome(state=CRASHED, message="no")]


def study(runs: Path, storage: str | None) -> optuna.Study:
    place = storage or JournalStorage(JournalFileBackend(str(runs / "t" / "study.journal")))
    return optuna.load_study(study_name=None, storage=place)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_study_of_several_metrics_is_one_of_optunas_and_comes_back_from_the_folders(
    tmp_path: Path, kind: str
):
    storage = None if kind == "journal" else f"sqlite:///{tmp_path}/study.db"
    limited = task({"acc": "maximize", "ms": "minimize"}, limits={"mib": "<= 5", "ms": "<= 40"})
    history, _ = run(tmp_path, limited, storage, ends())
    assert [t.number for t in history.front] == [0, 1, 2]
    found = study(tmp_path, storage)
    assert found.metric_names == ["acc", "ms"]
    assert [t.number for t in sorted(found.best_trials, key=lambda t: t.number)] == [0, 1, 2]
    assert found.trials[4].constraints == {"mib <= 5": 4.0, "ms <= 40": 10.0}
    assert found.trials[1].values == [0.8, 10.0] and found.trials[1].intermediate_values == {1: 0.25, 2: 0.5}
    assert found.trials[5].state.name == "PRUNED" and found.trials[5].intermediate_values == {1: 0.25, 2: 0.5}
    for lost in (["study.journal", "run.db"], ["trials"]):
        for name in lost:
            path = tmp_path / "t" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if "study.journal" in lost and storage is not None:
            (tmp_path / "study.db").unlink()
        again, said = run(tmp_path, limited, storage)
        assert again.trials == history.trials, lost
        assert [t.number for t in again.front] == [0, 1, 2]
        events = FolderStore.create(tmp_path, limited, storage).events.events()
        improved = [e.number for e in events if e.kind == "trial_finished" and e.improved]
        front = [e.number for e in events if e.kind == "trial_finished" and e.on_front]
        assert (improved, front) == ([0], [0, 1, 2])
    assert len(study(tmp_path, storage).trials) == 7


@pytest.mark.long
@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_changed_limit_judges_anew_and_optunas_best_trial_honours_it(tmp_path: Path, kind: str):
    storage = None if kind == "journal" else f"sqlite:///{tmp_path}/study.db"

    def limited(bound: float) -> Task:
        return task({"acc": "maximize"}, limits={"ms": f"<= {bound:g}"})

    history, said = run(tmp_path, limited(20), storage, ends())
    assert history.incumbent.number == 1 and study(tmp_path, storage).best_trial.number == 1
    assert not [e for e in said if isinstance(e, Degraded)]
    history, said = run(tmp_path, limited(40), storage)
    assert history.incumbent.number == 0
    assert study(tmp_path, storage).best_trial.number == (0 if storage is None else 1)
    told = "limits have changed" if storage is not None else "other constraints than the limits of now"
    assert any(told in e.text for e in said if isinstance(e, Noted))
    assert not [e for e in said if isinstance(e, Degraded)], "no damage was repaired"
    assert not list((tmp_path / "t").glob("*damaged*")), "and no file is called damaged"
    without, said = run(tmp_path, task({"acc": "maximize"}), storage)
    assert without.incumbent.number == 4


def test_a_trial_with_very_many_metrics_keeps_those_of_the_task_in_its_study(tmp_path: Path):
    many = {f"{'layer' * 15}_{i}": 0.1234567890123 + i for i in range(100)}
    message = "é" * 12_000
    limited = task({"acc": "maximize"}, limits={"ms": "<= 20"})
    outcome = Outcome(state=COMPLETED, values={**many, **VALUES[1]}, notes=(message,) * 8, message=message)
    run(tmp_path, limited, None, [outcome])
    stored = study(tmp_path, None).trials[0].user_attrs[ATTRIBUTE]
    assert {"acc", "ms"} <= stored["values"].keys()
    shutil.rmtree(tmp_path / "t" / "trials")
    again, _ = run(tmp_path, limited, None)
    assert again.incumbent is not None and again.incumbent.values["ms"] == 10.0


def test_a_study_of_other_metrics_is_refused_by_their_names(tmp_path: Path):
    storage = f"sqlite:///{tmp_path}/study.db"
    optuna.create_study(storage=storage, study_name="t", direction="maximize")
    with pytest.raises(Exception, match=r"does not have this task's metrics \(maximize acc, minimize ms\)"):
        run(tmp_path, task({"acc": "maximize", "ms": "minimize"}), storage)


def taken(runs: Path, a_task: Task, source: object) -> tuple[list[dict[str, float]], str]:
    """The metrics of the trials that a new run takes from a source, and what it said of them."""
    shutil.rmtree(runs / a_task.name, ignore_errors=True)
    store, said = FolderStore.create(runs, a_task, source=str(source)), []
    with store.lease():
        history = store.load(said.append)
    store.close()
    assert history.paid == 0 and history.cost == 0 and {t.cost for t in history} == {None}
    return [dict(t.values) for t in history], " ".join(getattr(event, "text", "") for event in said)


def test_further_metrics_are_taken_from_runs_studies_and_tables(tmp_path: Path):
    two = {"acc": "maximize", "ms": "minimize"}
    run(tmp_path, task(two, limits={"mib": "<= 5"}), None, ends())
    limited = task({"acc": "maximize"}, name="u", limits={"ms": "<= 20"}, cost="1 + x")
    values, said = taken(tmp_path, limited, tmp_path / "t")
    assert [v.get("ms") for v in values] == [30, 10, 5, 7, 50, None] and "1 left out" in said
    # A run that measured less: each trial says what it lacks.
    lacking = task(two, name="u", limits={"watts": "<= 20"})
    values, said = taken(tmp_path, lacking, tmp_path / "t")
    assert values == [{}] and "it has no watts (5)" in said

    url = f"sqlite:///{tmp_path}/other.db"
    study = optuna.create_study(storage=url, study_name="other", directions=["maximize", "minimize"])

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        x = trial.suggest_float("x", 0, 1)
        trial.set_constraint("mib", x - 5)
        if trial.number:
            trial.set_user_attr("watts", 7.5)
        return x, 2 * x

    study.optimize(objective, n_trials=3)
    limits = {"mib": "<= 5", "watts": "<= 9"}
    values, said = taken(tmp_path, task(two, name="u", limits=limits), url)
    assert [list(v) for v in values] == [["acc", "ms", "mib", "watts"]] * 2
    for v, t in zip(values, study.trials[1:], strict=True):
        assert (v["acc"], v["ms"], v["mib"], v["watts"]) == pytest.approx((*t.values, t.params["x"], 7.5))
    assert "its values are taken as acc, ms, in order" in said.casefold() and "it has no watts (1)" in said
    with pytest.raises(RunError, match="does not have minimize acc, minimize ms"):
        taken(tmp_path, task({"acc": "minimize", "ms": "minimize"}, name="u"), url)
    study.set_metric_names(["speed", "acc"])
    values, said = taken(tmp_path, task({"acc": "minimize"}, name="u"), url)
    assert [v["acc"] for v in values] == [t.values[1] for t in study.trials] and "by their names" in said

    (tmp_path / "table.csv").write_text("x,acc,ms,note\n0.5,0.9,12,a\n0.6,0.8,,b\n")
    values, said = taken(tmp_path, limited, tmp_path / "table.csv")
    assert values == [{"acc": 0.9, "ms": 12.0}] and "it has no ms (1)" in said and "not used: note" in said


def test_a_study_that_was_killed_before_it_had_names_of_its_values_gets_them(tmp_path: Path, monkeypatch):
    two = task({"acc": "maximize", "ms": "minimize"})
    with monkeypatch.context() as killed:
        killed.setattr(JournalStorage, "set_study_system_attr", lambda *_: 1 / 0)
        with pytest.raises((ZeroDivisionError, RunError)):
            run(tmp_path, two, None)
    run(tmp_path, two, None, ends()[:1])
    assert study(tmp_path, None).metric_names == ["acc", "ms"]


def test_a_study_of_other_metrics_in_the_same_storage_is_refused_once_it_has_values(tmp_path: Path):
    storage = f"sqlite:///{tmp_path}/study.db"
    names = ({"acc": "maximize", "ms": "minimize"}, {"acc": "maximize", "mib": "minimize"})
    run(tmp_path / "a", task(names[0]), storage)
    run(tmp_path / "b", task(names[1]), storage, ends()[:2])
    assert study(tmp_path, storage).metric_names == ["acc", "mib"]
    with pytest.raises(RunError, match=r"does not have this task's metrics \(maximize acc, minimize ms\)"):
        run(tmp_path / "a", task(names[0]), storage)
    assert [t.values["mib"] for t in run(tmp_path / "c", task(names[1]), storage)[0].front] == [5.0, 4.0]
