"""After an interruption: every condition a trial can be found in, and what becomes of it."""

import shutil

import pytest

from tunesmith.errors import RunError
from tunesmith.events import TrialFinished, TrialStarted
from tunesmith.space import Float, Space
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.reconcile import reconcile, restore_events
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.tools.records.trial_folder import record_outcome
from tunesmith.trial import Outcome, TrialState

COMPLETED, LOST, RUNNING = TrialState.COMPLETED, TrialState.LOST, TrialState.RUNNING


@pytest.fixture
def open_study(request, folder, task):
    storage = getattr(request, "param", "journal")
    url = None if storage == "journal" else request.getfixturevalue("database_url")
    return lambda: StudyStore.open(folder, task, url)


on_both_storages = pytest.mark.parametrize("open_study", ["journal", "sqlite"], indirect=True)


@pytest.fixture
def run(folder, make_trial, outcome, open_study):
    """Three finished trials, and a fourth brought as far as wanted before the kill."""

    def make(fourth="", state=COMPLETED):
        study = open_study()
        for number in range(3):
            folder.write_config(make_trial(number))
            study.started(make_trial(number))
            study.finished(
                finished_trial(make_trial(number), folder.record_outcome(number, outcome(number)), "accuracy")
            )
        steps = fourth.split()
        if "folder" in steps:
            folder.trial_folder(3).mkdir()
        if "config" in steps:
            folder.write_config(make_trial(3))
        if "started" in steps:
            study.started(make_trial(3))
        if "result" in steps:
            folder.record_outcome(3, outcome(3, state))
        if "finished" in steps:
            study.finished(finished_trial(make_trial(3), outcome(3, state), "accuracy"))

    return make


def agree(folder, open_study, history):
    """Folders, study and history tell the same, and saying it again changes nothing."""
    in_study = open_study().load()
    assert [t.number for t in history] == [t.number for t in in_study if t is not None]
    for trial in history:
        assert trial.finished
        assert (
            finished_trial(
                folder.read_config(trial.number).trial(), folder.read_outcome(trial.number), "accuracy"
            )
            == trial
        )
        assert (in_study[trial.number].state, in_study[trial.number].value) == (trial.state, trial.value)
        assert in_study[trial.number].curve == trial.curve
        assert in_study[trial.number].configuration == trial.configuration
    before = {p: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}
    assert reconcile(folder, open_study()).trials == history.trials
    assert {p: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()} == before


@on_both_storages
@pytest.mark.parametrize(
    ("fourth", "state", "end", "words"),
    [
        ("", COMPLETED, None, ""),
        ("folder", COMPLETED, None, ""),
        ("config", COMPLETED, LOST, "trial 3 has no result"),
        ("config started", COMPLETED, LOST, "trial 3 has no result"),
        ("config started result", COMPLETED, COMPLETED, ""),
        ("config started result", TrialState.CRASHED, TrialState.CRASHED, ""),
        ("config started result", TrialState.PRUNED, TrialState.PRUNED, ""),
        ("config result", COMPLETED, COMPLETED, ""),
        ("config started result finished", COMPLETED, COMPLETED, ""),
    ],
)
def test_a_run_killed_at_any_step_of_a_trial_is_whole_again(
    folder, open_study, run, repairs, fourth, state, end, words
):
    run(fourth, state)
    history = reconcile(folder, open_study(), emit=repairs)
    assert [t.state for t in history] == [COMPLETED] * 3 + ([end] if end else [])
    assert [t.loss for t in history if t.state is LOST] == ["interrupted"] * (end is LOST)
    assert words in repairs.text if words else not repairs
    assert history.incumbent.value == (0.53 if end is COMPLETED else 0.52)
    agree(folder, open_study, history)


@on_both_storages
@pytest.mark.parametrize("which", [[0], [1], [3], [0, 1, 2, 3]], ids=str)
def test_deleted_folders_are_rebuilt_from_the_study(folder, open_study, run, repairs, which):
    run("config started result finished")
    before = reconcile(folder, open_study())
    for number in which:
        shutil.rmtree(folder.trial_folder(number))
    history = reconcile(folder, open_study(), emit=repairs)
    assert history.trials == before.trials
    assert repairs.text.count("rebuilt from the study") == len(which)
    agree(folder, open_study, history)


def test_a_folder_deleted_while_its_trial_ran_is_a_lost_trial(folder, open_study, run):
    run("config started")
    shutil.rmtree(folder.trial_folder(3))
    history = reconcile(folder, open_study())
    assert history.trials[3].state is LOST
    agree(folder, open_study, history)


