"""Starting with the results of earlier work (`--from`), and which run a name means."""

import json
import math
import shutil

import optuna
import pytest

from fakes.changed_runs import V1, numbers, run_trials, task
from tunesmith.api.choosing import chosen_run
from tunesmith.errors import RunError
from tunesmith.events import Noted
from tunesmith.space import Categorical, Float
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.sources import read_source
from tunesmith.tools.records.study_source import split_url
from tunesmith.tools.report.build import build_report
from tunesmith.trial import Origin, TrialState


def begin(runs, a_task, **choice):
    """A session of the run that is chosen; returns its name, its history and what it said."""
    chosen = chosen_run(a_task, runs, **choice)
    store = FolderStore.create(runs, chosen.task, source=chosen.source, begun_as=chosen.begun_as)
    said = []
    with store.lease():
        history = store.load(said.append)
        store.events.append_many(said)
    store.close()
    return store.path.name, history, " ".join(event.text for event in said if isinstance(event, Noted))


@pytest.fixture
def earlier(tmp_path):
    """A run with a trial of every kind of end."""
    first = [{"lr": 10.0**-n, "opt": "adam"} for n in (2, 3, 4)] + [{"lr": 2e-2, "opt": "sgd"}] * 3
    ends = [TrialState.COMPLETED] * 3 + [TrialState.CRASHED, TrialState.DIVERGED, TrialState.RUNNING]
    run_trials(tmp_path, task(V1), first, ends=ends)
    return tmp_path / "t"


def test_a_run_begins_with_what_fits_of_another_and_says_what_does_not(tmp_path, earlier):
    before = {p: p.read_bytes() for p in earlier.rglob("*") if p.is_file() and "db" not in p.name}
    narrow = task({**V1, "lr": Float(1e-3, 1e-1, scale="log")}, objective={"function": "other.py:train"})
    name, history, said = begin(tmp_path, narrow, start_from=str(earlier))
    assert name == "t-2" and numbers(history) == [0, 1, 2] and history.paid == 0
    assert [t.value for t in history] == [0.1, 0.01, None]
    assert {t.proposal.origin for t in history} == {Origin.PREVIOUS}
    assert history.trials[2].proposal.provenance.taken_from == "trial 4 of t"
    assert "3 results of t taken over" in said and "3 left out" in said
    for why in ("lr=0.0001 is outside the space", "it ended crashed", "it has not ended", "t.py:train"):
        assert why in said
    report = build_report(tmp_path / "t-2")
    assert (report.taken.taken, report.taken.left, report.used.trials) == (3, 3, 0)
    # The same command goes on with it, and so does the plain one; --fresh begins another.
    assert begin(tmp_path, narrow, start_from=str(earlier))[0] == "t-2"
    assert numbers(begin(tmp_path, narrow)[1]) == [0, 1, 2]
    assert begin(tmp_path, narrow, start_from="t", fresh=True)[0] == "t-3"
    assert {p: p.read_bytes() for p in earlier.rglob("*") if p.is_file() and "db" not in p.name} == before


def test_a_metric_that_was_recorded_beside_the_old_one_is_taken(tmp_path, earlier):
    for result in earlier.glob("trials/*/result.json"):
        data = json.loads(result.read_text())
        if data["values"]:
            result.write_text(json.dumps({**data, "values": {**data["values"], "loss": 0.5}}))
    name, history, said = begin(
        tmp_path, task(V1, name="u", metric="loss", direction="minimize"), start_from=str(earlier)
    )
    assert name == "u" and [t.value for t in history] == [0.5] * 3
    assert "diverged by another metric" in said


def test_records_that_somebody_made_up_are_left_out_or_read_as_what_is_legal(tmp_path, earlier):
    def edit(number, change):
        path = earlier / "trials" / f"0000{number}" / "config.json"
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))

    edit(0, lambda d: d["proposal"]["configuration"].update(values={"lr": 7.0, "opt": "adam"}))
    edit(1, lambda d: d.update(started_at=1e300, seed=2**80))
    (earlier / "trials" / "00002" / "config.json").write_text("[" * 5000)
    _, history, said = begin(tmp_path, task(V1), start_from=str(earlier))
    assert [t.configuration["lr"] for t in history] == [1e-3, 2e-2]
    assert history.trials[0].started_at == 0.0 and "4 left out" in said
    assert begin(tmp_path, task(V1))[1].trials == history.trials


