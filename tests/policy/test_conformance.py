"""Our policies pass what every policy passes; so does the example package, in a run of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer
from fakes.plausible_model import PlausibleModel
from fakes.plugins import PLUGINS, make_findable
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.agent.policy.base import PolicyMember
from tunesmith.budget import ModelCaps
from tunesmith.registry import POLICIES
from tunesmith.settings import ModelSettings
from tunesmith.testing.policies import PolicyCases
from tunesmith.testing.studies import SPACES

TASK = """\
metric: score
direction: maximize
objective: train.py:train
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 30}
tuner: random
policy: patience
"""


class TestOurPoliciesWithoutAModel(PolicyCases):
    @pytest.fixture(params=["rules", "agent"])
    def policy(self, request: pytest.FixtureRequest) -> PolicyMember:
        return POLICIES.get(request.param)


class TestTheAgent(PolicyCases):
    @pytest.fixture
    def policy(self) -> PolicyMember:
        return POLICIES.get("agent")

    @pytest.fixture
    def model(self) -> Iterator[LanguageModel]:
        space = SPACES["branches"]
        with ChatServer(PlausibleModel(space, {"optimizer": "adam", "lr": 0.001})) as server:
            settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr("sk-secret-secret"))
            model = open_model(settings, ModelCaps(), lambda event: event, mode="live")
            yield model
            model.close()


class TestTheExample(PolicyCases):
    @pytest.fixture(autouse=True)
    def _found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_findable(PLUGINS / "policies", tmp_path / "packages", monkeypatch)

    @pytest.fixture
    def policy(self) -> PolicyMember:
        return POLICIES.get("patience")

    def test_a_task_file_chooses_it_by_name_and_it_ends_the_run(self, tmp_path: Path) -> None:
        (tmp_path / "train.py").write_text("def train(config, trial):\n    return 1.0\n")
        (tmp_path / "task.yaml").write_text(TASK)
        words = [sys.executable, "-P", "-m", "tunesmith", "run", "task.yaml"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "Finished: nothing better in 4 trials." in done.stdout
