"""`noise` in a task: what it may be, and that a run's own task file keeps it."""

import pytest

from tunesmith.errors import TaskError
from tunesmith.space import Float, Space
from tunesmith.task import Confirm, Task, load_task

FIELDS = {
    "metric": "loss",
    "direction": "minimize",
    "space": Space({"x": Float(0, 1)}),
    "objective": {"function": "train.py:train"},
}


@pytest.mark.parametrize(
    ("given", "read"),
    [(0.004, 0.004), (2, 2.0), ("measure", "measure"), ("none", "none"), (0, "none"), (None, None)],
)
def test_noise_is_a_deviation_or_measured_or_none(given, read, tmp_path):
    task = Task.model_validate({**FIELDS, "noise": given})
    assert task.noise == read
    path = tmp_path / "task.yaml"
    path.write_text(task.to_yaml())
    assert load_task(path).noise == read


@pytest.mark.parametrize("wrong", [-0.1, float("inf"), float("nan"), "much", True, [0.1], {}], ids=str)
def test_any_other_noise_is_refused_with_what_it_should_be(wrong):
    with pytest.raises(TaskError) as caught:
        Task.model_validate({**FIELDS, "noise": wrong})
    assert caught.value.key == "noise"
    assert "such as 0.004, or `measure` or `none`" in caught.value.problem


@pytest.mark.parametrize(
    ("confirm", "trials", "looks"),
    [
        ({"seeds": 5}, 32, (5, 10)),
        ({"seeds": 5}, 200, (5, 10, 20)),
        ({"seeds": 5}, 12, (5,)),
        ({"seeds": 5, "most": 40}, 32, (5, 10, 20, 40)),
        ({"seeds": 5, "most": 25}, 32, (5, 10, 20, 25)),
        ({"seeds": 5, "most": 5}, 200, (5,)),
    ],
)
def test_the_comparison_takes_twice_as_many_seeds_up_to_its_bound(confirm, trials, looks):
    assert Confirm.model_validate(confirm).looks(trials) == looks


def test_a_bound_below_the_first_seeds_is_refused():
    with pytest.raises(TaskError, match="at least `seeds`"):
        Task.model_validate({**FIELDS, "confirm": {"seeds": 5, "most": 3}})
