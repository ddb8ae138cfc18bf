"""A run whose search space is changed between sessions: which trials count, and that nothing is lost."""

import json

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.changed_runs import LR, V1, numbers, run_trials, task
from tunesmith.errors import RunError
from tunesmith.events import TaskChanged
from tunesmith.space import Bool, Categorical, Float, Int
from tunesmith.task.changes import changes
from tunesmith.task.lineage import LeftOut, Lineage
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.report.build import build_report
from tunesmith.trial import TrialState

COMPLETED, LOST = TrialState.COMPLETED, TrialState.LOST


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_space_is_changed_again_and_again_and_back(tmp_path, kind, request):
    storage = None if kind == "journal" else request.getfixturevalue("database_url")
    first = [{"lr": 1e-4, "opt": "adam"}, {"lr": 1e-2, "opt": "sgd"}, {"lr": 2e-2, "opt": "sgd"}]
    ends = [COMPLETED, TrialState.PRUNED, TrialState.CRASHED, TrialState.RUNNING]
    run_trials(tmp_path, task(V1), [*first, {"lr": 3e-3, "opt": "adam"}], storage=storage, ends=ends)

    # Narrowed, a choice more, a parameter more whose value was known to be 0.1; trial 3 was running.
    wider = {"lr": Float(1e-3, 1e-1), "opt": Categorical(["sgd", "adam", "lion"]), "drop": Float(0, 1)}
    v2 = task(wider, default={"lr": 1e-3, "opt": "adam", "drop": 0.1})
    told = []
    history = run_trials(
        tmp_path, v2, [{"lr": 5e-3, "opt": "lion", "drop": 0.1}] * 2, storage=storage, events=told
    )
    assert numbers(history) == [1, 2, 3] and numbers(history.earlier) == [0]
    assert [t.state for t in history] == [TrialState.PRUNED, TrialState.CRASHED, LOST]
    assert [dict(t.configuration)["drop"] for t in history] == [0.1] * 3
    assert history.paid == 3 and history.incumbent is None
    (change,) = [event for event in told if isinstance(event, TaskChanged)]
    assert (change.carried, change.left, change.version) == ((1, 2, 3), (0,), 2)
    assert "lr=0.0001 is outside the space" in change.text

    # Numbers go on; a choice less, and `drop` fixed at what two of them had.
    less = {"lr": LR, "opt": Categorical(["adam", "lion"])}
    history = run_trials(
        tmp_path, task(less, fixed={"drop": 0.1}), [{"lr": 1e-3, "opt": "lion"}], storage=storage
    )
    assert numbers(history) == [0, 3, 4, 5] and numbers(history.earlier) == [1, 2]

    v1 = task(V1, fixed={"drop": 0.1})
    # Back to where it began: the first study goes on, and holds what is legal there.
    history = run_trials(
        tmp_path, task(V1, fixed={"drop": 0.1}), [{"lr": 7e-3, "opt": "sgd"}], storage=storage
    )
    assert numbers(history) == [0, 1, 2, 3] and numbers(history.earlier) == [4, 5, 6]
    told.clear()
    history = run_trials(tmp_path, v1, [], storage=storage, events=told)
    assert numbers(history) == [0, 1, 2, 3, 7]
    assert not any(isinstance(event, TaskChanged) for event in told)  # nothing was changed
    assert history.incumbent.number == 7

    where = storage or optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "t" / "study.journal"))
    )
    studies = {s.study_name: s for s in optuna.get_all_study_summaries(where)}
    assert set(studies) == {"t", "t@2", "t@3"}
    states = [t.state.name for t in optuna.load_study(study_name="t", storage=where).trials]
    assert states == ["COMPLETE", "PRUNED", "FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "COMPLETE"]
    second = optuna.load_study(study_name="t@2", storage=where).trials
    assert [t.number for t in second if t.params] == [1, 2, 3, 4, 5]

    report = build_report(tmp_path / "t")
    assert [line.number for line in report.trials] == list(range(8))
    assert [line.number for line in report.trials if not line.counts] == [4, 5, 6]
    assert [space.space for space in report.lineage.spaces] == [1, 2, 3, 1]
    assert report.best.trial == 7 and report.used.trials == 7


def test_what_became_of_earlier_trials_is_said_without_empty_clauses(tmp_path):
    wider = task({**V1, "lr": Float(1e-6, 1)})
    lower, lowest = task({**V1, "lr": Float(1e-5, 5e-2)}), task({**V1, "lr": Float(1e-5, 2e-2)})
    run_trials(tmp_path, task(V1), [{"lr": lr, "opt": "sgd"} for lr in (1e-2, 6e-2, 7e-2, 8e-2)])
    said = []
    for later in (wider, lower, lowest):
        told = []
        run_trials(tmp_path, later, [], events=told)
        (change,) = [event for event in told if isinstance(event, TaskChanged)]
        said.append((change.text, build_report(tmp_path / "t").lineage.sentence))
    (all_count, reported), (three, some), _ = said
    assert all_count == "Search space 2 of this run: of 4 earlier trials 4 count in it."
    assert reported.startswith(
        "The search space was changed while the run went on; space 2 is the last. The 4 trials of other "
        "spaces count in it."
    )
    assert "0 are" not in reported and "history only" not in reported
    assert three == (
        "Search space 3 of this run: of 4 earlier trials 1 counts in it, 3 stay history only: "
        "lr=0.06 is outside the space (a number from 1e-5 to 0.05), and 2 alike."
    )
    assert "Of 4 trials of other spaces 1 counts in it and 3 are history only: shown" in some


def test_a_change_that_was_killed_half_way_is_taken_up_by_the_next_session(tmp_path, monkeypatch):
    run_trials(tmp_path, task(V1), [{"lr": 1e-2, "opt": "sgd"}, {"lr": 1e-2, "opt": "adam"}])
    narrow = task({"lr": LR, "opt": Categorical(["adam"])})
    before = (tmp_path / "t" / "task.yaml").read_bytes()

    def killed(path, data, **_):
        raise KeyboardInterrupt

    import tunesmith.tools.records.run_folder as module

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_atomic", killed)  # after the lineage, before the task
        with pytest.raises(KeyboardInterrupt):
            run_trials(tmp_path, narrow, [])
    assert (tmp_path / "t" / "task.yaml").read_bytes() == before
    assert build_report(tmp_path / "t").best.trial == 0
    history = run_trials(tmp_path, narrow, [{"lr": 1e-3, "opt": "adam"}])
    assert numbers(history) == [1] and numbers(history.earlier) == [0]
    assert numbers(run_trials(tmp_path, task(V1), [])) == [0, 1, 2]


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("--lr {lr} --opt {opt} --drop 0.3", "--lr {lr} --opt {opt} --drop {drop}", 0.3),
        ("--opt {opt} --lr={lr} --drop=0.3", "--lr={lr} --drop={drop} --opt {opt}", 0.3),
        ("--lr {lr} --opt {opt}", "--lr {lr} --opt {opt} --drop {drop}", None),
        ("lr={lr} opt={opt} model.drop=0.3", "lr={lr} opt={opt} model.drop={drop}", 0.3),
    ],
)
def test_a_value_that_the_command_had_fixed_becomes_a_hyperparameter(tmp_path, old, new, counts):
    def command(options):
        return {"command": f"python train.py --epochs 5 {options}"}

    run_trials(tmp_path, task(V1, objective=command(old)), [{"lr": 1e-2, "opt": "sgd"}])
    more = task({**V1, "drop": Float(0, 1)}, objective=command(new))
    history = run_trials(tmp_path, more, [])
    assert [t.configuration.get("drop") for t in history] == ([] if counts is None else [counts])
    # And back: only the trials that had the value of the command count.
    back = run_trials(tmp_path, task(V1, objective=command(old)), [])
    assert numbers(back) == [0]


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "f1"},
        {"direction": "minimize"},
        {"objective": {"function": "t.py:other"}},
        {"objective": {"command": "python train.py {lr} {opt}"}},
        {"metric": {"name": "acc", "take": "best"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_the_meaning_of_values_is_refused_with_the_ways_out(tmp_path, change):
    run_trials(tmp_path, task(V1), [{"lr": 1e-2, "opt": "sgd"}])
    before = {p: p.read_bytes() for p in (tmp_path / "t").rglob("*.*") if p.is_file()}
    with pytest.raises(RunError) as refused:
        FolderStore.create(tmp_path, task(V1, **change))
    assert "--fresh" in str(refused.value) and f"--from {tmp_path / 't'}" in str(refused.value)
    assert {p: p.read_bytes() for p in (tmp_path / "t").rglob("*.*") if p.is_file()} == before


def test_nothing_is_refused_while_no_trial_has_a_value(tmp_path):
    run_trials(tmp_path, task(V1, metric="ac"), [{"lr": 1e-2, "opt": "sgd"}], ends=[TrialState.CRASHED])
    told = []
    mended = task(V1, objective={"function": "t.py:other"})
    assert len(run_trials(tmp_path, mended, [], events=told)) == 1
    assert "metric was 'ac' and is now 'acc'" in told[0].changes[0]


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("--amp", "{--amp}", True),
        ("--no-amp", "{--amp|--no-amp}", False),
        ("--amp=1", "--amp={amp}", None),
    ],
)
def test_flags_of_a_command_are_known_values_too(tmp_path, old, new, value):
    command = "python train.py --epochs 5 --lr {lr} --opt {opt} "
    run_trials(tmp_path, task(V1, objective={"command": command + old}), [{"lr": 1e-2, "opt": "sgd"}])
    more = task({**V1, "amp": Bool()}, objective={"command": command + new})
    history = run_trials(tmp_path, more, [])
    assert [t.configuration["amp"] for t in history] == ([] if value is None else [value])


