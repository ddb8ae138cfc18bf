"""Our providers pass what every provider passes; so does the example package, in a run of its own."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer
from fakes.plugins import PLUGINS, make_findable
from fakes.served_model import HELLO, KEY
from tunesmith.agent.models import Provider, PythonFunction, open_model
from tunesmith.agent.models.recording import RecordedConversation, Recording
from tunesmith.api import tune
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelError, ModelUnavailable, UnknownName
from tunesmith.registry import LANGUAGE_MODELS
from tunesmith.settings import ModelSettings
from tunesmith.space import Float, Space
from tunesmith.testing.language_models import ProviderCases
from tunesmith.trial import Origin

SETTINGS = ModelSettings(base_url="http://localhost/v1", model="m", api_key=SecretStr(KEY))
TASK = """\
metric: score
direction: maximize
objective: train.py:train
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 4}
"""
OPENING = {
    "view": "",
    "beliefs": [],
    "candidates": [{"configuration": {"x": 0.875}, "reason": "Large.", "expected": 0.9}],
}


@pytest.fixture
def served() -> Iterator[Provider]:
    with ChatServer(lambda request: "## lr: 0.01 ##", key=KEY) as server:
        provider = LANGUAGE_MODELS.get("openai")(SETTINGS.model_copy(update={"base_url": server.url}))
        yield provider
        provider.close()


class TestOpenAICompatible(ProviderCases):
    @pytest.fixture
    def provider(self, served: Provider) -> Provider:
        return served


class TestRecordedConversation(ProviderCases):
    @pytest.fixture
    def provider(self, served: Provider, request: pytest.FixtureRequest, tmp_path: Path) -> Provider:
        """What the case asks is recorded first, by the case itself."""
        path, case = tmp_path / "asked.jsonl", getattr(self, request.function.__name__)
        recording = Recording(served, path)
        recording.respond({"model": recording.model, "messages": HELLO}, 60)
        (tmp_path / "first").mkdir()
        given = {"provider": recording, "tmp_path": tmp_path / "first"}
        given |= getattr(getattr(request.node, "callspec", None), "params", {})
        case(**{name: given[name] for name in inspect.signature(case).parameters})
        return RecordedConversation(path)


class TestPythonFunction(ProviderCases):
    @pytest.fixture
    def provider(self) -> Provider:
        return PythonFunction(lambda messages: f"{len(messages)} messages")


class TestTheExample(ProviderCases):
    @pytest.fixture(autouse=True)
    def _found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_findable(PLUGINS / "language_models", tmp_path / "packages", monkeypatch)

    @pytest.fixture
    def provider(self, tmp_path: Path) -> Provider:
        (tmp_path / "answers.txt").write_text(json.dumps(OPENING))
        answers = str(tmp_path / "answers.txt")
        return LANGUAGE_MODELS.get("canned")(SETTINGS.model_copy(update={"model": answers}))

    def test_the_environment_chooses_it_by_name_and_it_starts_the_run(
        self, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "train.py").write_text("def train(config, trial):\n    return config['x']\n")
        (tmp_path / "task.yaml").write_text(TASK)
        monkeypatch.setenv("TUNESMITH_PROVIDER", "canned")
        monkeypatch.setenv("TUNESMITH_MODEL", "answers.txt")
        words = [sys.executable, "-P", "-m", "tunesmith", "run", "task.yaml", "--json"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        trials = json.loads(done.stdout)["trials"]
        assert {"x": 0.875} in [t["configuration"] for t in trials if t["origin"] == "model"]
        assert "answers cannot call tools" in done.stderr


def test_any_function_can_be_the_model_of_a_run(tmp_path: Path) -> None:
    result = tune(
        lambda config, trial: config["x"],
        Space({"x": Float(0, 1)}),
        metric="score",
        direction="maximize",
        trials=4,
        runs=tmp_path,
        model=lambda messages: json.dumps(OPENING),
    )
    assert 0.875 in [t.configuration["x"] for t in result.history.trials if t.proposal.origin is Origin.MODEL]


def test_a_function_that_settings_name_answers_as_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_model.py").write_text(
        "def answer(messages):\n    return messages[-1]['content'].upper()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    named = {"provider": "function", "model": "my_model:answer"}
    model = open_model(
        SETTINGS.model_copy(update=named), ModelCaps(dollars=0.0), lambda event: event, mode="live"
    )
    assert model.sample(HELLO, purpose="test").texts == ["SUGGEST ONE."]
    assert (model.model, model.usage.calls, model.usage.dollars) == ("my_model:answer", 1, None)
    with pytest.raises(ModelUnavailable, match="TUNESMITH_MODEL='nowhere' names no function"):
        LANGUAGE_MODELS.get("function")(SETTINGS.model_copy(update={"model": "nowhere"}))


class Broken(Provider):
    """Another package's provider, with an error of its own in every method."""

    place, name = "a broken provider", ""

    @property
    def model(self) -> str:
        return self.name or {}["model"]

    def respond(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        raise RuntimeError("out of memory")


def test_whatever_a_provider_raises_is_a_model_error() -> None:
    provider = Broken()
    model = open_model(provider, ModelCaps(dollars=None), lambda event: event, mode="live")
    with pytest.raises(ModelError, match="KeyError"):
        _ = model.model
    provider.name = "broken"
    with pytest.raises(ModelUnavailable, match="RuntimeError.: out of memory"):
        model.sample(HELLO, purpose="test")
    assert model.usage.calls == 1


def test_an_unknown_provider_is_named_with_what_there_is() -> None:
    settings = SETTINGS.model_copy(update={"provider": "opnai"})
    with pytest.raises(UnknownName, match="did you mean 'openai'"):
        open_model(settings, ModelCaps(), lambda event: event, mode="live")
