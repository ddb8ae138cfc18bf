"""Starter tasks for every kind of script: init, check, and a training with the default."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.api.checking import check_code
from tunesmith.argv import arguments
from tunesmith.errors import ObjectiveError
from tunesmith.task import Task, load_task, starter_task

KINDS = {
    "argparse": """
import argparse, json
def main():
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--batch-size", type=int, default=32, choices=[16, 32, 64])
    p.add_argument("--amp", action="store_true")
    p.add_argument("--no-bias", dest="bias", action="store_false")
    p.add_argument("--nesterov", type=bool, default=False)
    p.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True)
    p.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    p.add_argument("--clip", type=float, default=None)
    p.add_argument("--data", default="data.csv")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    seen = {k: v for k, v in vars(a).items() if isinstance(v, bool)}
    if a.lr == 0.01:
        assert seen == {"amp": False, "bias": True, "nesterov": False, "augment": True}, seen
    print(json.dumps({"val_accuracy": 0.9 - a.lr}))
if __name__ == "__main__":
    main()
""",
    "subparsers": """
import argparse, json
SIZES = {"small": 1, "large": 2}
def unused(p):
    p.add_argument("--gamma", type=float, default=0.9)
def regularisation(group):
    group.add_argument("--wd", type=float, default=10 ** -4)
def main():
    p = argparse.ArgumentParser()
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--dropout", type=float, default=.1)
    base = argparse.ArgumentParser(add_help=False)
    base.add_argument("--size", choices=sorted(SIZES), default="small")
    sub = p.add_subparsers(dest="what")
    t = sub.add_parser("train", parents=[base])
    t.add_argument("--lr", type=float, default=1e-3)
    t.add_argument("--amp", action="store_true")
    regularisation(t)
    e = sub.add_parser("eval")
    e.add_argument("--beam-size", type=int, default=4)
    a = p.parse_args()
    print(json.dumps({"val_loss": a.lr + a.dropout + a.wd}))
main()
""",
    "click": """
import click, json
@click.command()
@click.option("--lr", default=1e-3, type=float)
@click.option("--batch-size", type=click.IntRange(1, 64), default=32)
@click.option("--amp/--no-amp", default=False)
@click.option("-o", "--opt", "optimizer", type=click.Choice(["adam","sgd"]), default="adam")
@click.option("--data", default="d.csv")
def main(lr, batch_size, amp, optimizer, data):
    print(json.dumps({"val_acc": lr + amp}))
main()
""",
    "typer": """
import json, typer
from typing import Annotated, Literal, Optional
from enum import Enum
class Opt(str, Enum):
    adam = "adam"
    sgd = "sgd"
app = typer.Typer()
@app.command()
def main(lr: float = 1e-3, nesterov: bool = False, opt: Opt = Opt.adam,
         width: Annotated[int, typer.Option(min=8, max=128)] = 64, clip: Optional[float] = None):
    print(json.dumps({"accuracy": lr}))
app()
""",
    "dataclass_tyro": """
import json
from dataclasses import dataclass, field
@dataclass
class Optim:
    lr: float = 1e-3
    nesterov: bool = False
@dataclass
class Config:
    optim: Optim = field(default_factory=Optim)
    batch_size: int = 2**5
import tyro
cfg = tyro.cli(Config)
print(json.dumps({"val_loss": cfg.optim.lr}))
""",
    "hf": """
from dataclasses import dataclass, field
from transformers import HfArgumentParser, TrainingArguments
@dataclass
class ModelArguments:
    dropout: float = field(default=0.1, metadata={"help": "x"})
    freeze_embeddings: bool = False
parser = HfArgumentParser((ModelArguments, TrainingArguments))
model_args, args = parser.parse_args_into_dataclasses()
print({"eval_loss": 0.1})
""",
    "function": """def train(config, trial):
    return {'val_loss': config['lr'] + config.get('dropout', 0.1)}
