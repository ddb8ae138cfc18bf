"""Task files: what is read, and how faults are told."""

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.spaces import spaces
from tunesmith.budget import Budget, ModelCaps
from tunesmith.errors import ObjectiveError, TaskError
from tunesmith.space import Float, Space
from tunesmith.task import Confirm, ObjectiveSpec, PrunerSpec, Task, load_task
from tunesmith.task.document import LARGEST_FILE, parse_document
from tunesmith.task.task import slug

TASK = """\
description: Digits.
metric: val_accuracy
direction: maximize
objective: train.py:train
space:
  lr: {type: float, low: 1e-5, high: 1e-1, scale: log}
  optimizer: {type: categorical, choices: [adam, sgd]}
  momentum: {type: float, low: 0, high: 0.99, when: {optimizer: sgd}}
default: {lr: 1e-3, optimizer: adam}
"""


@pytest.fixture
def read(tmp_path):
    folder = tmp_path / "My digits!"
    folder.mkdir()

    def read(text, name="task.yaml"):
        (folder / name).write_text(text, encoding="utf-8")
        return load_task(folder / name)

    return read


@pytest.fixture
def fault(read):
    def fault(text):
        with pytest.raises(TaskError) as caught:
            read(text)
        assert caught.value.path.name == "task.yaml" and caught.value.exit_code == 2
        assert "Traceback" not in str(caught.value) and len(str(caught.value)) < 3000
        return caught.value

    return fault


def test_a_short_file_gives_a_task_with_defaults(read):
    task = read(TASK)
    assert task.name == "My-digits"
    assert task.space.parameters["lr"] == Float(1e-5, 0.1, "log")
    assert dict(task.default) == {"lr": 1e-3, "optimizer": "adam"}
    assert (task.budget, task.confirm, task.workers, task.threads) == (Budget(), None, 1, 1)
    assert task.in_step is None and task.pruner == PrunerSpec()
    assert task.objective_ref().function == f"{task.path.parent.resolve()}/train.py:train"
    assert task.objective_ref().workdir == task.path.parent.resolve()
    assert task.words() == "Digits."


def test_everything_can_be_said(read):
    task = read(
        TASK
        + """
model: CNN
data: 300 images
confirm: {function: "eval.py:test", metric: test_accuracy, seeds: 7}
budget: {trials: 16, wall_time: 1h30m, trial_time: 45, model: {calls: 5, tokens: null, dollars: 0.5}}
seed: 3
workers: 2
threads: 4
pruner: halving
preload: [torch, sklearn.svm]
in_step: true
"""
    )
    assert task.budget == Budget(
        trials=16, wall_time_s=5400, trial_time_s=45, model=ModelCaps(calls=5, tokens=None, dollars=0.5)
    )
    assert task.confirm == Confirm(function="eval.py:test", metric="test_accuracy", seeds=7)
    assert task.confirm.separate and task.confirm_ref().function.endswith("My digits!/eval.py:test")
    assert (task.seed, task.workers, task.threads, task.in_step) == (3, 2, 4, True)
    assert task.pruner.kind == "halving" and task.preload == ("torch", "sklearn.svm")
    assert task.words() == "Digits.\nModel: CNN\nData: 300 images"


@pytest.mark.parametrize("number", ["1e-4", "1E-4", "1.e-4", "+1e-4", "0.0001", ".0001", "1_0e-5"])
def test_every_way_to_write_a_small_number_is_a_number(number):
    assert parse_document(f"x: {number}").data == {"x": 1e-4}


@pytest.mark.parametrize(
    "text, value",
    [("yes", "yes"), ("on", "on"), ("'1e-4'", "1e-4"), ("2001-01-01", "2001-01-01"),
     ("12:30:00", "12:30:00"), ("true", True), ("0x10", 16), ("0o17", 15), ("~", None), ("", None),
     ("=", "="), ("!!str 5", "5"), ("010", 10)],
)  # fmt: skip
def test_scalars_are_read_by_the_rules_of_yaml_1_2(text, value):
    assert parse_document(f"x: {text}").data == {"x": value}


