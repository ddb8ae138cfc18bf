"""Our methods pass what every method passes; so does the example package, in a run of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.plugins import PLUGINS, make_findable
from tunesmith.agent.methods.base import Method
from tunesmith.registry import METHODS
from tunesmith.testing.methods import MethodCases

TASK = """\
metric: score
direction: maximize
objective: train.py:train
space: {x: {type: float, low: 0, high: 1}, k: {type: int, low: 1, high: 4}}
budget: {trials: 5}
tuner: {method: halton, scramble: false}
"""


class TestOurMethods(MethodCases):
    @pytest.fixture(params=["hybrid", "numeric", "llambo-paper", "agenttts-paper", "random"])
    def method(self, request: pytest.FixtureRequest) -> Method:
        return METHODS.get(request.param)


class TestTheExample(MethodCases):
    @pytest.fixture(autouse=True)
    def _found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_findable(PLUGINS / "methods", tmp_path / "packages", monkeypatch)

    @pytest.fixture
    def method(self) -> Method:
        assert METHODS.package_of("halton") == "tunesmith-halton"
        return METHODS.get("halton")

    def test_a_task_file_chooses_it_by_name_and_the_run_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "train.py").write_text("def train(config, trial):\n    return config['x']\n")
        (tmp_path / "task.yaml").write_text(TASK)
        words = [sys.executable, "-P", "-m", "tunesmith", "run", "task.yaml", "--json", "--quiet"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        trials = json.loads(done.stdout)["trials"]
        assert [trial["configuration"]["x"] for trial in trials] == [0.0, 0.5, 0.25, 0.75, 0.125]
        assert all(trial["reason"] == "The next point of a Halton sequence." for trial in trials)
        shown = subprocess.run(
            [*words[:4], "check", "task.yaml"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert "tuner      halton with scramble=False: a Halton sequence" in shown
        assert "random, halton (tunesmith-halton)" in shown