@on_both_storages
@pytest.mark.parametrize(
    "fourth", ["config started", "config started result", "config started result finished"]
)
def test_a_deleted_study_is_rebuilt_from_the_folders(folder, open_study, run, tmp_path, fourth):
    run(fourth)
    (tmp_path / "study.db").unlink(missing_ok=True)
    folder.journal.unlink(missing_ok=True)
    history = reconcile(folder, open_study())
    assert len(history) == 4
    agree(folder, open_study, history)


def test_with_study_and_a_folder_deleted_the_other_trials_keep_their_numbers(
    folder, open_study, run, tmp_path, repairs, make_trial
):
    run("config started result finished")
    (tmp_path / "study.db").unlink(missing_ok=True)
    folder.journal.unlink(missing_ok=True)
    shutil.rmtree(folder.trial_folder(1))
    history = reconcile(folder, open_study(), emit=repairs)
    assert [t.number for t in history] == [0, 2, 3]
    assert "trial 1 is neither in the folders nor in the study" in repairs.text
    agree(folder, open_study, history)
    study = open_study()
    assert study.next_number == 4
    study.started(make_trial(4))


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b'{"state": "compl', b'{"state": "running"}'])
def test_a_damaged_result_is_set_aside_and_rebuilt_from_the_study_or_given_up(
    folder, open_study, run, repairs, content
):
    run("config started result")
    for number in (1, 3):  # the study knows how 1 ended, and not how 3 did
        (folder.trial_folder(number) / "result.json").write_bytes(content)
    history = reconcile(folder, open_study(), emit=repairs)
    assert [t.state for t in history] == [COMPLETED, COMPLETED, COMPLETED, LOST]
    assert history.trials[1].value == 0.51
    assert (folder.trial_folder(3) / "result.json.damaged-1").read_bytes() == content
    assert repairs.text.count("set aside") == 2
    agree(folder, open_study, history)


@pytest.mark.parametrize("content", [b"", b"\0" * 300], ids=["empty", "zeros"])
def test_a_config_that_a_power_cut_emptied_before_its_trial_ran_is_forgotten(
    folder, open_study, run, make_trial, repairs, content
):
    run("config")
    (folder.trial_folder(3) / "config.json").write_bytes(content)
    history = reconcile(folder, open_study(), emit=repairs)
    assert len(history) == 3
    assert "was moved to trials/orphans/00003.orphan-1" in repairs.text
    agree(folder, open_study, history)
    study = open_study()
    assert study.next_number == 3
    folder.write_config(make_trial(3))
    study.started(make_trial(3))
    assert reconcile(folder, open_study()).trials[3].state is LOST


def other_config(number, to=lambda config: config):
    """Turns `config.json` of another trial into content for a folder that is not its own."""
    return lambda folder: to((folder.trial_folder(number) / "config.json").read_bytes())


@pytest.mark.parametrize(
    "content",
    [None, b"{", b"[]", b"[" * 100_000, other_config(1)],
    ids=["missing", "cut", "a list", "deep", "of another trial"],
)
def test_a_result_of_nobody_in_the_study_never_becomes_the_next_trials(
    folder, open_study, run, make_trial, repairs, content
):
    run("")
    orphan = folder.trial_folder(3)
    shutil.copytree(folder.trial_folder(2), orphan)
    (orphan / "result.json").write_bytes((orphan / "result.json").read_bytes().replace(b"0.52", b"0.99"))
    (orphan / "config.json").unlink()
    if content is not None:
        made = content if isinstance(content, bytes) else content(folder)
        (orphan / "config.json").write_bytes(made)
    history = reconcile(folder, open_study(), emit=repairs)
    assert [trial.number for trial in history] == [0, 1, 2] and history.incumbent.value == 0.52
    assert "was moved to trials/orphans/00003.orphan-1; no value in it counts" in repairs.text
    assert (folder.path / "trials/orphans/00003.orphan-1/result.json").is_file()
    agree(folder, open_study, history)
    folder.write_config(make_trial(3))
    assert folder.read_outcome(3) is None


def test_a_folder_that_begins_with_a_result_is_set_aside_before_its_trial_starts(
    tmp_path, task, make_trial, outcome, repairs
):
    store = FolderStore.create(tmp_path / "here", task)
    with store.lease():
        store.load(repairs)
        ready = store.trial_folder(0)
        ready.mkdir()
        record_outcome(ready, outcome(9))
        assert store.begin(make_trial(0)) == ready
        assert sorted(entry.name for entry in ready.iterdir()) == ["config.json"]
        assert "moved to trials/orphans" in repairs.text
        store.close()


@pytest.mark.parametrize("where", ["its own folder", "a folder that another trial left"])
def test_a_result_says_which_start_of_which_configuration_it_is_of(
    folder, open_study, run, make_trial, outcome, repairs, where
):
    run("config started")
    of_2 = folder.read_config(2).stamp
    other = of_2 if where != "its own folder" else folder.read_config(3).stamp._replace(attempt=2)
    record_outcome(folder.trial_folder(3), outcome(9), other)
    history = reconcile(folder, open_study(), emit=repairs)
    assert history.trials[3].state is LOST
    assert f"it is of {other}, and this folder of attempt 1 of trial 3" in repairs.text
    agree(folder, open_study, history)


