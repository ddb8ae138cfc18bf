"""`checkpoints: best`: the disk is cleaned as trials end, of ended trials but the best one's."""

import pytest

from tunesmith.api import run_task
from tunesmith.events import TrialFinished
from tunesmith.space import Float, Space
from tunesmith.task import Task


def train(config, trial):
    (trial.checkpoint_dir / "deep").mkdir()
    (trial.checkpoint_dir / "deep" / "weights").write_text("w")
    if trial.number == 1:
        raise ValueError("on purpose")
    if trial.number == 2:  # what a script must not be able to have deleted
        (trial.checkpoint_dir / "deep" / "out").symlink_to(trial.folder.parents[2] / "outside")
    return config["x"]


def task(**more):
    space = Space({"x": Float(0, 1)})
    # Nothing is loaded in advance: by default it would be all that the other tests have loaded by now.
    return Task(name="t", metric="v", direction="minimize", space=space, tuner="random", preload=(), **more)


def kept(folder):
    return sorted(int(path.parent.name) for path in folder.glob("trials/*/checkpoints"))


@pytest.mark.long
def test_only_the_best_trials_checkpoints_stay_while_the_run_goes_on(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    seen = []

    def look(event):
        if isinstance(event, TrialFinished):
            seen.append((event.number, kept(tmp_path / "t")))

    result = run_task(
        task(checkpoints="best", budget={"trials": 6}), runs=tmp_path, model=None, train=train, listen=look
    )
    values = {trial.number: trial.value for trial in result.history.completed}
    for number, there in seen:
        done = [n for n in values if n <= number]
        assert there == [min(done, key=values.get)]
    assert kept(result.folder) == [result.best_trial.number]
    assert (tmp_path / "outside" / "file").exists()


@pytest.mark.long
def test_all_stay_by_default_and_a_run_that_goes_on_with_best_is_cleaned(tmp_path):
    first = run_task(task(budget={"trials": 3}), runs=tmp_path, model=None, train=train)
    assert kept(first.folder) == [0, 1, 2]
    more = run_task(task(checkpoints="best", budget={"trials": 4}), runs=tmp_path, model=None, train=train)
    assert kept(more.folder) == [more.best_trial.number]