@pytest.mark.parametrize(
    "change, line, key, words",
    [
        (("metric: val_accuracy", "metrik: x"), 1, "metric", "is missing. Write the name"),
        (("maximize", "maximise"), 3, "direction", "'minimize' or 'maximize'"),
        (("objective: train.py:train\n", ""), 1, "objective", "is missing"),
        (("train.py:train", "train.py"), 4, "objective", "names no function, got 'train.py'. Write"),
        (("train.py:train", "{function: train}"), 4, "objective.function", "path/file.py:function"),
        (("train.py:train", "{}"), 4, "objective", "either `function` or `command`"),
        (("train.py:train", "{command: 'a \"b'}"), 4, "objective.command", "cannot be split"),
        (("low: 1e-5", "low: '1e-5'"), 6, "space.lr.low", "'1e-5'"),
        (("low: 1e-5", "lo: 1e-5"), 6, "space.lr.lo", "did you mean 'low'?"),
        (("scale: log", "scale: lag"), 6, "space.lr.scale", "lag"),
        (("type: float, low: 0,", "type: flaot, low: 0,"), 8, "space.momentum.type", "one of float"),
        (("optimizer: sgd", "optimiser: sgd"), 8, "space.momentum.when.optimiser", "not a parameter"),
        (("lr: 1e-3", "lr: 3"), 9, "default.lr", "nearest legal value: 0.1"),
        (("lr: 1e-3", "Lr: 1e-3"), 9, "default", "'lr' is missing"),
        (("optimizer: adam}", "optimizer: sgd}"), 9, "default", "'momentum' is missing"),
        (("{lr: 1e-3, optimizer: adam}", "[1]"), 9, "default", "mapping, got [1]. Write"),
        (("Digits.", "[1]"), 1, "description", "text"),
    ],
    ids=lambda value: value[1][:24] if isinstance(value, tuple) else "",
)
def test_a_fault_names_line_key_and_fix(fault, change, line, key, words):
    assert change[0] in TASK
    error = fault(TASK.replace(*change, 1))
    found = {e.key: e for e in (error, *error.also)}
    assert key in found, str(error)
    assert (found[key].line or 1) == line and words in str(found[key])
    assert "?." not in str(error), "two sentences end here"


@pytest.mark.parametrize(
    "extra, key, words",
    [
        ("budgit: {}", "budgit", "did you mean 'budget'?"),
        ("path: x", "path", "not a key"),
        ("budget: {trials: '3'}", "budget.trials", "whole number"),
        ("budget: {trials: 0}", "budget.trials", "at least 1"),
        ("budget: {wall_time: soon}", "budget.wall_time", "1h30m"),
        ("budget: {wall_time: -5}", "budget.wall_time", "longer than 0"),
        ("budget: {wall_time: 5, wall_time_s: 5}", "budget.wall_time_s", "the same as `wall_time`"),
        ("budget: {wall_tine: 5}", "budget.wall_tine", "did you mean 'wall_time'?"),
        ("budget: {model: {call: 3}}", "budget.model.call", "did you mean 'calls'?"),
        ("budget: {model: {dollars: -1}}", "budget.model.dollars", "at least 0"),
        ("budget: 5", "budget", "mapping"),
        ("workers: true", "workers", "whole number"),
        ("workers: 0", "workers", "at least 1"),
        ("seed: 1.5", "seed", "whole number"),
        ("in_step: 1", "in_step", "true or false"),
        ("confirm: 5", "confirm", "mapping"),
        ("confirm: {seeds: 0}", "confirm.seeds", "at least 1"),
        ("confirm: {function: 'a.py:f', command: 'x {config}'}", "confirm", "at most one"),
        ("pruner: medium", "pruner.kind", "'median'"),
        ("preload: torch", "preload", "a list"),
        ("name: ../up", "name", "'up'"),
        ("seed: 1\nseed: 2", "seed", "stands twice (first in line 10: 1 there and"),
        ("seed: .nan", "seed", "finite"),
        ("seed: 1e999", "seed", "finite"),
        ("seed: !!python/object/apply:os.system [id]", "seed", "tag"),
        ("seed: !!set {a, b}", "seed", "tag"),
        ("seed: !mine 3", "seed", "tag"),
        ("1: 2", None, "not text"),
        ("? [a]\n: 2", None, "plain word"),
        ("<<: {seed: 1}", None, "not supported"),
    ],
)
def test_what_should_not_be_there_is_refused_with_its_place(fault, extra, key, words):
    error = fault(TASK + extra + "\n")
    assert error.key == key and words in str(error)
    assert error.line == 10 + extra.count("\n") if "stands" in words else error.line == 10


