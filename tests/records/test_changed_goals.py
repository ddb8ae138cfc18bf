"""A run whose metrics, limits or costs are changed, and results that are taken over by `--from`."""

from __future__ import annotations

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fakes.changed_runs import V1, numbers, run_trials, task
from tunesmith.errors import RunError
from tunesmith.events import TaskChanged
from tunesmith.task.changes import changes
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.sources import named, read_source

TWO = {"acc": "maximize", "ms": "minimize"}
CONFIGURATIONS = [{"lr": 1e-2, "opt": "adam"}, {"lr": 2e-2, "opt": "adam"}]


def told(before, now):
    found = changes(task(V1, **before), task(V1, **now))
    return found.breaking, found.told, found.needed


ANEW = "all trials are judged anew"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (
            {"limits": {"ms": "<= 20"}},
            {"limits": {"ms": "<= 15"}},
            f"limit ms was <= 20 and is now <= 15; {ANEW}",
        ),
        ({"limits": {"ms": "<= 20"}}, {}, f"limit ms <= 20 is gone; {ANEW}"),
        (
            {"metrics": {"acc": "maximize", "ms": {}}},
            {"limits": {"ms": "<= 3"}},
            f"limit ms <= 3 is new; {ANEW}",
        ),
        ({}, {"metrics": {"acc": "maximize", "mib": {}}}, "mib is measured as well from now on"),
        ({"metrics": {"acc": "maximize", "mib": {}}}, {}, "mib is not measured any more"),
        (
            {"metrics": {"acc": "maximize", "mib": {"regex": "m (?P<value>.)"}}},
            {"metrics": {"acc": "maximize", "mib": {}}},
            "how mib is read from what the training code prints or writes was changed",
        ),
        ({}, {"cost": "lr"}, "cost was none and is now 'lr'"),
        ({"cost": "lr"}, {"cost": "2 * lr"}, "cost was 'lr' and is now '2 * lr'"),
        (
            {"cost": "lr", "budget": {"cost": 3}},
            {"cost": "lr", "budget": {"cost": 4}},
            "budget cost was 3 and is now 4",
        ),
    ],
)
def test_a_change_that_leaves_every_value_its_meaning_is_told(before, now, expected):
    assert told(before, now) == ((), (expected,), ())


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {"metrics": TWO}, "the goals beside acc were none and are now minimize ms"),
        ({"metrics": TWO}, {}, "the goals beside acc were minimize ms and are now none"),
        (
            {"metrics": TWO},
            {"metrics": {"acc": "maximize", "ms": "maximize"}},
            "the goals beside acc were minimize ms and are now maximize ms",
        ),
        (
            {"metrics": TWO},
            {"metrics": {"acc": "maximize", "ms": {"direction": "minimize", "take": "best"}}},
            "of a trial's values of ms, the result or last report was taken and now best is",
        ),
        ({"metrics": TWO}, {"metrics": TWO, "metric": "ms"}, "metric was 'acc' and is now 'ms'"),
    ],
)
def test_other_metrics_to_optimise_make_it_another_run(before, now, expected):
    assert expected in told(before, now)[0]


def test_a_limit_on_a_new_metric_is_told_where_every_trial_has_it_and_refused_where_one_lacks_it(tmp_path):
    run_trials(tmp_path, task(V1), CONFIGURATIONS, others={"ms": 30.0})
    limited = task(V1, limits={"ms": "<= 20"})
    assert changes(task(V1), limited).needed == ("ms",)
    events = []
    history = run_trials(tmp_path, limited, [], events=events)
    (changed,) = [event for event in events if isinstance(event, TaskChanged)]
    assert f"limit ms <= 20 is new; {ANEW}" in changed.changes
    assert (len(history.completed), history.feasible, history.incumbent) == (2, (), None)
    wider = run_trials(tmp_path, task(V1, limits={"ms": "<= 40"}), [])
    assert wider.incumbent.number == 1
    before = {p: p.read_bytes() for p in (tmp_path / "t").rglob("*.*") if p.is_file()}
    with pytest.raises(RunError) as refused:
        FolderStore.create(tmp_path, task(V1, limits={"ms": "<= 20", "mib": "<= 5"}))
    assert "lack what they are judged by now: trials 0 and 1 gave no mib. Start anew" in str(refused.value)
    assert "--fresh" in str(refused.value) and f"--from {tmp_path / 't'}" in str(refused.value)
    assert {p: p.read_bytes() for p in (tmp_path / "t").rglob("*.*") if p.is_file()} == before


