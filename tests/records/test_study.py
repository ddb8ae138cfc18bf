"""The Optuna study of a run: few writes, readable by any Optuna tool, numbers that agree."""

import json
import math
from collections import Counter

import optuna
import pytest
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState as OptunaState

from tunesmith.errors import RunError
from tunesmith.space import Float, Space
from tunesmith.tools.records import journal_repair as journal
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Provenance, TrialState


@pytest.fixture(params=["journal", "sqlite"])
def url(request):
    return None if request.param == "journal" else request.getfixturevalue("database_url")


@pytest.fixture
def study(folder, task, url):
    return StudyStore.open(folder, task, url)


def as_optuna_sees_it(folder, url):
    storage = JournalStorage(JournalFileBackend(str(folder.journal))) if url is None else url
    return optuna.load_study(study_name=folder.name, storage=storage)


def test_a_running_trial_is_there_for_any_optuna_tool(folder, url, study, make_trial):
    study.started(make_trial(0))
    study.started(make_trial(1))
    adam, sgd = as_optuna_sees_it(folder, url).trials
    assert (adam.state, adam.number) == (OptunaState.RUNNING, 0)
    assert adam.params == {"lr": 1e-4, "layers": 1, "optimizer": "adam"}
    assert sgd.params == {"lr": 2e-4, "layers": 2, "optimizer": "sgd", "momentum": 0.5}
    assert sgd.distributions["momentum"] == optuna.distributions.FloatDistribution(0.0, 0.99)
    assert sgd.datetime_start.timestamp() == 1.7e9 + 1
    notes = sgd.user_attrs["tunesmith"]
    assert notes["origin"] == "surrogate" and notes["reason"].startswith("Trial 1 looks promising; ümlaut")
    assert (notes["expected"], notes["spread"], notes["tokens"]) == (0.8, 0.05, 12)
    assert list(sgd.user_attrs) == ["tunesmith"]


@pytest.mark.parametrize(
    ("state", "optuna_state", "value"),
    [
        (TrialState.COMPLETED, OptunaState.COMPLETE, 0.5),
        (TrialState.PRUNED, OptunaState.PRUNED, 0.2),
        (TrialState.DIVERGED, OptunaState.FAIL, None),
        (TrialState.OUT_OF_MEMORY, OptunaState.FAIL, None),
        (TrialState.TIMED_OUT, OptunaState.FAIL, None),
        (TrialState.CRASHED, OptunaState.FAIL, None),
        (TrialState.LOST, OptunaState.FAIL, None),
    ],
    ids=lambda x: x.name if hasattr(x, "name") else "",
)
def test_every_end_has_its_place_in_optuna(
    folder, url, study, task, make_trial, outcome, state, optuna_state, value, same_trial
):
    trial = finished_trial(make_trial(0), outcome(0, state), "accuracy")
    study.started(make_trial(0))
    study.finished(trial)
    (told,) = as_optuna_sees_it(folder, url).trials
    assert (told.state, told.value) == (optuna_state, value)
    assert told.intermediate_values == {0: 0.0, 1: 0.1, 2: 0.2}
    assert told.user_attrs["tunesmith"]["outcome"] == state.value
    (loaded,) = StudyStore.open(folder, task, url).load()
    assert same_trial(loaded, trial)


def test_a_trial_costs_two_synced_writes_however_long_its_curve(
    folder, task, make_trial, outcome, monkeypatch
):
    study = StudyStore.open(folder, task)
    writes = []
    original = journal.JournalFileBackend.append_logs
    monkeypatch.setattr(
        journal.JournalFileBackend,
        "append_logs",
        lambda self, logs: (writes.append(len(logs)), original(self, logs))[1],
    )
    study.started(make_trial(0))
    study.finished(finished_trial(make_trial(0), outcome(0, steps=100), "accuracy"))
    assert writes == [1, 102]


def test_a_trial_costs_two_commits_in_a_database_however_long_its_curve(
    tmp_path, folder, task, make_trial, outcome
):
    from sqlalchemy import event

    study = StudyStore.open(folder, task, f"sqlite:///{tmp_path}/study.db")
    commits, statements = [], Counter()
    event.listen(study._storage.engine, "commit", lambda connection: commits.append(dict(statements)))
    event.listen(
        study._storage.engine,
        "before_cursor_execute",
        lambda c, cursor, sql, *rest: statements.update([sql.split()[0]]),
    )
    study.started(make_trial(0))
    writing = [c for c in commits if c.get("INSERT")]
    before = len(commits)
    study.finished(finished_trial(make_trial(0), outcome(0, steps=100), "accuracy"))
    assert len(writing) <= 2
    assert sum(1 for c in commits[before:] if c["INSERT"] > writing[-1]["INSERT"]) == 1
    assert len(study.load()[0].curve) == 100


def test_a_failing_write_tells_nothing_and_can_be_repeated(
    tmp_path, folder, task, url, study, make_trial, outcome, monkeypatch, same_trial
):
    study.started(make_trial(0))
    trial = finished_trial(make_trial(0), outcome(0), "accuracy")

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with (
        monkeypatch.context() as patch,
        pytest.raises(RunError, match="No space left.*safe in their folders"),
    ):
        patch.setattr(type(study._storage), "set_trial_state_values", fail)
        study.finished(trial)
    assert as_optuna_sees_it(folder, url).trials[0].state is OptunaState.RUNNING
    assert as_optuna_sees_it(folder, url).trials[0].intermediate_values == {}
    study.finished(trial)
    assert same_trial(StudyStore.open(folder, task, url).load()[0], trial)


