"""The example of a pipeline: sampled live by trained models, and replayed from its bank."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tunesmith import load_task
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.asked import asked_of_bank
from tunesmith.pipeline.kind import Pipeline
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.bank import open_bank
from tunesmith.tools.pipelines.bank_table import replay_table
from tunesmith.tools.pipelines.calling import load_callable
from tunesmith.tools.pipelines.coverage import check_coverage
from tunesmith.tools.pipelines.items import load_items, split_items
from tunesmith.tools.pipelines.record import record
from tunesmith.tools.pipelines.running import Runner
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import load_judge, load_stages
from tunesmith.tools.pipelines.table import all_choices

FILES = ("adders", "items", "link_models", "sampling", "stages")


@pytest.fixture
def example(examples: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the folder, as a user makes one; modules loaded from it are forgotten afterwards."""
    folder = tmp_path / "pipeline_budget"
    shutil.copytree(
        examples / "pipeline_budget", folder, ignore=shutil.ignore_patterns("models.pt", ".*", "runs")
    )
    path = list(sys.path)
    yield folder
    sys.path[:] = path
    for name in FILES:
        sys.modules.pop(name, None)


def settings_of(task: Path, **changes: object) -> PipelineSettings:
    problem = load_task(task).problem
    assert problem is not None
    assert isinstance(problem.settings, PipelineSettings)
    return PipelineSettings.model_validate({**problem.settings.model_dump(exclude_unset=True), **changes})


def test_the_best_of_all_allocations_in_the_committed_bank_is_known(example: Path) -> None:
    settings = settings_of(example / "replay.yaml")
    table = replay_table(settings, example)
    assert len(table.items) == 60
    best = (
        StageChoice("link", "memory-2000", 6),
        StageChoice("add", "gru-8", 2),
        StageChoice("repair", "gru-14", 1, aggregator="check_then_vote", rounds=1),
    )
    assert table.evaluate(best).score == pytest.approx(0.9)
    rng = np.random.default_rng(0)
    budget = settings.item_budget
    assert budget is not None
    for _ in range(40):  # none of them is missing, and none that is within the budget is better
        configuration = settings.space.sample(rng)[0]
        if settings.costs.item(configuration) <= budget:
            assert table.evaluate(settings.allocation(configuration)).score <= 0.9 + 1e-9


def test_the_replayed_task_asks_for_nothing_that_its_bank_lacks(example: Path) -> None:
    settings = settings_of(example / "replay.yaml")
    check_coverage(example / "bank.jsonl.gz", asked_of_bank(settings))


def test_the_committed_bank_is_small_and_of_the_code_beside_it(example: Path) -> None:
    bank = example / "bank.jsonl.gz"
    assert bank.stat().st_size < 1_000_000
    recorded = open_bank(bank)
    versions = json.loads(recorded.about()["versions"])
    recorded.close()
    settings = settings_of(example / "replay.yaml")
    stages = load_stages(Pipeline().given(settings), example)
    assert versions == {stage.name: stage.answer.version for stage in stages if stage.answer is not None}


def test_replaying_a_bank_equals_sampling_live(example: Path) -> None:
    load_callable("stages.py:train", example)(effort=0.03)
    split = {"search": 3, "confirm": 1}
    live = settings_of(example / "replay.yaml", bank=None, replay=False, split=split)
    recorded = live.model_copy(update={"bank": "new.sqlite"})
    record(narrowed(live), example, example / "new.sqlite")
    table = replay_table(narrowed(recorded), example)
    stages = load_stages(Pipeline().given(live), example)
    items = split_items(load_items("stages.py:items", example), seed=0, **split).search
    runner = Runner(stages, load_judge(live.score, example), Samples())
    rng = np.random.default_rng(1)
    for _ in range(6):
        choices = tuple(of[rng.integers(len(of))] for of in all_choices(narrowed(live)))
        replayed, results = table.evaluate(choices), list(runner.run(choices, items))
        assert list(replayed.scores) == [result.score for result in results]
        assert list(replayed.costs) == pytest.approx([result.cost for result in results])
        for stage, calls in replayed.stage_calls.items():
            assert list(calls) == [result.stages[stage].calls for result in results]
    runner.close()


def narrowed(settings: PipelineSettings) -> PipelineSettings:
    """Two models and few samples in each stage."""
    stages = settings.model_dump(exclude_unset=True)["stages"]
    for stage in stages.values():
        stage["models"] = dict(list(stage["models"].items())[:2])
        stage["samples"] = [1, 4]
    stages["repair"]["rounds"] = [0, 2]
    changed = {**settings.model_dump(exclude_unset=True), "stages": stages, "item_budget": None}
    return PipelineSettings.model_validate(changed)


def environment(**more: str) -> dict[str, str]:
    """A user's, in which a script imports from its own folder."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"} | more


@pytest.mark.slow
def test_a_clone_makes_its_bank_and_runs_both_tasks(example: Path) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=example, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (example / "bank.jsonl.gz").unlink()
    assert "36,288 allocations replayed" in run("make_bank.py")
    for task in ("replay", "task"):
        said = run("-m", "tunesmith", "run", f"{task}.yaml", "--no-model", "--trials", "12")
        assert "On items that the search never saw" in said


@pytest.mark.slow
def test_an_unchanged_program_runs_the_served_models_through_the_proxy(example: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "serve.py", "--port", "0"],
        cwd=example,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        provider = server.stdout.readline().strip()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tunesmith", "run", "served.yaml", "--no-model", "--trials", "4"],
            cwd=example,
            env=environment(OPENAI_BASE_URL=provider, OPENAI_API_KEY="any"),
            capture_output=True,
            text=True,
        )
    finally:
        server.kill()
        server.wait()
    assert done.returncode == 0, done.stderr
    report = json.loads((example / "runs" / "pipeline_served" / "report.json").read_text())
    first, *others = report["trials"]
    assert first["state"] == "completed" and 0.3 < first["value"] <= 1 and len(others) == 3
    with sqlite3.connect(example / "runs" / "pipeline_served" / "samples.sqlite") as calls:
        seen = calls.execute("SELECT DISTINCT stage, requested FROM calls").fetchall()
    assert sorted(seen) == [("add", "gru-32"), ("link", "memory-4500")]