def test_a_run_that_has_no_value_yet_cannot_change_how_many_metrics_its_study_has(tmp_path):
    run_trials(tmp_path, task(V1), [])
    with pytest.raises(RunError, match=r"are now minimize ms.*--fresh"):
        FolderStore.create(tmp_path, task(V1, metrics=TWO))


def test_results_are_taken_over_from_a_run_that_has_every_metric(tmp_path):
    run_trials(tmp_path, task(V1, name="a"), CONFIGURATIONS, others={"ms": 30.0})
    run_trials(tmp_path, task(V1, name="a"), [{"lr": 3e-2, "opt": "sgd"}])
    taken = read_source(str(tmp_path / "a"), task(V1, metrics=TWO)).results
    assert [found.why_not for found in taken] == ["", "", "it has no ms"]
    assert [found.outcome.values for found in taken[:2]] == [
        {"acc": 0.1, "ms": 30.0},
        {"acc": 0.2, "ms": 30.0},
    ]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_table_and_a_study_give_further_metrics_as_well(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("lr,opt,acc,ms,mib\n0.01,adam,0.5,20,3\n0.02,sgd,0.6,,3\n")
    two = task(V1, metrics=TWO, limits={"mib": "<= 4"})
    rows = read_source(str(table), two).results
    assert [found.why_not for found in rows] == ["", "it has no ms"]
    assert rows[0].outcome.values == {"acc": 0.5, "ms": 20.0, "mib": 3.0}

    url = f"sqlite:///{tmp_path / 's.db'}"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=url, study_name="s", directions=["maximize", "minimize"])

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.suggest_categorical("opt", ["adam", "sgd"])
        trial.set_user_attr("mib", 3.5)
        return lr, 12.0

    study.optimize(objective, n_trials=2)
    found = read_source(url, two).results
    assert [one.outcome.values | {"acc": 0} for one in found] == [{"acc": 0, "ms": 12.0, "mib": 3.5}] * 2
    journal = tmp_path / "s.journal"
    storage = JournalStorage(JournalFileBackend(str(journal)))
    optuna.copy_study(from_study_name="s", from_storage=url, to_storage=storage)
    held = journal.read_bytes()
    for text in (str(journal), f"{journal}:s"):
        assert read_source(named(text, tmp_path), two).results == found
    assert journal.read_bytes() == held
    with pytest.raises(RunError, match="no study 'r' is in"):
        read_source(f"{journal}:r", two)
    for damage in (b"[" * 200_000, b"\xff", b"{}"):
        journal.write_bytes(held.splitlines(True)[0] + damage + b"\n" + held)
        with pytest.raises(RunError, match="cannot be read as a journal of Optuna"):
            read_source(str(journal), two)
    with pytest.raises(RunError, match=r"does not have minimize acc, minimize ms \(maximize, minimize\)"):
        read_source(url, task(V1, metrics={"acc": "minimize", "ms": "minimize"}))
    with pytest.raises(RunError, match="does not maximize one value"):
        read_source(url, task(V1))
    study.set_metric_names(["ms2", "acc"])
    with pytest.raises(RunError, match="does not maximize"):
        read_source(url, task(V1))


def test_the_numbers_of_the_runs_own_study_are_those_of_its_trials(tmp_path):
    run_trials(tmp_path, task(V1, metrics=TWO), CONFIGURATIONS, others={"ms": 30.0})
    assert numbers(run_trials(tmp_path, task(V1, metrics=TWO), []).front) == [1]