def test_everything_else_is_accepted_and_told_in_a_line_each(tmp_path):
    run_trials(tmp_path, task(V1, description="a"), [{"lr": 1e-2, "opt": "sgd"}])
    told = []
    changed = task(V1, description="b", seed=3, workers=2, pruner="median", budget={"trials": 9}, noise=0.1)
    history = run_trials(tmp_path, changed, [], events=told)
    (event,) = told
    assert numbers(history) == [0] and event.text == "" and len(event.changes) == 6
    lines = "\n".join(event.changes)
    for words in ("`description`", "seed was 0 and is now 3", "trials was 30 and is now 9", "is now median"):
        assert words in lines


def test_a_default_that_stays_is_no_change_and_a_list_is_shown_and_reported_as_one(tmp_path):
    layers = Categorical([None, [50, 100]])
    before = {"lr": LR, "layers": layers}
    default = {"lr": 1e-3, "layers": [50, 100]}
    run_trials(tmp_path, task(before, default=default), [default])
    told = []
    run_trials(tmp_path, task({"lr": Float(1e-4, 1e-2), "layers": layers}, default=default), [], events=told)
    assert [change for change in told[0].changes if "default" in change] == []
    run_trials(tmp_path, task(before, default={"lr": 2e-3, "layers": None}), [], events=told)
    assert "the default was lr=0.001, layers=[50, 100] and is now lr=0.002, layers=none" in told[-1].changes
    best = build_report(tmp_path / "t").best
    assert best is not None and best.configuration == default