""",
    "words": """
HIDDEN = 64
def main():
    for epoch in range(3):
        print(f"Epoch {epoch}: train loss 0.5, val acc = {HIDDEN / 100 + epoch:.2f}")
main()
""",
    "class_config": """
import json
class CFG:
    debug = False
    lr = 1e-3
    model_name = "resnet"
    dropout: float = 0.2
    seed = 42
print(json.dumps({"cv_score": CFG.lr + CFG.dropout}))
""",
    "inline_config": """
import json
class wandb:
    config = {}
    def init(project, config):
        wandb.config = config
wandb.init(project="x", config={"learning_rate": 0.02, "architecture": "CNN", "epochs": 10})
print(json.dumps({"acc": wandb.config["learning_rate"]}))
""",
    "namespace": """
import json
from types import SimpleNamespace
args = SimpleNamespace(lr=0.1, use_bias=True, log_every=10)
print(json.dumps({"loss": args.lr * args.use_bias}))
""",
    "lower_case": """
learning_rate = 6e-4
batch_size = 12
n = 3
best = 0
loss = abs(learning_rate - 1e-3)
""",
    "tuple": """
def train(lr: float = 0.1, epochs: int = 3, *, hidden: int = 32, device="cpu"):
    val_loss, acc = 1.0, 2.0
    return acc, val_loss
""",
    "one_argument": """def train(config):
    return config['lr'] * 2
""",
    "keywords": """
def train(lr=1e-3, batch_size=32, optimizer="adam", epochs=3):
    val_acc = 0.5 + lr
    return val_acc
if __name__ == "__main__":
    train()
""",
    "keywords_print": """
import json
def main(lr: float = 1e-3, hidden=64):
    print(json.dumps({"val_loss": lr}))
if __name__ == "__main__":
    main()
""",
    "dictionary": """
import json
params = {"lr": 0.1, "model": {"depth": 4, "act": "relu"}, "seed": 1, "epochs": 3}
def main():
    print(json.dumps({"rmse": params["lr"] / params["model"]["depth"]}))
if __name__ == "__main__":
    main()
""",
    "dict_call": """
config = dict(learning_rate=0.1, dropout=0.2, data_dir="x")
score = abs(config["learning_rate"] - 0.3)
print("score", score)
""",
    "capitals": """
LR = 1e-3
BATCH_SIZE = 32
EPOCHS = 10
SEED = 3
DATA_DIR = "data"
val_acc = float(LR * BATCH_SIZE)
print(f"final val_acc: {val_acc:.3f}")
""",
    "absl": """
from absl import app, flags
import json
flags.DEFINE_float("lr", 0.1, "x", lower_bound=0.0)
flags.DEFINE_bool("amp", False, "")
flags.DEFINE_enum("opt","adam",["adam","sgd"],"")
def main(_):
    print(json.dumps({"loss": flags.FLAGS.lr}))
app.run(main)
""",
    "fire": """
import fire, json
def train(lr=0.1, nesterov=False, hidden=(64,32), depth: int = 3):
    print(json.dumps({"loss": lr}))
if __name__ == "__main__":
    fire.Fire(train)
""",
    "hydra": """
import hydra, json
@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(cfg):
    print(json.dumps({"val_loss": cfg.optimizer.lr}))
