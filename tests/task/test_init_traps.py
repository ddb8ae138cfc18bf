"""Scripts that a starter task could read wrongly without anybody noticing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunesmith.errors import ObjectiveError
from tunesmith.task import Task, load_task, starter_task

PARSER = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=1e-3)\n"


def made(folder: Path, source: str, name: str = "train.py") -> tuple[Task, str]:
    """The task for a script, and its text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    starter = starter_task(path, None, folder)
    (folder / "task.yaml").write_text(starter.text)
    return load_task(folder / "task.yaml"), starter.text


@pytest.mark.parametrize(
    ("line", "name", "text", "value"),
    [
        ('print(f"Train: loss {t:.3f} acc {t:.3f} | Val: loss {v:.3f} acc {v:.3f}")', "val_loss",
         "Train: loss 0.100 acc 0.900 | Val: loss 0.700 acc 0.500", "0.700"),
        ("print('val loss %.3f, train loss %.3f' % (v, t))", "val_loss",
         "val loss 0.700, train loss 0.100", "0.700"),
        (
            "print('train_loss: %.3f - val_loss: %.3f' % (t, v)); print('best val_loss %.3f at' % v)",
            "val_loss",
            "train_loss: 0.100 - val_loss: 0.700",
            "0.700",
        ),
        ("print('train acc:', t, 'val acc:', v)", "val_acc", "train acc: 0.9 val acc: 0.5", "0.5"),
        (
            "log.info('%d train loss: %.4f | valid loss: %.4e | n %5.2f%%', e, t, v, e)",
            "valid_loss",
            "1 train loss: 0.1000 | valid loss: 3.3e-02 | n 91.50%",
            "3.3e-02",
        ),
        ("print('Loss: {:.2f}'.format(t)); print('Validation: Loss: {:.2f}'.format(v))", "val_loss",
         "Validation: Loss: 0.70", "0.70"),
        ('print(f"epoch {e} [train] acc={t} [test] acc={v}")', "test_acc",
         "epoch 1 [train] acc=0.9 [test] acc=0.5", "0.5"),
    ],
)  # fmt: skip
def test_a_value_of_training_is_not_taken_for_one_of_validation(tmp_path, line, name, text, value):
    task, _ = made(tmp_path, PARSER + "a = p.parse_args()\ne = t = v = a.lr\n" + line)
    assert (task.metric, re.findall(task.metric_spec.regex, text)) == (name, [value])
    assert not re.search(task.metric_spec.regex, "Loss: 0.1 acc=0.2 train loss 0.1")


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("{'config': vars(a), 'metrics': {'model': 'x', 'rmse': 0.3, 'r2': 0.5}}", "metrics.rmse"),
        ("{'args': [1], 'name': 'x', 'val_loss': v}", "val_loss"),
    ],
)
def test_a_metric_is_a_number_of_what_is_printed(tmp_path, printed, name):
    task, _ = made(tmp_path, PARSER + f"a = p.parse_args()\nprint(json.dumps({printed}, indent=4))\n")
    assert task.metric == name


def test_an_option_named_config_is_not_given_our_configuration(tmp_path):
    _, text = made(tmp_path, PARSER + "p.add_argument('--config', default='x.yaml')\np.parse_args()\n")
    assert 'command: "python train.py --lr {lr}"' in text


def test_a_parser_by_another_name_keeps_its_options_and_their_defaults(tmp_path):
    source = (
        "from argparse import ArgumentParser as AP\n"
        "def add(parser):\n"
        "    parser.add_argument('--lr', type=float)\n"
        "    parser.set_defaults(lr=2e-3)\n"
        "ap = AP(prefix_chars='-+')\nadd(ap)\nap.add_argument('++gamma', type=float, default=0.9)\n"
        "ap.parse_args()\n"
    )
    task, text = made(tmp_path, source)
    assert task.default is not None and dict(task.default) == {"lr": 2e-3}
    assert "in line 7" in text


def test_flags_that_exclude_each_other_are_not_drawn_one_by_one(tmp_path):
    source = PARSER + (
        "g = p.add_mutually_exclusive_group()\n"
        "g.add_argument('--adam', action='store_true')\ng.add_argument('--sgd', action='store_true')\n"
        "p.parse_args()\n"
    )
    task, text = made(tmp_path, source)
    assert tuple(task.space.names) == ("lr",)
    assert "--adam: it excludes other options: sgd" in text


def test_a_script_that_imports_from_its_own_package_is_started_as_a_module(tmp_path):
    source = "from . import x\n" + PARSER + "p.parse_args()\n"
    _, text = made(tmp_path, source, "pkg/train.py")
    assert 'command: "python -m pkg.train --lr {lr}"' in text
    with pytest.raises(ObjectiveError, match=r"init \S*pkg/train.py -o task.yaml"):
        starter_task(tmp_path / "pkg" / "train.py", None, tmp_path / "pkg")


def test_shares_of_boosted_trees_stay_shares(tmp_path):
    source = PARSER + "p.add_argument('--subsample', type=float, default=1.0)\np.parse_args()\n"
    task, _ = made(tmp_path, source)
    assert task.space.parameters["subsample"].to_dict() == {"type": "float", "low": 0.3, "high": 1.0}
