"""The key `certify`: what it stands for, what it needs, and what is told of a wrong one."""

import pytest

from tunesmith.errors import TaskError
from tunesmith.task import load_task

TASK = """
metric: cost
direction: minimize
limits: {{quality: ">= 0.9"}}
objective: t.py:train
space: {{x: {{type: int, low: 0, high: 9}}}}
{confirm}
certify: {certify}
"""
FRESH = "confirm: {function: 't.py:test', seeds: 1}"


def load(tmp_path, certify, confirm=FRESH):
    (tmp_path / "task.yaml").write_text(TASK.format(certify=certify, confirm=confirm))
    return load_task(tmp_path / "task.yaml")


def test_it_is_kept_in_a_task_file_and_stands_for_a_limit(tmp_path):
    task = load(tmp_path, "{metric: quality, at_least: 0.9, confidence: 0.99, scores: [0, 2], failures: 1}")
    certify = task.certify
    assert (certify.limit.text, certify.confidence, certify.most) == ("quality >= 0.9", 0.99, 6)
    (tmp_path / "again.yaml").write_text(task.to_yaml())
    assert load_task(tmp_path / "again.yaml").certify == task.certify
    assert load(tmp_path, "{metric: cost, at_most: 0.5}").certify.limit.text == "cost <= 0.5"


@pytest.mark.parametrize(
    "certify, confirm, told",
    [
        ("{metric: quality}", FRESH, "one of `at_least` and `at_most`, got neither"),
        ("{metric: quality, at_least: 0.9, at_most: 0.95}", FRESH, "got both"),
        ("{metric: quality, at_least: 90}", FRESH, "between the ends of `scores`, 0 and 1, got 90"),
        ("{metric: qualty, at_least: 0.9}", FRESH, "did you mean 'quality'?"),
        ("{metric: quality, at_least: 0.9, confidence: 95}", FRESH, "certify.confidence"),
        ("{metric: quality, at_least: 0.9}", "confirm: {seeds: 3}", "which the search never saw"),
        ("{metric: quality, at_least: 0.9}", "", "which the search never saw"),
        ("0.9", FRESH, "`certify: {metric: quality, at_least: 0.9, confidence: 0.95}`"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write(tmp_path, certify, confirm, told):
    with pytest.raises(TaskError) as caught:
        load(tmp_path, certify, confirm)
    assert told in str(caught.value), caught.value