main()
""",
}
CONF = {
    "conf/config.yaml": "defaults: [{optimizer: adam}, _self_]\nmodel: {dropout: 0.1, act: relu}\nseed: 0\n",
    "conf/optimizer/adam.yaml": "lr: 1e-3\nnesterov: false\n",
}
TUNED = {
    "argparse": "lr batch_size amp bias nesterov augment optimizer",
    "subparsers": "dropout size lr amp wd",
    "click": "lr batch_size amp optimizer",
    "typer": "lr nesterov opt width",
    "dataclass_tyro": "optim.lr optim.nesterov batch_size",
    "hf": "dropout freeze_embeddings learning_rate per_device_train_batch_size weight_decay warmup_ratio"
    " adam_beta1 adam_beta2 max_grad_norm label_smoothing_factor",
    "function": "lr dropout",
    "one_argument": "lr",
    "tuple": "lr hidden",
    "class_config": "lr dropout",
    "inline_config": "learning_rate",
    "namespace": "lr use_bias",
    "lower_case": "learning_rate batch_size",
    "words": "HIDDEN",
    "keywords": "lr batch_size",
    "keywords_print": "lr hidden",
    "dictionary": "lr model.depth",
    "dict_call": "learning_rate dropout",
    "capitals": "LR BATCH_SIZE",
    "absl": "lr amp opt",
    "fire": "lr nesterov depth",
    "hydra": "optimizer.lr optimizer.nesterov model.dropout",
}
WITHOUT_THEIR_LIBRARY = {"absl", "fire", "hydra", "hf", "dataclass_tyro"}
"""What cannot be started here."""


def started(folder: Path, kind: str) -> tuple[Task, str]:
    (folder / "train.py").write_text(KINDS[kind])
    for name, text in CONF.items() if kind == "hydra" else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    starter = starter_task(folder / "train.py", None)
    for name, text in {"task.yaml": starter.text, **starter.files}.items():
        (folder / name).write_text(text)
    return load_task(folder / "task.yaml"), starter.text


SHELL = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_script_gives_a_task_that_check_accepts(tmp_path, kind):
    task, text = started(tmp_path, kind)
    check_code(task)
    assert task.space.names == tuple(TUNED[kind].split())
    assert task.default is not None
    assert not any(passing.warnings for passing in task.passings().values())
    if task.metric == "val_accuracy" and kind != "argparse":
        assert "CHANGE ME: the name of the value" in text


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WITHOUT_THEIR_LIBRARY])
def test_the_task_trains_the_script_as_it_is_with_its_default(tmp_path, kind):
    task, _ = started(tmp_path, kind)
    command = task.objective_ref().command
    if command is None:
        file, name = task.objective.function.split(":")
        code = "import json, {}; print(json.dumps({}.{}(json.loads(__import__('sys').argv[1]), None)))"
        command = ("python", "-c", code.format(file[:-3], file[:-3], name), "{config}")
    values = {**task.default, "config": json.dumps(dict(task.default)), "seed": 5}
    argv = arguments(command, values)[0]
    done = subprocess.run(
        [sys.executable, *argv[1:]], cwd=tmp_path, env=SHELL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    if kind == "words":
        assert (task.metric, task.metric_spec.regex) == (
            "val_acc",
            r"\bval\sacc[\s:=]*(?P<value>[-+0-9.eE]+|nan|inf)",
        )
        assert re.findall(task.metric_spec.regex, done.stdout) == ["0.64", "1.64", "2.64"]
    else:
        last = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(last, float) or task.metric in last


def test_a_launcher_replaces_values_and_leaves_the_script_alone(tmp_path):
    started(tmp_path, "dictionary")
    values = json.dumps({"lr": 0.5, "model.depth": 2})
    command = [sys.executable, "tune_train.py", values]
    done = subprocess.run(command, cwd=tmp_path, env=SHELL, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"rmse": 0.25}
    (tmp_path / "train.py").write_text("params = {'lr': 1}\n")
    done = subprocess.run(command, cwd=tmp_path, env=SHELL, capture_output=True, text=True)
    assert "train.py no longer assigns model.depth" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["argparse", "keywords", "dictionary"])
def test_init_check_and_a_run_of_two_trials(tmp_path, kind):
    (tmp_path / "train.py").write_text(KINDS[kind])
    for words in (
        ["init", "train.py"],
        ["check", "task.yaml"],
        ["run", "task.yaml", "--no-model", "--trials", "2"],
    ):
        command = [sys.executable, "-P", "-m", "tunesmith", *words]
        done = subprocess.run(command, cwd=tmp_path, env=SHELL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    results = (tmp_path / "runs").glob("*/trials/*/result.json")
    assert [json.loads(path.read_text())["state"] for path in results] == ["completed"] * 2


@pytest.mark.parametrize(
    ("line", "name", "text", "value"),
    [
        ("print('Loss: {:.2f}'.format(x)); print(f'Test set: Average loss: {x:.4f}, n')", "test_average_loss",
         "Test set: Average loss: 0.2500, n", "0.2500"),
        ('print(f"Accuracy of the network on images: {x} %")', "accuracy",
         "Accuracy of the network on images: 91 %", "91"),
        ("print('epoch %d train_acc %.3f val_acc=%.3f' % (1, x, x))", "val_acc",
         "epoch 3 train_acc 0.9 val_acc=0.8", "0.8"),
        ("print('F1', x)", "f1", "F1 0.5", "0.5"),
        ("logging.info(f'{x} | nll: {x:.1e}')", "nll", "1 | nll: -1.2e-05", "-1.2e-05"),
    ],
)  # fmt: skip
def test_a_metric_printed_in_words_gets_a_pattern(tmp_path, line, name, text, value):
    (tmp_path / "train.py").write_text(f"import logging\nLR = x = 0.1\nWIDTH = 3\n{line}\n")
    (tmp_path / "task.yaml").write_text(starter_task(tmp_path / "train.py", None).text)
    task = load_task(tmp_path / "task.yaml")
    assert (task.metric, re.findall(task.metric_spec.regex, text)) == (name, [value])


def notebook(*cells: str) -> str:
    made = [{"cell_type": "markdown", "source": ["# title"]}]
    made += [{"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": []} for cell in cells]
    return json.dumps({"cells": made, "nbformat": 4})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("n.ipynb", notebook("%pip install x\nLR = 0.1\nHIDDEN = 64", "%%bash\nls -l", "!ls"), "LR, HIDDEN"),
        ("n.ipynb", notebook("x = 1"), "jupyter nbconvert --to script n.ipynb"),
        ("n.ipynb", '{"cells": 3}', "not a notebook"),
        ("t.py", "c = load('conf.yaml')\n", "seems to read conf.yaml"),
        (
            "t.py",
            "print('loss', " + "+".join(["x"] * 900) + ")\nX = [" + "(1 + " * 80 + "1" + ")" * 80 + "]\n",
            "no task was written",
        ),
        (
            "t.py",
            "def objective(trial):\n    return trial.suggest_float('lr', 1e-5, 1)\n",
            r"`config\['lr'\]`",
        ),
        ("t.py", "x = 1\n", "no hyperparameters were found, so no task was written"),
        ("t.py", "DATA = 'x'\nEPOCHS = 3\n", "EPOCHS: no hyperparameter by its name"),
        ("t.py", "def train(model, loader):\n    return model(loader)\n", "no hyperparameters were found"),
        ("t.py", "def train(config, trial):\n    return config.anything\n", "no hyperparameters were found"),
    ],
)
def test_where_no_task_could_run_none_is_written_and_the_way_is_said(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ObjectiveError, match=words.replace("(", ".")):
        starter_task(tmp_path / name, None)


def test_init_lists_on_the_terminal_what_it_left_and_writes_elsewhere(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(KINDS["capitals"] + 'SECRET = "\\x1b[31m"\n')
    command = [sys.executable, "-P", "-m", "tunesmith", "init", "code/train.py", "-o", "task.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=SHELL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Tuned: LR, BATCH_SIZE" in done.stdout and "Metric: maximize val_acc" in done.stdout
    assert "EPOCHS: no hyperparameter by its name" in done.stdout and "\x1b" not in done.stdout
    task = load_task(tmp_path / "task.yaml")
    check_code(task)
    assert task.objective.command == ("python", "code/tune_train.py", "{config}")