@pytest.mark.parametrize("step", ["stage", "record"])
def test_taking_over_that_was_killed_is_done_by_the_next_session(tmp_path, earlier, monkeypatch, step):
    import tunesmith.tools.records.taken as module

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_atomic" if step == "stage" else "sync_folder", killed)
        if step == "record":
            patched.setattr(module.Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            begin(tmp_path, task(V1), start_from=str(earlier))
    name, history, _ = begin(tmp_path, task(V1))
    assert name == "t-2" and numbers(history) == [0, 1, 2, 3]
    assert sorted(p.name for p in (tmp_path / "t-2" / "trials").iterdir()) == [f"0000{n}" for n in range(4)]
    assert not (tmp_path / "t-2" / ".taking").exists()


def test_an_optuna_study_is_read_with_its_name_or_as_the_only_one(tmp_path, database_url):
    def objective(trial):
        trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.suggest_categorical("opt", ["adam", "sgd", "rmsprop"])
        return trial.number / 10

    study = optuna.create_study(storage=database_url, study_name="one", direction="maximize")
    for values in ({"lr": 1e-2, "opt": "adam"}, {"lr": 1e-3, "opt": "rmsprop"}, {"lr": 1e-4, "opt": "sgd"}):
        study.enqueue_trial(values)
    study.optimize(objective, n_trials=3)
    name, history, said = begin(tmp_path, task(V1), start_from=database_url)
    assert name == "t" and [t.value for t in history] == [0.0, 0.2]
    assert "opt='rmsprop' is outside the space" in said and "taken as acc" in said
    optuna.create_study(storage=database_url, study_name="two", direction="minimize")
    with pytest.raises(RunError, match="there: 'one', 'two'"):
        chosen_run(task(V1), tmp_path, start_from=database_url, fresh=True)
    with pytest.raises(RunError, match="does not maximize one value"):
        chosen_run(task(V1), tmp_path, start_from=database_url + ":two")
    assert len(read_source(database_url + ":one", task(V1)).results) == 3
    with pytest.raises(RunError, match="no such file"):
        read_source(f"sqlite:///{tmp_path}/none.db", task(V1))
    assert not (tmp_path / "none.db").exists()


def test_a_table_is_read_by_its_columns(tmp_path):
    table = tmp_path / "old.csv"
    table.write_text(
        "number,params_lr,params_opt,value,state,note\n0,1e-2,adam,0.7,COMPLETE,a\n1,0.5,sgd,0.9,COMPLETE,b\n"
        "2,1e-3,sgd,nan,COMPLETE,c\n3,1e-3,sgd,0.2,FAIL,d\n4,1e-3,\x1b[31m,0.2,COMPLETE,e\n"
    )
    more = task({**V1, "drop": Float(0, 1)}, default={"lr": 1e-2, "opt": "sgd", "drop": 0.1})
    _, history, said = begin(tmp_path, more, start_from=str(table))
    assert [dict(t.configuration) for t in history] == [{"lr": 1e-2, "opt": "adam", "drop": 0.1}]
    assert "4 left out" in said and "Columns not used: note" in said and "\x1b" not in said
    table.write_text("lr,opt,loss\n1e-2,adam,1\n")
    with pytest.raises(RunError, match="no column 'acc'"):
        chosen_run(task(V1), tmp_path, start_from=str(table), fresh=True)
    table.write_text("lr,opt,acc\n5,adam,1\n")
    with pytest.raises(RunError, match="nothing of old.csv fits"):
        chosen_run(task(V1), tmp_path, start_from=str(table), fresh=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.csv", "t"]


def test_the_plain_name_means_the_newest_run_that_was_begun_under_it(tmp_path):
    assert begin(tmp_path, task(V1))[0] == "t"
    assert begin(tmp_path, task(V1), fresh=True)[0] == "t-2"
    assert begin(tmp_path, task(V1))[0] == "t-2"
    assert begin(tmp_path, task(V1), newest=False)[0] == "t"
    assert begin(tmp_path, task(V1, name="t-9"))[0] == "t-9"  # a task of that name is another one
    assert begin(tmp_path, task(V1))[0] == "t-2"
    assert begin(tmp_path, task(V1), fresh=True)[0] == "t-3"
    shutil.rmtree(tmp_path / "t-2")
    assert begin(tmp_path, task(V1), fresh=True)[0] == "t-2"
    assert begin(tmp_path, task(V1))[0] == "t-2"  # the newest, whatever its number
    for text in ("[]", "{", '{"created_at": "x", "begun_as": ["t"]}'):
        (tmp_path / "t-2" / "run.json").write_text(text)
        assert begin(tmp_path, task(V1))[0] == "t-3"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("sqlite:///a.db", ("sqlite:///a.db", None)),
        ("sqlite:///a.db:my study", ("sqlite:///a.db", "my study")),
        ("sqlite:////tmp/a.db:t@2", ("sqlite:////tmp/a.db", "t@2")),
        ("postgresql://me:pw@host:5432/base", ("postgresql://me:pw@host:5432/base", None)),
        ("postgresql://me:pw@host:5432/base:t", ("postgresql://me:pw@host:5432/base", "t")),
    ],
)
def test_the_name_of_a_study_follows_the_url(url, parts):
    assert split_url(url) == parts


def test_opt_choices_and_numbers_of_a_table_are_the_spaces_own(tmp_path):
    table = tmp_path / "x.tsv"
    table.write_text("a\tb\tacc\n1\ttrue\t0.5\n2.0\tFalse\t0.25\n")
    a_task = task({"a": Categorical([1, 2, "1x"]), "b": Categorical([True, False])})
    _, history, _ = begin(tmp_path, a_task, start_from=str(table))
    assert [tuple(t.configuration.values()) for t in history] == [(1, True), (2, False)]
    assert not any(math.isnan(t.value) for t in history)
