"""docs/task-file.md is true to the model."""

import re
from pathlib import Path

import pytest

from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.budget import Budget, ModelCaps
from tunesmith.space.documents import KEYS
from tunesmith.task import Certify, Confirm, ObjectiveSpec, PrunerSpec, Task, load_task
from tunesmith.task.command import RESERVED
from tunesmith.task.data_file import DataFile
from tunesmith.task.faults import DURATIONS
from tunesmith.task.metric_spec import MetricSpec
from tunesmith.task.tuner import NAMING

TEXT = (Path(__file__).parents[2] / "docs" / "task-file.md").read_text(encoding="utf-8")
_FIELDS = {field: key for key, field in DURATIONS.items()} | {"further": "metrics"}


def rows(section):
    """First cells of the tables under a heading."""
    part = re.split(r"^## ", TEXT, flags=re.M)
    body = next(text for text in part if text.splitlines()[0].strip("`") == section)
    return [cell.strip("`") for cell in re.findall(r"^\| (`[^|]+`) \|", body, flags=re.M)]


MODELS = ("model", "conversation")


@pytest.mark.parametrize(
    "section, keys",
    [
        ("Keys", [_FIELDS.get(key, key) for key in Task.model_fields if key not in ("path", "metric_spec")]),
        ("space", ["type", *KEYS]),
        ("objective", list(ObjectiveSpec.model_fields)),
        ("metric", list(MetricSpec.model_fields)),
        ("confirm", list(Confirm.model_fields)),
        ("certify", list(Certify.model_fields)),
        ("budget", [_FIELDS.get(key, key) for key in Budget.model_fields if key not in MODELS]
         + [f"{of}.{key}" for of in MODELS for key in ModelCaps.model_fields]),
        ("pruner", list(PrunerSpec.model_fields)),
        ("tuner", [*NAMING, *LlamboSettings.model_fields]),
        ("env", ["pass", "set"]),
        ("data_file", list(DataFile.model_fields)),
    ],
)  # fmt: skip
def test_every_key_is_documented_and_no_other(section, keys):
    assert sorted(rows(section)) == sorted(keys)


def test_every_parameter_key_and_placeholder_is_documented():
    for required, optional in KEYS.values():
        for key in required + optional:
            assert f"`{key}`" in TEXT or f"`{key}:" in TEXT
    for name in RESERVED:
        assert f"`{{{name}}}`" in TEXT


def test_the_documented_defaults_are_the_models():
    budget = Budget()
    assert f"| `trials` | whole number >= 1 | {budget.trials} |" in TEXT
    assert f"| `model.calls` | whole number >= 0 | {budget.model.calls} |" in TEXT
    assert f"| `model.tokens` | whole number >= 0 | {budget.model.tokens} |" in TEXT
    assert f"| `model.dollars` | number >= 0 | {budget.model.dollars:g} |" in TEXT
    assert f"| `seeds` | 1 to 1000 | {Confirm().seeds} |" in TEXT
    pruner = PrunerSpec()
    assert f"or `none` | {pruner.kind} |" in TEXT
    assert f"| `warmup_steps` | whole number >= 0 | {pruner.warmup_steps} |" in TEXT
    assert f"| `startup_trials` | whole number >= 0 | {pruner.startup_trials} |" in TEXT


def test_the_documented_defaults_of_llambo_are_the_models():
    part = TEXT.partition("## `tuner`")[2]
    for key, field in LlamboSettings.model_fields.items():
        shown = str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}"
        shown = {"completions": "candidates / templates", "ucb_kappa": "2"}.get(key, shown)
        (cells,) = [line.split(" | ") for line in part.splitlines() if line.startswith(f"| `{key}` |")]
        assert cells[2].strip() == shown, key


def test_the_documented_examples_are_legal_tasks(tmp_path):
    tasks = []
    for example in re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S):
        (tmp_path / "task.yaml").write_text(example)
        tasks.append(load_task(tmp_path / "task.yaml"))
    assert tasks[0].space.constraints == ("warmup < epochs / 2",) and tasks[0].confirm.separate
    assert [goal.text for goal in tasks[1].goals.objectives] == [
        "maximize val_accuracy",
        "minimize latency_ms",
    ]
    assert len(tasks[1].limits) == 4 and tasks[1].readings[-1][0] == "peak_mib"
    assert tasks[1].cost_of({"lr": 0.1, "width": 64, "epochs": 10}) == 0.64
