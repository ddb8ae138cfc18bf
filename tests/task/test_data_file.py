"""The keys data_file and data_card: what the card joins, and how faults are told."""

import numpy as np
import pytest
from typer.testing import CliRunner

import tunesmith
from tunesmith import DataCard, Float, Space, Task, load_task
from tunesmith.errors import TaskError

TASK = """\
description: Wine.
metric: accuracy
direction: maximize
objective: train.py:train
space: {C: {type: float, low: 0.01, high: 100, scale: log}}
"""
DATA = "acid,colour,label\n" + "".join(f"{i * 3.5},red,{'adam' if i % 3 else 'sgd'}\n" for i in range(30))


@pytest.fixture
def read(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wine.csv").write_text(DATA)
    (tmp_path / "train.py").write_text("def train(config, trial):\n    return 1.0\n")

    def read(more, name="task.yaml"):
        (tmp_path / name).write_text(TASK + more)
        return load_task(tmp_path / name)

    return read


def test_a_data_file_beside_the_task_gives_its_card(read, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    task = read("data_file: {path: data/wine.csv, target: label}\n")
    assert task.data_card.classes == (("adam", 20), ("sgd", 10)) and task.data_card.categorical == 1
    assert task.words().startswith("Wine.\n30 samples, 2 features (1 numeric, 1 categorical).")
    assert task.words(card=False) == "Wine."


def test_names_in_the_data_do_not_reach_the_words_that_choose_priors(read):
    words = read("data_file: {path: data/wine.csv, target: label}\n").words()
    assert "adam" not in words and "2 classes: of sizes 20, 10" in words


def test_a_written_task_has_its_card_and_needs_the_file_no_more(read, tmp_path):
    task = read("data_file: {path: data/wine.csv, target: label}\n")
    (tmp_path / "data" / "wine.csv").unlink()
    path = tmp_path / "back.yaml"
    path.write_text(task.to_yaml())
    back = load_task(path)
    assert back.model_copy(update={"path": task.path}) == task
    assert back.to_yaml() == task.to_yaml() and back.words() == task.words()
    assert Task.model_validate(task.model_dump()) == task


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("data_file: data/wein.csv\n", 6, "wein.csv is not there. Did you mean 'wine.csv'?"),
        ("data_file: {path: data/wine.csv, target: lable}\n", 6, "acid, colour, label"),
        ("data_file:\n  path: data/wine.csv\n  goal: label\n", 8, "is not a key of a task file"),
        ("data_file: {target: label}\n", 6, "data_file.path: is missing"),
        ("data_file: 7\n", 6, "Write `data_file: {path: train.csv, target: label}`"),
        ("data_card: {samples: -1}\n", 6, "data_card.samples"),
        ("data_card: {sampels: 3}\n", 6, "did you mean 'samples'"),
    ],
)
def test_faults_name_line_key_and_fix(read, more, line, said):
    with pytest.raises(TaskError) as caught:
        read(more)
    faults = [caught.value, *caught.value.also]
    assert said.casefold() in str(caught.value).casefold() and line in {fault.line for fault in faults}


def test_check_shows_the_card(read, tmp_path):
    from tunesmith.cli import app

    read("data_file: {path: data/wine.csv, target: label}\n")
    done = CliRunner().invoke(app, ["check", str(tmp_path / "task.yaml")])
    assert done.exit_code == 0, done.output
    assert "data       30 samples, 2 features" in done.output and "adam (20), sgd (10)" in done.output


def train(config, trial):
    return (config["x"] - 0.3) ** 2


@pytest.mark.parametrize("given", ["arrays", "card"])
def test_tune_takes_the_arrays_or_a_card_and_keeps_the_figures_in_the_run(given, tmp_path):
    X, y = np.arange(40.0).reshape(20, 2), [0, 1] * 10
    data = (X, y) if given == "arrays" else DataCard.from_arrays(X, y)
    space = Space({"x": Float(0, 1)})
    result = tunesmith.tune(
        train, space, metric="m", direction="minimize", trials=2, data=data, runs=tmp_path, model=None
    )
    kept = load_task(result.folder / "task.yaml")
    assert kept.data_card == DataCard.from_arrays(X, y) and "20 samples" in kept.words()