def test_a_trial_is_told_once(study, make_trial, outcome):
    trial = finished_trial(make_trial(0), outcome(0), "accuracy")
    study.started(make_trial(0))
    study.finished(trial)
    with pytest.raises(RunError):
        study.finished(trial)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf], ids=str)
def test_a_value_that_is_not_finite_is_never_told(study, make_trial, bad):
    study.started(make_trial(0))
    trial = make_trial(0).model_copy(update={"state": TrialState.COMPLETED, "value": bad})
    with pytest.raises(ValueError, match="not finite"):
        study.finished(trial)
    curve = make_trial(0).model_copy(update={"state": TrialState.PRUNED, "curve": ((0, bad),)})
    with pytest.raises(ValueError, match="not finite"):
        study.finished(curve)
    assert study.load()[0].state is TrialState.RUNNING


def test_trials_that_another_program_adds_are_noticed(folder, url, study, make_trial):
    study.started(make_trial(0))
    as_optuna_sees_it(folder, url).add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(RunError, match="another program added trials"):
        study.started(make_trial(1))
    with pytest.raises(RunError, match="not made by Tunesmith"):
        study.load()


def test_a_study_of_another_space_is_refused_by_name_of_the_parameter(tmp_path, make_task, task, make_trial):
    url = f"sqlite:///{tmp_path}/study.db"
    StudyStore.open(RunFolder.create(tmp_path / "a", task), task, url).started(make_trial(0))
    other = make_task(space=Space({"alpha": Float(0, 1)}))
    with pytest.raises(RunError, match="not in this task's search space.*lr"):
        StudyStore.open(RunFolder.create(tmp_path / "b", other), other, url).load()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("not a url", "not a URL such as"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "cannot be used"),
    ],
)
def test_a_storage_that_cannot_be_used_is_a_clear_error_without_its_password(folder, task, bad, words):
    with pytest.raises(RunError, match=words) as caught:
        StudyStore.open(folder, task, bad)
    assert "hunter2" not in str(caught.value)


def test_a_journal_damaged_in_the_middle_is_set_aside_and_announced(folder, task, make_trial, repairs):
    study = StudyStore.open(folder, task)
    for number in range(3):
        study.started(make_trial(number))
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:30] + b"\n"
    folder.journal.write_bytes(b"".join(lines))
    assert StudyStore.open(folder, task, emit=repairs).load() == []
    assert folder.journal.with_name("study.journal.damaged-1").read_bytes() == b"".join(lines)
    assert "rebuilt from the trial folders" in repairs.text


def test_opening_a_study_leaves_the_verbosity_of_the_users_own_optuna_alone(folder, task, url):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    StudyStore.open(folder, task, url)
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


def test_provenance_is_short_and_starts_with_what_people_look_for(folder, url, study, make_trial, outcome):
    study.started(make_trial(0))
    study.finished(finished_trial(make_trial(0), outcome(0, TrialState.CRASHED), "accuracy"))
    text = json.dumps(as_optuna_sees_it(folder, url).trials[0].user_attrs["tunesmith"])
    assert text.startswith('{"') and text.index("outcome") < text.index("origin") < text.index("seed")
    assert "null" not in text and len(text) < 1024


def test_an_expectation_of_zero_is_kept_and_one_that_is_not_finite_is_left_out(
    folder, task, url, study, make_trial
):
    for number, (expected, spread) in enumerate([(0.0, 1.0), (math.nan, math.inf)]):
        trial = make_trial(number)
        odd = {"expected": expected, "spread": spread, "details": {"pool": -math.inf, "trust": 0.0}}
        odd["provenance"] = Provenance(acquisition=-math.inf, model_weight=0.0)
        study.started(trial.model_copy(update={"proposal": trial.proposal.model_copy(update=odd)}))
    zero, odd = (trial.proposal for trial in StudyStore.open(folder, task, url).load())
    assert (zero.expected, zero.spread, zero.details) == (0.0, 1.0, {"trust": 0.0})
    assert zero.provenance == Provenance(model_weight=0.0)
    assert (odd.expected, odd.spread) == (None, None)


def test_a_database_made_by_plain_optuna_is_joined(tmp_path, folder, task, make_trial):
    url = f"sqlite:///{tmp_path}/study.db"
    optuna.create_study(study_name="someone else's", storage=RDBStorage(url)).add_trial(
        optuna.trial.create_trial(value=1.0)
    )
    study = StudyStore.open(folder, task, url)
    study.started(make_trial(0))
    assert [trial.number for trial in study.load()] == [0]


def test_numbers_are_optunas_and_must_be_in_order(study, make_trial):
    with pytest.raises(RunError, match="cannot follow the 0 trials"):
        study.started(make_trial(1))
    study.started(make_trial(0))
    with pytest.raises(RunError, match="cannot follow the 1 trials"):
        study.started(make_trial(0))


def test_a_study_of_another_direction_is_refused(tmp_path, folder, make_task, task):
    url = f"sqlite:///{tmp_path}/study.db"
    StudyStore.open(folder, task, url)
    with pytest.raises(RunError, match="does not minimize"):
        StudyStore.open(folder, make_task(direction="minimize"), url)
