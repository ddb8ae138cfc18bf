"""Sample banks: recorded under a cap, carried as JSON lines, replayed exactly by trials and by tables."""

from __future__ import annotations

import gzip
import itertools
import json
import sqlite3
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.api import run_task
from tunesmith.errors import ObjectiveError, PipelineError
from tunesmith.pipeline.kind import Pipeline
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.task import load_task
from tunesmith.tools.pipelines.bank import export_lines, open_bank, open_samples
from tunesmith.tools.pipelines.bank_table import replay_table
from tunesmith.tools.pipelines.items import load_items, split_items
from tunesmith.tools.pipelines.record import CapReached, record
from tunesmith.tools.pipelines.running import Runner
from tunesmith.tools.pipelines.stage_code import load_judge, load_stages
from tunesmith.tools.pipelines.table import all_choices
from tunesmith.trial import Trial

STAGES = """
import random
from tunesmith.pipeline import Sample

CALLS = []

def look(item, previous, *, model, seed):
    CALLS.append("look")
    r = random.Random(seed)
    right = r.random() < {"small": 0.4, "large": 0.9}[model]
    return Sample(previous if right else r.choice("xy"), completion_tokens=r.randint(1, 9), weight=r.random())

def answer(item, previous, *, model, temperature, seed, candidates=None):
    CALLS.append("answer")
    r = random.Random(seed)
    if candidates is not None:
        return Sample(r.choice(candidates), prompt_tokens=100)
    right = r.random() < {"small": 0.5, "large": 0.8}[model] - temperature / 4
    return Sample([previous, item["n"] if right else r.randint(-3, -1)], completion_tokens=r.randint(1, 9))

def repair(item, previous, *, round, seed, outputs):
    CALLS.append("repair")
    return [outputs["look"], item["n"] if random.Random(seed).random() < 0.5 else -9 - round]

def check(item, output):
    return 0.7 if output[1] > 0 else output[1] / 10

def wrong(item, output):
    if item["n"] == 3 and output[1] == -2:
        raise ValueError("a gate fails here")
    return output[1] <= 0

def found(item, output): return output == item["input"]
def score(item, output): return 0.75 * (output[1] == item["n"]) + 0.25 * (output[0] == item["input"])
def items(): return [{"id": f"q{i}", "input": f"text {i}", "n": i + 1} for i in range(9)]
"""
SETTINGS: dict[str, Any] = {
    "items": "stages.py:items",
    "score": "stages.py:score",
    "cost_model": "flops",
    "stages": {
        "look": {
            "call": "stages.py:look",
            "models": {"small": {"parameters": 1e6}, "large": {"parameters": 3e6}},
            "samples": [1, 3],
            "aggregator": ["majority", "weighted"],
            "tokens": {"prompt": 10, "completion": 5},
            "score": "stages.py:found",
        },
        "answer": {
            "call": "stages.py:answer",
            "models": {"small": {"parameters": 1e6}, "large": {"parameters": 3e6}},
            "samples": [1, 4],
            "temperature": [0, 0.7],
            "aggregator": ["majority", "fusion", "best_of_n", "check_then_vote"],
            "agree": [None, 2],
            "verify": "stages.py:check",
            "tokens": {"prompt": 20, "completion": 5},
        },
        "repair": {
            "call": "stages.py:repair",
            "models": {"small": {"parameters": 1e6}},
            "when": "stages.py:wrong",
            "rounds": [0, 1, 2],
            "tokens": {"prompt": 20, "completion": 5},
        },
    },
    "split": {"search": 6, "confirm": 3},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task's folder with a bank of all that its configurations need."""
    path = tmp_path_factory.mktemp("bank")
    (path / "stages.py").write_text(textwrap.dedent(STAGES))
    done = record(settings(), path, path / "bank.sqlite")
    assert done.items == done.of == 6 and done.calls > 150
    return path


def settings(**changes: object) -> PipelineSettings:
    return PipelineSettings.model_validate({**SETTINGS, **changes})


@pytest.mark.long
def test_every_configuration_of_a_bank_scores_and_costs_the_same_run_and_compiled(folder: Path):
    replay = settings(bank="bank.sqlite", replay=True)
    table = replay_table(replay, folder)
    everything = table.exhaustive()
    given = Pipeline().given(replay)
    stages = load_stages(given, folder)
    samples = open_samples(given["pipeline"], stages, folder, None)
    items = split_items(load_items("stages.py:items", folder), search=6, confirm=3).search
    choices = all_choices(replay)
    assert everything.scores.shape == tuple(map(len, choices)) and everything.scores.size > 500
    tried = 0
    for place in itertools.product(*(range(len(of_stage)) for of_stage in choices)):
        if sum(place) % 9:  # some of them
            continue
        tried += 1
        configuration = [of_stage[i] for of_stage, i in zip(choices, place, strict=True)]
        runner = Runner(stages, load_judge(replay.score, folder), samples)
        live = list(runner.run(configuration, items))
        replayed = table.evaluate(configuration)
        assert [r.score for r in live] == replayed.scores.tolist()
        assert [r.cost for r in live] == pytest.approx(replayed.costs.tolist(), rel=1e-12)
        for name in ("look", "answer", "repair"):
            assert [r.stages[name].calls for r in live] == replayed.stage_calls[name].tolist()
        assert everything.scores[place] == replayed.score
        assert everything.costs[place] == pytest.approx(replayed.cost, rel=1e-12)
    assert tried > 150 and len(np.unique(everything.scores)) > 10


def test_a_bank_is_the_same_as_json_lines_and_back(folder: Path, tmp_path: Path):
    bank = open_bank(folder / "bank.sqlite")
    samples = list(bank.everything())
    first, second = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"
    assert export_lines(bank, first) == len(samples)
    again = open_bank(first, tmp_path)
    assert list(again.everything()) == samples
    export_lines(again, second)
    assert first.read_bytes() == second.read_bytes()
    bank.close()
    again.close()


@pytest.mark.long
def test_a_replay_runs_no_code_of_a_stage_and_refuses_what_was_not_recorded(folder: Path, tmp_path: Path):
    for name in ("stages.py", "bank.sqlite"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "stages.py").write_text(STAGES.replace("CALLS.append", "raise_if_called"))
    problem = {**SETTINGS, "name": "pipeline", "bank": "bank.sqlite", "replay": True}
    task = {"name": "replay", "problem": problem, "tuner": "random", "budget": {"trials": 2}, "preload": []}
    task |= {"pruner": "none", "confirm": None}

    def replayed(**changes: Any) -> Sequence[Trial]:
        stages = {**SETTINGS["stages"], "answer": {**SETTINGS["stages"]["answer"], **changes}}
        (tmp_path / "task.yaml").write_text(json.dumps({**task, "problem": {**problem, "stages": stages}}))
        return run_task(load_task(tmp_path / "task.yaml"), runs=tmp_path / "runs", model=None).history.trials

    with pytest.raises(
        ObjectiveError, match="bank.sqlite lacks answer.model = small with answer.temperature = 0.5"
    ):
        replayed(temperature=[0, 0.5])
    with pytest.raises(
        ObjectiveError, match="bank.sqlite lacks answer.samples above 4 for answer.model = small"
    ):
        replayed(samples=[1, 9], agree=None)
    connection = sqlite3.connect(tmp_path / "bank.sqlite")  # a hole that only a trial can find
    connection.execute(
        "DELETE FROM samples WHERE stage = 'answer' AND temperature > 0 AND item IN ('q1', 'q2', 'q3')"
    )
    connection.commit()
    connection.close()
    trials = replayed()
    known = [t for t in trials if t.configuration["answer.temperature"] == 0]
    holed = [t for t in trials if t.configuration["answer.temperature"] != 0]
    assert known and holed
    table = replay_table(settings(bank="bank.sqlite"), folder)
    for trial in known:
        exact = table.evaluate(settings().allocation(trial.configuration))
        assert (trial.values["quality"], trial.values["cost"]) == pytest.approx((exact.score, exact.cost))
        assert "look, answer, repair has changed since bank.sqlite was recorded" in " ".join(trial.notes)
    for trial in holed:
        assert "bank.sqlite has no answer: model" in trial.message and "temperature 0.7" in trial.message


@pytest.mark.long
def test_a_recording_stops_before_its_cap_and_goes_on(folder: Path, tmp_path: Path):
    (tmp_path / "stages.py").write_text(STAGES)
    bank = tmp_path / "bank.sqlite"
    with pytest.raises(CapReached, match="100 calls are made, and the cap is 100"):
        record(settings(), tmp_path, bank, most_calls=100)
    with pytest.raises(CapReached, match="100 calls are made"):
        record(settings(), tmp_path, bank, most_calls=100)
    with pytest.raises(CapReached, match="is spent, the next may cost .*, and the cap is 1e"):
        record(settings(), tmp_path, bank, most_cost=1e10)
    half = open_bank(bank)
    dearest_call = 2 * 3e6 * (100 + 9)
    assert sum(one.cost for one in half.spent()) <= 1e10 + dearest_call
    half.close()
    record(settings(), tmp_path, bank)
    whole, other = open_bank(bank), open_bank(folder / "bank.sqlite")
    no_clock = [
        [(key, s.text, s.weight, s.completion_tokens) for key, s in one.everything()]
        for one in (whole, other)
    ]
    assert no_clock[0] == no_clock[1]
    whole.close()
    other.close()
    (tmp_path / "stages.py").write_text(STAGES + "\n# another")
    with pytest.raises(PipelineError, match="was recorded with other code"):
        record(settings(), tmp_path, bank)


HEAD = '{"tunesmith_bank": 1}'
LINE = {"stage": "answer", "model": "m", "item": "q", "input": "0", "outputs": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: this is no sample bank"),
        ("{}", "1: this is no sample bank"),
        (HEAD + "\n{", ":2: the line is not JSON"),
        (HEAD + "\n" + "[" * 100_000, ":2: the line is not JSON: it nests too deeply"),
        (HEAD + "\n[1]", ":2: the line is not a JSON object"),
        (HEAD + "\n" + json.dumps({**LINE, "outputs": []}), ":2: outputs must be a list"),
        (HEAD + "\n" + json.dumps({**LINE, "picks": [1]}), ":2: picks must be places in `outputs`"),
        (HEAD + "\n" + json.dumps({**LINE, "seconds": "NaN"}), ":2: seconds is 'NaN'; it must be a number"),
        (HEAD + "\n" + json.dumps({**LINE, "weight": [1, 2]}), ":2: weight has 2 values for 1 samples"),
        (HEAD + "\n" + json.dumps({**LINE, "model": 3}), ":2: model is 3; it must be a text"),
        (HEAD + '\n{"stage": "a", "model": "m", "item": "q", "input": "0", "outputs": [NaN]}', "not JSON"),
        (HEAD + '\n{"stage": "a", "model": "m", "item": "q", "outputs": [1]}', "the item 'q' is not known"),
    ],
)  # fmt: skip
def test_what_is_no_bank_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "bank.jsonl"
    path.write_text(text)
    with pytest.raises(PipelineError, match=message):
        open_bank(path)
    assert [p.name for p in tmp_path.iterdir()] == ["bank.jsonl"]
    packed = tmp_path / "cut.jsonl.gz"
    packed.write_bytes(gzip.compress((HEAD + "\n" + json.dumps(LINE)).encode() * 50)[:-10])
    with pytest.raises(PipelineError):
        open_bank(packed)