def test_all_faults_of_a_file_are_told_in_the_order_of_its_lines(fault):
    error = fault(
        "metric: [1]\ndirection: up\nobjective: 5\nspace:\n  a: {type: float}\n  b: 3\n"
        "workers: x\nbudget: {trials: x}\n"
    )
    assert [(e.line, e.key) for e in (error, *error.also)] == [
        (1, "metric"), (2, "direction"), (3, "objective"), (5, "space.a"), (6, "space.b"), (7, "workers"),
        (8, "budget.trials"),
    ]  # fmt: skip
    assert [line.split(":")[1] for line in str(error).splitlines()] == ["1", "2", "3", "5", "6", "7", "8"]


BOMB = "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "content",
    [b"", b"- 1", b"just words", b"a: [1", b"\ta: 1", b"a: \x00", b"\xff\xfe", b"a: 1\n--- \nb: 2",
     b"%YAML 9\n---\na: 1", b"[" * 5000, b"{" * 5000, b"a: *nowhere", b"a: &x [*x]", b"a: 1\n" * 200_000,
     b"#" * (LARGEST_FILE + 1), b"x: " + b"9" * 5000, b"a: &a [1]\n" + BOMB.encode()],
    ids=lambda content: repr(content[:16]),
)  # fmt: skip
def test_hostile_and_broken_files_end_in_a_task_error(tmp_path, content):
    (tmp_path / "task.yaml").write_bytes(content)
    with pytest.raises(TaskError) as caught:
        load_task(tmp_path / "task.yaml")
    assert str(caught.value).startswith(str(tmp_path / "task.yaml")) and len(str(caught.value)) < 2000


@settings(max_examples=200)
@given(st.text("ab:-?[]{}&*!|>'\"%@`#, \n\t1.e~<", max_size=60) | st.binary(max_size=60))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(TaskError):
        load_task(path)


@settings(max_examples=150)
@given(st.sampled_from(TASK.splitlines()), st.text("ab:-[]{}'\" 1.e~,", max_size=12), st.integers(0, 60))
def test_a_damaged_task_file_is_read_or_refused(tmp_path_factory, line, junk, place):
    path = tmp_path_factory.getbasetemp() / f"damaged-{os.getpid()}.yaml"
    path.write_text(TASK.replace(line, line[:place] + junk + line[place:]))
    try:
        load_task(path)
    except TaskError as error:
        assert error.problem


COMMAND = TASK.replace("objective: train.py:train", "objective: {command: %r}")


@pytest.mark.parametrize(
    "command, words",
    [
        ("python t.py --lr {lr} --opt {optimizer} --m {momentum} --seed {seed}", None),
        ("python t.py {config} --dir={checkpoint_dir}", None),
        ("python t.py --lr={lr} {config} {\"a\":1} {}", None),
        ("python t.py --lr {lrr} {config}", "did you mean 'lr'?"),
        ("python t.py --lr {lr}", "does not pass optimizer, momentum"),
        ("python t.py", "{config}"),
    ],
)  # fmt: skip
def test_a_command_must_pass_every_parameter_and_nothing_unknown(read, fault, command, words):
    if words is None:
        assert read(COMMAND % command).objective.command[:2] == ("python", "t.py")
    else:
        assert words in str(fault(COMMAND % command)) and fault(COMMAND % command).line == 4


def test_a_command_is_split_as_a_shell_would_and_may_be_a_list(read):
    assert read(COMMAND % "p 'a b' {config}").objective.command == ("p", "a b", "{config}")
    listed = TASK.replace("train.py:train", "{command: [p, a b, '{config}']}")
    assert read(listed).objective.command == ("p", "a b", "{config}")
    assert read(listed).objective_ref().command == ("p", "a b", "{config}")


def test_a_parameter_may_not_be_called_like_a_placeholder_of_ours(fault):
    text = (
        (COMMAND % "p {config}")
        .replace("  lr:", "  seed: {type: bool}\n  lr:")
        .replace("{lr: 1e-3", "{seed: true, lr: 1e-3")
    )
    assert "Rename the parameter" in str(fault(text))


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029"), max_size=40
)