def test_folders_that_were_exchanged_keep_their_trials_values(folder, open_study, run, repairs):
    run("config started result finished")
    before = reconcile(folder, open_study())
    one, two = folder.trial_folder(1), folder.trial_folder(2)
    one.rename(one.with_name("x"))
    two.rename(one)
    one.with_name("x").rename(two)
    history = reconcile(folder, open_study(), emit=repairs)
    assert history.trials == before.trials
    assert repairs.text.count("config.json is of trial") == 2
    agree(folder, open_study, history)


@pytest.mark.parametrize(
    "name", ["99999999", "999999999999999999999", "0000007", "-0001", "7x", "\u0661\u0662\u0663\u0664\u0665"]
)
def test_odd_names_among_the_trials_are_no_trials(folder, open_study, run, name):
    run("config started result finished")
    shutil.copytree(folder.trial_folder(1), folder.path / "trials" / name)
    history = reconcile(folder, open_study())
    assert [trial.number for trial in history] == [0, 1, 2, 3]
    agree(folder, open_study, history)


def test_a_result_that_no_optimiser_should_see_does_not_get_into_the_study(folder, open_study, run, task):
    run("config started")
    folder.trial_folder(3).joinpath("result.json").write_text(
        '{"state": "completed", "values": {"accuracy": Infinity}, "curve": [[0, NaN], [1, 0.5]]}'
    )
    history = reconcile(folder, open_study())
    assert history.trials[3].state is TrialState.DIVERGED
    assert history.trials[3].curve == ((1, 0.5),)
    assert history.incumbent.number == 2
    agree(folder, open_study, history)


def test_folder_and_study_that_disagree_on_an_end_are_reported_and_the_folder_counts(
    folder, open_study, run, repairs, outcome
):
    run("config started result finished")
    (folder.trial_folder(3) / "result.json").unlink()
    folder.record_outcome(3, Outcome(state=LOST, message="hm"))
    history = reconcile(folder, open_study(), emit=repairs)
    assert history.trials[3].state is LOST
    assert "the study has trial 3 as completed (0.53), its folder as lost" in repairs.text


def test_trials_of_another_search_space_are_refused_with_the_fix(folder, run, make_task):
    run("")
    other = make_task(space=Space({"alpha": Float(0, 1)}))
    changed = RunFolder(folder.path, other)
    with pytest.raises(RunError, match="search space"):
        reconcile(changed, StudyStore.open(changed, other, "sqlite://"))


def test_what_interrupted_writers_left_is_swept_away(folder, open_study, run):
    run("config started")
    left = folder.trial_folder(3) / ".result.json.123.tmp"
    left.write_bytes(b"{")
    reconcile(folder, open_study())
    assert not left.exists()


def test_events_that_a_kill_swallowed_are_restored_once(folder, open_study, run):
    run("config started result")
    history = reconcile(folder, open_study())
    events = EventStore(folder.db)
    for trial in history.trials[:3]:
        events.append(TrialStarted(number=trial.number, proposal=trial.proposal, seed=trial.seed))
    assert restore_events(history, events) == 5
    assert restore_events(history, events) == 0
    last = events.events()[-1]
    assert isinstance(last, TrialFinished)
    assert (last.number, last.value, last.improved) == (3, 0.53, True)
    assert last.surprise == pytest.approx((0.53 - 0.8) / 0.05)
    assert last.outcome.curve == history.trials[3].curve


def test_a_deleted_log_is_rebuilt_from_the_history(folder, open_study, run):
    run("config started result finished")
    history = reconcile(folder, open_study())
    events = EventStore(folder.db)
    restore_events(history, events)
    kinds = [(event.kind, event.number) for event in events.events()]
    assert kinds == [(kind, n) for n in range(4) for kind in ("trial_started", "trial_finished")]


def test_a_damaged_config_is_rebuilt_from_the_study(folder, open_study, run):
    run("config started")
    for number in (1, 3):
        (folder.trial_folder(number) / "config.json").write_bytes(b"{")
    history = reconcile(folder, open_study())
    assert [t.state for t in history] == [COMPLETED, COMPLETED, COMPLETED, LOST]
    agree(folder, open_study, history)


def test_a_study_of_other_trials_is_refused(folder, open_study, run, make_trial):
    run("config started")
    shutil.rmtree(folder.trial_folder(3))
    other = make_trial(5).model_copy(update={"number": 3})
    folder.write_config(other)
    with pytest.raises(RunError, match="disagree on what trial 3 is.*another `name`"):
        reconcile(folder, open_study())
