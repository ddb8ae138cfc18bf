"""`metric` as a name and as a mapping."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import TaskError
from tunesmith.metric import Reading
from tunesmith.task import Task, load_task
from tunesmith.task.changes import changes
from tunesmith.task.metric_spec import name_in_pattern, nested_repetition, why_not_pattern

EPOCHS = r"epoch (?P<step>\d+) .*val_acc (?P<value>[0-9.]+)"
TASK = """
direction: minimize
objective: {command: "python t.py --lr {lr}"}
space: {lr: {type: float, low: 0.1, high: 1.0}}
"""


def write(tmp_path, metric, more=""):
    path = tmp_path / "task.yaml"
    path.write_text(f"metric: {metric}\n{TASK}{more}")
    return path


@pytest.mark.parametrize(
    ("metric", "name", "reading"),
    [
        ("loss", "loss", Reading(maximize=False)),
        ("{name: loss}", "loss", Reading(maximize=False)),
        ("{name: loss, take: best}", "loss", Reading("best", maximize=False)),
        ("{name: loss, items: true}", "loss", Reading(maximize=False, items=True)),
        (f"{{regex: '{EPOCHS}'}}", "val_acc", Reading(regex=EPOCHS, maximize=False)),
        (f"{{name: acc, take: last, regex: '{EPOCHS}'}}", "acc", Reading("last", EPOCHS, maximize=False)),
        (
            "{name: loss, file: '{checkpoint_dir}/r.json'}",
            "loss",
            Reading(file="{checkpoint_dir}/r.json", maximize=False),
        ),
    ],
)
def test_a_mapping_says_how_the_value_is_read_and_comes_back_from_the_runs_own_task(
    tmp_path, metric, name, reading
):
    task = load_task(write(tmp_path, metric))
    assert (task.metric, task.reading) == (name, reading)
    (tmp_path / "again.yaml").write_text(task.to_yaml())
    again = load_task(tmp_path / "again.yaml")
    assert (again.metric, again.reading, again.metric_spec) == (name, reading, task.metric_spec)
    changed = Task.model_validate({**dict(task), "seed": 5})
    assert changed.reading == reading


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("{take: best}", "metric.name: is missing. Write `metric: {name: val_accuracy, take: best}`"),
        ("{name: a, take: worst}", "'best' or 'last'"),
        ("{name: a, tale: best}", "did you mean 'take'"),
        ("{name: 3}", "should be text"),
        ("{name: a, regex: '('}", "should be a regular expression"),
        ("{name: a, regex: 'acc (.*) (.*)'}", "group named value"),
        ("{name: a, regex: '(?P<value>(a+)+)'}", "should not repeat what contains a repetition"),
        (r"{name: a, regex: '(?P<value>\d)\1'}", "should not refer back"),
        (f"{{name: a, regex: '(?P<value>{'a' * 600})'}}", "500 characters"),
        ("{name: a, file: r.json, regex: '(a)'}", "at most one of"),
        ("{name: a, items: true, regex: '(a)'}", "at most one of `regex` and `items`"),
        ("{name: a, items: yes please}", "true or false"),
        ("[a, b]", "should be text"),
        ("''", "short name"),
    ],
)
def test_what_cannot_be_read_is_said_with_key_and_line(tmp_path, metric, said):
    with pytest.raises(TaskError) as caught:
        load_task(write(tmp_path, metric))
    assert caught.value.line == 1 and caught.value.key.startswith("metric")
    assert said in str(caught.value)


def test_a_file_that_several_trials_would_write_at_a_time_is_refused(tmp_path):
    with pytest.raises(TaskError, match=r"(?s)metric.file.*2 run at a time.*checkpoint_dir"):
        load_task(write(tmp_path, "{name: a, file: results.json}", "workers: 2\n"))
    load_task(write(tmp_path, "{name: a, file: 'results-{number}.json'}", "workers: 2\n"))


def test_the_inner_key_is_none_of_a_file(tmp_path):
    with pytest.raises(TaskError, match="metric_spec"):
        load_task(write(tmp_path, "a", "metric_spec: {name: a}\n"))


@pytest.mark.parametrize(
    ("regex", "nested"),
    [
        (r"(a+)+", True), (r"(a*)*b", True), (r"(?:(a|b+)c)*", True), (r"(\w+\s*)*x", True),
        (r"(a{2,}){3,}", True), (r"([a+]+)", False), (r"(\d+\.)?\d+", False), (r"(\(+\))", False),
        (r"(\d{1,3}\.){3}\d", False), (r"[(]a+[)]+", False), (r"a\++", False), (r"[]+]+", False),
        (r"(ab)*c+", False), (EPOCHS, False),
    ],
)  # fmt: skip
def test_a_repetition_inside_a_repetition_is_seen(regex, nested):
    assert nested_repetition(regex) is nested


@settings(max_examples=50)
@given(st.text("()[]{}*+?\\|a1,.^$P<>=:value", max_size=30))
def test_any_pattern_is_judged_without_an_accident(regex):
    why_not_pattern(regex)
    nested_repetition(regex)
    name_in_pattern(regex)


@pytest.mark.parametrize(
    ("regex", "name"),
    [
        (EPOCHS, "val_acc"), (r"eval/loss=(?P<value>\S+)", "eval/loss"), (r"acc:\s*(?P<value>\S+)", "acc"),
        (r"loss\s+=\s+(?P<value>.)", "loss"), (r"(?P<value>\d+)", None),
    ],
)  # fmt: skip
def test_the_word_before_the_value_names_the_metric(regex, name):
    assert name_in_pattern(regex) == name
    assert re.compile(regex)


def test_another_choice_among_the_values_is_another_meaning_and_another_way_of_reading_is_not(tmp_path):
    plain, best, read = (
        load_task(write(tmp_path, metric))
        for metric in ("acc", "{name: acc, take: best}", "{name: acc, regex: 'acc (.*)'}")
    )
    assert "best is" in changes(plain, best).breaking[0]
    assert changes(plain, read).breaking == () and "how acc is read" in changes(plain, read).told[0]
    assert changes(read, read) == ((), (), ())
