"""A run on disk: made once, continued by the same command, refused to another task."""

import json
import math

import pytest

from tunesmith.errors import RunError
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Outcome, TrialState


def test_the_same_task_continues_its_run(tmp_path, task):
    folder = RunFolder.create(tmp_path / "runs", task)
    assert folder.path == tmp_path / "runs" / "digits"
    assert RunFolder.create(tmp_path / "runs", task).path == folder.path
    assert RunFolder.open(folder.path).task.space.to_dict() == task.space.to_dict()


def test_a_raised_budget_is_taken_over_when_the_run_goes_on(tmp_path, make_task):
    RunFolder.create(tmp_path, make_task())
    more = make_task(budget={"trials": 99}, workers=3, description="new words")
    folder = RunFolder.create(tmp_path, more)
    assert RunFolder.open(folder.path).task.budget.trials == 30  # nobody holds the lock yet
    with folder.lock():
        pass
    reopened = RunFolder.open(folder.path).task
    assert (reopened.budget.trials, reopened.workers, reopened.description) == (99, 3, "new words")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metric": "f1"}, "metric was 'accuracy' and is now 'f1'"),
        ({"direction": "minimize"}, "direction was 'maximize'"),
        ({"objective": {"function": "other.py:train"}}, "objective was .* and is now other.py:train"),
    ],
    ids=["metric", "direction", "objective"],
)
def test_another_task_of_the_same_name_is_refused_with_what_differs(
    tmp_path, make_task, make_trial, outcome, change, named
):
    folder = RunFolder.create(tmp_path, make_task())
    folder.write_config(make_trial(0))
    folder.record_outcome(0, outcome(0))
    before = (folder.path / "task.yaml").read_bytes()
    with pytest.raises(RunError, match=named) as caught:
        RunFolder.create(tmp_path, make_task(**change))
    assert "another `name`" in str(caught.value)
    assert (folder.path / "task.yaml").read_bytes() == before


def test_task_files_side_by_side_are_two_tasks_and_a_moved_one_is_the_same(tmp_path, make_task):
    def task_in(place):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "task.yaml").touch()
        return make_task(objective={"function": "train.py:train"}, path=tmp_path / place / "task.yaml")

    RunFolder.create(tmp_path / "runs", task_in("a"))
    with pytest.raises(RunError, match=r"train.py:train in .*/a and is now train.py:train in .*/b"):
        RunFolder.create(tmp_path / "runs", task_in("b"))
    (tmp_path / "a" / "task.yaml").unlink()
    folder = RunFolder.create(tmp_path / "runs", task_in("b"))
    with folder.lock():
        pass
    assert RunFolder.open(folder.path).task.folder == tmp_path / "b"


def test_paths_of_the_task_as_run_count_from_where_its_file_first_was(tmp_path, make_task):
    (tmp_path / "project").mkdir()
    task = make_task(objective={"function": "train.py:train"}, path=tmp_path / "project" / "task.yaml")
    folder = RunFolder.create(tmp_path / "runs", task)
    assert RunFolder.open(folder.path).task.objective_ref() == task.objective_ref()
    assert str(tmp_path / "project" / "train.py") in RunFolder.open(folder.path).task.objective_ref().function


def test_a_task_file_that_lies_where_the_run_would_go_is_not_overwritten(tmp_path, task):
    (tmp_path / "digits").mkdir()
    own = tmp_path / "digits" / "task.yaml"
    own.write_text("# with comments of its author\n" + task.to_yaml())
    before = own.read_bytes()
    with pytest.raises(RunError, match="is not a run"):
        RunFolder.create(tmp_path, task)
    assert own.read_bytes() == before and len(list(own.parent.iterdir())) == 1


def test_a_place_where_nothing_can_be_made_is_named(tmp_path, task):
    (tmp_path / "runs").touch()  # a file, where a folder should be
    with pytest.raises(RunError, match="runs/digits cannot be made .*directory"):
        RunFolder.create(tmp_path / "runs", task)


def test_a_trial_is_recorded_before_it_runs_and_once_after(folder, make_trial, outcome):
    path = folder.write_config(make_trial(17))
    assert path == folder.path / "trials" / "00017"
    assert json.loads((path / "config.json").read_text())["proposal"]["origin"] == "surrogate"
    assert folder.read_config(17).trial() == make_trial(17)
    assert folder.read_outcome(17) is None
    assert folder.record_outcome(17, outcome(17)) == outcome(17)
    late = Outcome(state=TrialState.LOST, message="too late")
    assert folder.record_outcome(17, late) == outcome(17)
    assert folder.read_outcome(17) == outcome(17)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", "{", "cannot be read"),
        ("result.json", "\0\0\0", "cannot be read"),
        ("result.json", '{"state": "running"}', "says that the trial is running"),
        ("result.json", '{"state": "completed", "surprise": 1}', "cannot be read"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(folder, make_trial, outcome, name, content, words):
    path = folder.write_config(make_trial(0)) / name
    path.write_text(content)
    with pytest.raises(RunError, match=words) as caught:
        folder.read_config(0) if name == "config.json" else folder.read_outcome(0)
    assert str(path) in str(caught.value)


def test_a_prediction_that_is_not_finite_does_not_make_the_record_unreadable(folder, make_trial):
    trial = make_trial(0)
    odd = {"spread": math.inf, "details": {"trust": -math.inf}}
    trial = trial.model_copy(update={"proposal": trial.proposal.model_copy(update=odd)})
    path = folder.write_config(trial) / "config.json"
    assert folder.read_config(0).trial() == trial
    json.loads(path.read_text(), parse_constant=pytest.fail)  # legal JSON for any other program too


@pytest.mark.parametrize("content", [None, "notes.txt", "task.yaml"], ids=["missing", "other", "task file"])
def test_a_folder_that_is_no_run_is_not_opened(tmp_path, content):
    if content:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / content).touch()
    with pytest.raises(RunError, match="not a run folder"):
        RunFolder.open(tmp_path / "x")


def test_trial_folders_are_found_in_order_of_number_and_strangers_are_left_out(folder, make_trial):
    for number in (100_000, 2, 0):
        folder.write_config(make_trial(number))
    (folder.path / "trials" / "notes").mkdir()
    (folder.path / "trials" / ".DS_Store").touch()
    assert folder.trial_numbers() == [0, 2, 100_000]


def test_a_renamed_trial_folder_is_noticed(folder, make_trial):
    folder.write_config(make_trial(1)).rename(folder.trial_folder(2))
    with pytest.raises(RunError, match="is of trial 1"):
        folder.read_config(2)
