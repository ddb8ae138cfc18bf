"""Two scenarios of YAHPO Gym as tasks: networks trained by SGD (lcbench), decision trees (rbv2_rpart).

A scenario is an ONNX network that was fitted to many real trainings on OpenML data sets (Pfisterer et al.,
2022, arXiv 2109.03670; data: slds-lmu/yahpo_data, Apache-2.0). The folder has `lcbench/model.onnx`,
`rbv2_rpart/model.onnx`, an `encoding.json` beside each, and `instance_target_statistics.csv`. It is not part
of Tunesmith; `onnxruntime` reads it.

The splits: task ids in numerical order, the first of each pair for development, the second to report on.

What regret 0 stands for is in `data/yahpo_best.json`: the highest value that 10,000 uniform draws and a
local search found on the surrogate (`benchmarks/yahpo_best.py`). The observed maximum is not used: noise and
other fidelities put it out of reach by .02 (lcbench) and .07 (rbv2_rpart) of the range on average.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.bench.suites.generated import initial
from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Values
from tunesmith.errors import UsageError
from tunesmith.extras import require
from tunesmith.history import Array

SPLITS = ("development", "report", "all")
STATISTICS = "instance_target_statistics.csv"


@dataclass(frozen=True)
class Scenario:
    """How a scenario's network is asked.

    Attributes:
        instance: Name of the data set's parameter in `encoding.json`.
        categories: The categories after it in `x_cat`; ours -> YAHPO's name.
        numbers: `x_cont` in order; a number stands for itself, a name for the parameter.
        output: Column of the output.
        metric: Ours, and as `theirs` in the statistics.
    """

    instance: str
    categories: Mapping[str, str]
    numbers: tuple[str | float, ...]
    output: int
    metric: str
    theirs: str


EPOCHS, ALL_DATA, REPEATS = 52.0, 1.0, 10.0
SCENARIOS = {
    "lcbench": Scenario(
        instance="OpenML_task_id",
        categories={},
        numbers=(
            EPOCHS,
            "batch_size",
            "learning_rate",
            "momentum",
            "weight_decay",
            "num_layers",
            "max_units",
            "max_dropout",
        ),
        output=1,
        metric="val_accuracy",
        theirs="val_accuracy",
    ),
    "rbv2_rpart": Scenario(
        instance="task_id",
        categories={"imputation": "num.impute.selected.cpo"},
        numbers=("cp", "maxdepth", "minbucket", "minsplit", ALL_DATA, REPEATS),
        output=0,
        metric="accuracy",
        theirs="acc",
    ),
}


@cache
def tasks(folder: Path, split: str) -> tuple[BenchTask, ...]:
    """The tasks of a split, lcbench first.

    Raises:
        UsageError: The folder has not the scenarios' files, or there is no such split.
    """
    if split not in SPLITS:
        raise UsageError(f"there is no split {split!r}; there are {', '.join(SPLITS)}.")
    worst = lowest_observed(folder)
    best = json.loads(files("tunesmith.bench").joinpath("data/yahpo_best.json").read_text("utf-8"))
    made: list[BenchTask] = []
    for name, scenario in SCENARIOS.items():
        known = encoding(folder, name)[scenario.instance]
        ids = sorted((i for i in known if (name, i) in worst and f"{name}/{i}" in best), key=int)
        chosen = {"development": ids[::2], "report": ids[1::2], "all": ids}[split]
        entry = read_spaces("yahpo.yaml")[name]
        made += [
            BenchTask(
                name=f"{name}/{i}",
                space=entry.space,
                direction="maximize",
                metric=scenario.metric,
                default=entry.default,
                words=entry.more["words"],
                evaluate=partial(evaluate, folder, name, i),
                initial=partial(initial, entry.space, f"{name}/{i}"),
                bounds=(best[f"{name}/{i}"], worst[name, i]),
                family=name,
            )
            for i in chosen
        ]
    if not made:
        raise UsageError(f"{folder}: no task of {', '.join(SCENARIOS)} is known there.")
    return tuple(made)


def evaluate(folder: Path, name: str, instance: str, configuration: Values) -> float:
    """The metric that the surrogate predicts, in its own units."""
    return float(predict(folder, name, instance, {key: [value] for key, value in configuration.items()})[0])


def predict(folder: Path, name: str, instance: str, columns: Mapping[str, Sequence[Any]]) -> Array:
    """The metric of n configurations, (n,); `columns` has their n values of each parameter."""
    scenario, codes = SCENARIOS[name], encoding(folder, name)
    n = len(next(iter(columns.values())))
    categories = [np.full(n, codes[scenario.instance][instance])]
    for ours, theirs in scenario.categories.items():
        categories.append(np.array([codes[theirs][str(choice)] for choice in columns[ours]]))
    numbers = [np.full(n, part) if isinstance(part, float) else columns[part] for part in scenario.numbers]
    inputs = {
        "x_cat": np.stack(categories, axis=1).astype(np.int32),
        "x_cont": np.stack([np.asarray(column, dtype=np.float32) for column in numbers], axis=1),
    }
    output = network(folder, name).run(None, inputs)[0]
    return np.asarray(output[:, scenario.output], dtype=np.float64)


@cache
def network(folder: Path, name: str) -> Any:
    """The scenario's network, on one thread.

    Raises:
        MissingExtra: `onnxruntime` is not installed.
        UsageError: There is no such file, or it is no ONNX network.
    """
    require("onnxruntime", "the suite tables on YAHPO's surrogates")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = folder / name / "model.onnx"
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UsageError(f"{path} cannot be read as an ONNX network.") from error


@cache
def encoding(folder: Path, name: str) -> dict[str, dict[str, int]]:
    """Codes of the categories, by YAHPO's parameter name.

    Raises:
        UsageError: The file is missing or no such document.
    """
    path = folder / name / "encoding.json"
    try:
        document: dict[str, dict[str, int]] = json.loads(path.read_text("utf-8"))
        return {key: {choice: int(code) for choice, code in codes.items()} for key, codes in document.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{path} is missing or no encoding of a YAHPO scenario.") from error


@cache
def lowest_observed(folder: Path) -> dict[tuple[str, str], float]:
    """By scenario and instance, the lowest value of its metric in the statistics."""
    path = folder / STATISTICS
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                (row["scenario"], row["instance"]): float(row["value"])
                for row in csv.DictReader(file)
                if row["statistic"] == "min"
                and row["scenario"] in SCENARIOS
                and row["metric"] == SCENARIOS[row["scenario"]].theirs
            }
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path} is missing or no table of statistics.") from error


def prepare() -> None:
    """Import what evaluations need."""
    require("onnxruntime", "the suite tables on YAHPO's surrogates")
    import onnxruntime  # noqa: F401
