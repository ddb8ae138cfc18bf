"""Starter task files."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import ObjectiveError
from tunesmith.task import load_task, starter_task

FUNCTION = """
import nowhere_to_be_found
raise SystemExit("never run me")

def helper(a, b):
    return a

def train(config, trial):
    lr = config["lr"]
    width = config.get("hidden_size", 100)
    flip = config.get("flip", True)
    what = config["zeta"]
    return {"train_loss": 1.0, "val_loss": 0.5}
"""
ARGPARSE = """
import argparse, json
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=1e-3)
p.add_argument("-b", "--batch-size", type=int, default=64)
p.add_argument("--optimizer", choices=["adam", "sgd"], default="sgd")
p.add_argument("--gamma", type=float, default=-2)
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--data", required=True)
p.add_argument("--amp", action="store_true")
p.add_argument("--bug", type=bool, default=False)
args = p.parse_args()
print(json.dumps({"epoch": 3, "test_acc": 1, "val_acc": 2}))
"""


@pytest.fixture
def start(tmp_path):
    def start(source, function=None):
        script = tmp_path / "my train.py"
        script.write_text(source)
        text = starter_task(script, function).text
        (tmp_path / "task.yaml").write_text(text)
        return text, load_task(tmp_path / "task.yaml")

    return start


def test_a_function_gives_its_keys_its_metric_and_its_defaults(start):
    text, task = start(FUNCTION)
    assert task.objective.function == "my train.py:train"
    assert (task.metric, task.direction) == ("val_loss", "minimize")
    assert task.space.names == ("lr", "hidden_size", "flip")
    assert dict(task.default) == {"lr": 0.001, "hidden_size": 100, "flip": True}
    assert "#   zeta: the script states no value" in text


def test_a_default_that_the_script_does_not_state_is_marked_as_a_guess(start):
    text, _ = start(
        'def train(config, trial):\n    return {"loss": config["lr"] * config.get("momentum", 0.8)}\n'
    )
    assert "  lr: 0.001  # CHANGE ME: a usual value; the script states none\n" in text
    assert "  momentum: 0.8\n" in text


def test_an_argparse_script_gives_a_command_line(start):
    text, task = start(ARGPARSE)
    assert task.objective.command == (
        "python", "my train.py", "--lr", "{lr}", "--batch-size", "{batch_size}", "--optimizer", "{optimizer}",
        "--gamma={gamma}", "--seed", "{seed}", "{--amp}", "--bug={bug:true|}",
    )  # fmt: skip
    assert dict(task.default) == {
        **{"lr": 0.001, "batch_size": 64, "optimizer": "sgd", "gamma": -2.0, "amp": False, "bug": False}
    }
    assert (task.metric, task.direction) == ("val_acc", "maximize")
    assert "also requires --data" in text


def test_what_a_model_needs_is_offered_as_a_limit_and_as_a_further_metric(start, tmp_path):
    more = '"val_acc": 2, "latency_ms": 3, "test_loss": 1, "memory_mib": 2, "batch_size": 4}'
    text, task = start(ARGPARSE.replace('"val_acc": 2}', more))
    assert (task.metric, task.goals.plain) == ("val_acc", True)
    lines = [line for line in text.splitlines() if not line.startswith(("metric:", "direction:"))]
    offered = "\n".join(lines).replace("# limits:", "limits:").replace("# metrics:", "metrics:")
    (tmp_path / "offered.yaml").write_text(offered)
    goals = load_task(tmp_path / "offered.yaml").goals
    assert [goal.text for goal in goals.objectives] == [
        "maximize val_acc",
        "minimize latency_ms",
        "minimize memory_mib",
    ]
    assert [limit.text for limit in goals.limits] == ["latency_ms <= 20"]
    assert "metrics:" not in start(ARGPARSE)[0]


@pytest.mark.parametrize("source", ["def (", "x = '\x00'", "(" * 500], ids=["syntax", "null", "deep"])
def test_what_is_not_python_is_told_with_its_place(start, source):
    with pytest.raises(ObjectiveError, match="my train.py"):
        start(source)


NAMES = st.sampled_from(
    ["lr", "wd", "momentum", "beta2", "batch-size", "hidden", "layers", "clip", "zeta", "null", "constraints",
     "config", "seed", "dropout", "n_estimators", "epochs", "True"]
)  # fmt: skip
VALUES = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=5))


@settings(max_examples=20)
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.lists(VALUES, max_size=3), st.booleans())
def test_whatever_the_script_holds_the_starter_is_a_legal_task_or_none_is_written(
    tmp_path_factory, defaults, choices, as_function
):
    folder = tmp_path_factory.getbasetemp()
    script = folder / f"script_{os.getpid()}.py"
    if as_function:
        reads = "".join(f"    config.get({name!r}, {value!r})\n" for name, value in defaults.items())
        source = f"def train(config, trial):\n    pass\n{reads}    return {{'null': 1}}\n"
    else:
        source = "".join(
            f"p.add_argument('--{n}', default={v!r}, choices={choices!r})\n" for n, v in defaults.items()
        )
    script.write_text(source, encoding="utf-8")
    target = folder / f"starter_{os.getpid()}.yaml"
    try:
        starter = starter_task(script, None)
    except ObjectiveError as error:
        assert "no task was written" in str(error)
        return
    target.write_text(starter.text, encoding="utf-8")
    task = load_task(target)
    assert task.space.names == starter.tuned and task.objective_ref()