@pytest.mark.long
@settings(max_examples=80)
@given(spaces(), WORDS, st.data())
def test_a_written_task_reads_back_the_same(tmp_path_factory, space, words, data):
    import numpy as np

    task = Task(
        name="t",
        description="".join(c for c in words if c.isprintable() or c == "\n"),
        metric="val/acc",
        direction="minimize",
        space=space,
        default=space.sample(np.random.default_rng(0))[0] if data.draw(st.booleans()) else None,
        objective=data.draw(
            st.sampled_from(
                [None, ObjectiveSpec(function="a b.py:f"), ObjectiveSpec(command=("x y", "{config}"))]
            )
        ),
        confirm=data.draw(st.sampled_from([None, Confirm(), Confirm(function="c.py:f", seeds=2)])),
        budget=Budget(
            trials=data.draw(st.integers(1, 99)),
            wall_time_s=data.draw(st.none() | st.floats(0.1, 1e6)),
            model=ModelCaps(calls=data.draw(st.none() | st.integers(0, 9)), dollars=None),
        ),
        workers=data.draw(st.integers(1, 3)),
        pruner=data.draw(st.sampled_from([PrunerSpec(), PrunerSpec(kind="none", warmup_steps=0)])),
        preload=data.draw(st.sampled_from([None, (), ("torch",)])),
        in_step=data.draw(st.sampled_from([None, True, False])),
    )
    path = tmp_path_factory.getbasetemp() / f"written-{os.getpid()}.yaml"
    path.write_text(task.to_yaml(), encoding="utf-8")
    back = load_task(path)
    assert back.model_copy(update={"path": None}) == task
    assert back.to_yaml() == task.to_yaml()
    assert back.default == task.default and (task.default is None or dict(back.default) == dict(task.default))


def test_a_task_in_python_is_checked_like_a_file():
    space = Space({"lr": Float(0, 1)})
    with pytest.raises(TaskError, match="direction.*\n.*workers"):
        Task(metric="m", direction="up", space=space, workers=0)
    with pytest.raises(TaskError, match="default.lr"):
        Task(metric="m", direction="minimize", space=space, default={"lr": 7})
    task = Task(
        metric="m",
        direction="minimize",
        space={"lr": {"type": "float", "low": 0, "high": 1}},
        default={"lr": 1},
    )
    assert dict(task.default) == {"lr": 1.0} and task.space == space
    assert task.folder == Path.cwd()
    assert Task.model_validate({**dict(task), "workers": 3}).workers == 3


def test_a_task_survives_pickle_and_a_dump():
    task = Task(
        metric="m", direction="minimize", space=Space({"values": Float(0, 1)}), default={"values": 0.25}
    )
    assert pickle.loads(pickle.dumps(task)) == task
    assert Task.model_validate(task.model_dump()) == task


def test_a_task_of_a_python_function_says_so_when_its_code_is_asked_for(read):
    task = Task(metric="m", direction="minimize", space=Space({"lr": Float(0, 1)}))
    back = read(task.to_yaml())
    assert back.objective is None and back.objective_text() == "a Python function"
    with pytest.raises(ObjectiveError, match="tune"):
        back.objective_ref()


@pytest.mark.parametrize(
    ("text", "name"),
    [("räin", "rain"), ("ünï 数", "uni"), ("<lambda>", "lambda"), ("数", "task"), ("../a b", "a-b")],
)
def test_a_name_made_from_any_text_is_legal_and_readable(text, name):
    assert slug(text) == name


def test_constraints_that_leave_nothing_are_a_fault_of_the_file(fault):
    error = fault(TASK.replace("default:", "  constraints: [lr > 1]\ndefault:"))
    assert (error.line, error.key) == (9, "space.constraints") and "'lr > 1' holds most rarely" in str(error)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(TaskError, match="No such file"):
        load_task(tmp_path / "none.yaml")
    with pytest.raises(TaskError, match="is a folder"):
        load_task(tmp_path)


def test_the_pruner_is_told_in_words():
    assert PrunerSpec().words() == (
        "forecast: stops what can hardly end among the best, by the completed curves; "
        "after 4 trials have completed, from step 1 on"
    )
    assert "every trial" in PrunerSpec(kind="none").words()
    assert "step 8" in PrunerSpec(kind="median", warmup_steps=8).words()