def test_a_lineage_that_cannot_be_read_is_one_error_that_names_it(tmp_path):
    run_trials(tmp_path, task(V1), [{"lr": 1e-2, "opt": "sgd"}])
    for text in ("[", "{}", "[]", json.dumps([{"version": 1, "first_trial": 0, "space": {"lr": 3}}])):
        (tmp_path / "t" / "lineage.json").write_text(text)
        with pytest.raises(RunError, match="lineage.json cannot be read"):
            run_trials(tmp_path, task(V1), [])


_bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)
_parameters = st.one_of(
    _bounds.map(lambda b: Int(*b)),
    _bounds.map(lambda b: Float(*map(float, b))),
    st.lists(st.sampled_from([1, 2, 3, "a", "b", True]), min_size=1, unique_by=repr).map(
        lambda c: Categorical(
            list(
                {
                    repr(v): v for v in c if not (v is True and any(w == 1 and w is not True for w in c))
                }.values()
            )
        )
    ),
)
_spaces = st.dictionaries(st.sampled_from("abc"), _parameters, min_size=1)


@given(st.lists(_spaces, min_size=2, max_size=4), st.integers(0, 2**31), st.booleans())
def test_a_carried_configuration_is_legal_and_keeps_its_values(spaces, seed, with_default):
    import numpy as np

    rng = np.random.default_rng(seed)
    tasks = [task(space) for space in spaces]
    if with_default:
        tasks = [t.model_copy(update={"default": t.space.sample(rng)[0]}) for t in tasks]
    lineage = Lineage.begun(tasks[0])
    for place, later in enumerate(tasks[1:], start=1):
        lineage = lineage.continued(later, 10 * place)
    original = tasks[0].space.sample(rng)[0]
    try:
        carried = lineage.carried(3, original)
    except LeftOut as why:
        assert str(why)
        return
    assert carried == tasks[-1].space.validate(dict(carried))
    assert all(carried[name] == original[name] for name in carried if name in original)
    # From wherever it is carried on, going back to its own space gives the trial itself.
    assert lineage.continued(tasks[0], 100).carried(3, original) == original


def test_a_default_that_stays_is_not_told_as_changed():
    narrow = task({**V1, "lr": Float(1e-4, 5e-2)}, default={"lr": 1e-3, "opt": "adam"})
    told = changes(task(V1, default={"lr": 1e-3, "opt": "adam"}), narrow).told
    assert len(told) == 1 and told[0].startswith("lr was")
