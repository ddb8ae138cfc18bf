"""LLAMBO as an Optuna sampler: Optuna's own cases, and what a user meets."""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)
from pydantic import SecretStr

import tunesmith
from fakes.chat_server import ChatRequest, ChatServer, failing
from fakes.llambo_model import Oracle
from tunesmith import Categorical, Float, LlamboSampler, Space
from tunesmith.budget import ModelCaps
from tunesmith.errors import UsageError
from tunesmith.settings import ModelSettings

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
QUICK: dict[str, Any] = {"initial": 2, "candidates": 4, "samples": 2, "templates": 1, "recalibrate": False}
SPACE = Space(
    {"lr": Float(1e-5, 1e-1, scale="log"), "depth": tunesmith.Int(1, 8), "kind": Categorical(["a", "b"])}
)
KEY = "sk-canary-0123456789"


def truth(values: Any) -> float:
    return -abs(math.log10(values["lr"]) + 2.5) - 0.1 * abs(values["depth"] - 4)


def objective(trial: optuna.Trial) -> float:
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    depth = trial.suggest_int("depth", 1, 8)
    trial.suggest_categorical("kind", ["a", "b"])
    return truth({"lr": lr, "depth": depth})


def settings_for(server: ChatServer) -> ModelSettings:
    return ModelSettings(base_url=server.url, model="fake-model", api_key=SecretStr(KEY))


@pytest.fixture(autouse=True)
def no_model_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "TUNESMITH_BASE_URL", "TUNESMITH_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def anywhere() -> Iterator[ChatServer]:
    """A model that proposes in any space and finds everything equally good."""
    with ChatServer(Oracle(lambda values: 0.5, noise=0.1)) as server:
        yield server


@pytest.fixture
def knowing() -> Iterator[ChatServer]:
    with ChatServer(Oracle(truth, noise=0.01)) as server:
        yield server


@pytest.mark.slow
class TestWithAModel(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self, anywhere: ChatServer) -> Callable[[], BaseSampler]:
        return lambda: LlamboSampler(model=settings_for(anywhere), seed=0, settings=QUICK)


@pytest.mark.filterwarnings("ignore:LlamboSampler goes on with the Gaussian process alone")
class TestWithoutAModel(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: LlamboSampler(seed=0)


def tuned(sampler: LlamboSampler, n: int = 6) -> optuna.Study:
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=n)
    return study


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_study_is_driven_by_the_model_and_says_why(knowing: ChatServer) -> None:
    sampler = LlamboSampler(
        SPACE, model=settings_for(knowing), seed=1, words="a small forest", metric="accuracy", settings=QUICK
    )
    study = tuned(sampler)
    notes = [trial.user_attrs["tunesmith"] for trial in study.trials]
    assert [n["origin"] for n in notes] == ["model"] * 6
    assert all("design to start from" in n["reason"] for n in notes[:2])
    assert sum("to start Bayesian optimisation from" in chat.last for chat in knowing.chats) == 1
    for trial, note in zip(study.trials[2:], notes[2:], strict=True):
        assert note["expected"] == pytest.approx(trial.value, abs=0.05)
        assert note["details"]["pool"] == 4 and note["configuration"] == trial.params
    assert sampler.spend.calls == len(knowing.chats) > 0
    said = knowing.chats[-1].last
    assert "Predict the accuracy" in said and "a small forest" in said
    sampler.close()


def test_a_model_that_is_stuck_is_noticed_in_a_study_and_what_lies_elsewhere_is_tried() -> None:
    class Stuck(Oracle):
        def _configuration(self, text: str) -> str:
            self.count = getattr(self, "count", 0) + 1
            return f"## lr: {1e-3 + 1e-6 * self.count:.6f}, depth: 8, kind: a ##"

    with ChatServer(Stuck(lambda values: 0.5)) as server:
        sampler = LlamboSampler(SPACE, model=settings_for(server), seed=1, settings=QUICK)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        with pytest.warns(UserWarning, match="repeat an earlier score"):
            study.optimize(lambda trial: 0.5 + 0 * objective(trial), n_trials=12)
    origins = [trial.user_attrs["tunesmith"]["origin"] for trial in study.trials]
    assert origins[:8] == ["model"] * 8 and "random" in origins[8:]
    assert any(trial.params["depth"] != 8 for trial in study.trials[8:])


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [
        ({"surrogate": "gp"}, {"propose"}),
        ({"sampler": "numeric"}, {"predict"}),
        ({"sampler": "numeric", "surrogate": "generative"}, {"label"}),
        ({"sampler": "numeric", "surrogate": "gp"}, set()),
    ],
    ids=["candidates alone", "surrogate alone", "classifier alone", "warm start alone"],
)
def test_each_component_can_be_used_alone(knowing: ChatServer, parts: Any, kinds: set[str]) -> None:
    sampler = LlamboSampler(SPACE, model=settings_for(knowing), seed=1, settings=QUICK, **parts)
    study = tuned(sampler, 2)
    warm = len(knowing.script.asked)  # type: ignore[union-attr]
    study.optimize(objective, n_trials=2)
    assert set(knowing.script.asked[warm:]) == kinds  # type: ignore[union-attr]
    assert "acquisition" in study.trials[-1].user_attrs["tunesmith"]["provenance"]


def test_no_model_at_all_is_said_once_and_the_gaussian_process_goes_on() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        study = tuned(LlamboSampler(SPACE, seed=1))
    ours = [str(w.message) for w in heard if "LlamboSampler" in str(w.message)]
    assert len(ours) == 1 and "no language model is configured" in ours[0]
    assert len(study.trials) == 6


def test_a_dead_model_is_warned_about_and_kills_no_study() -> None:
    with ChatServer([failing(401)]) as server:
        sampler = LlamboSampler(SPACE, model=settings_for(server), seed=1)
        with pytest.warns(UserWarning, match="refuses the key"):
            study = tuned(sampler)
        assert len(server.chats) == 1
    assert [t.state for t in study.trials] == [optuna.trial.TrialState.COMPLETE] * 6
    assert "Without the language model" in study.trials[-1].user_attrs["tunesmith"]["reason"]
    assert KEY not in repr([t.user_attrs for t in study.trials])


def test_caps_are_kept_and_the_study_goes_on(knowing: ChatServer) -> None:
    caps = ModelCaps(calls=5, tokens=None, dollars=None)
    sampler = LlamboSampler(SPACE, model=settings_for(knowing), seed=1, settings=QUICK, caps=caps)
    with pytest.warns(UserWarning, match="cap of 5 model calls"):
        study = tuned(sampler)
    assert len(knowing.chats) == 5 and len(study.trials) == 6


def test_the_same_seed_and_answers_give_the_same_study() -> None:
    def once() -> list[dict[str, Any]]:
        with ChatServer(Oracle(truth, noise=0.01)) as server:
            return [t.params for t in tuned(LlamboSampler(SPACE, model=settings_for(server), seed=3)).trials]

    assert once() == once()


def test_a_conversation_is_recorded_and_replayed_without_a_model(knowing: ChatServer, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    first = tuned(LlamboSampler(SPACE, model=settings_for(knowing), seed=3, exchanges=tape))
    assert KEY not in tape.read_text()
    again = tuned(LlamboSampler(SPACE, seed=3, exchanges=tape, mode="replay"))
    assert [t.params for t in again.trials] == [t.params for t in first.trials]


def test_it_is_pickled_without_the_key_and_goes_on(
    knowing: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = LlamboSampler(SPACE, model=settings_for(knowing), seed=3, settings=QUICK)
    study = tuned(sampler, 3)
    stored = pickle.dumps(sampler)
    assert KEY.encode() not in stored
    monkeypatch.setenv("TUNESMITH_BASE_URL", knowing.url)
    monkeypatch.setenv("TUNESMITH_API_KEY", KEY)
    study.sampler = pickle.loads(stored)
    study.optimize(objective, n_trials=2)
    assert study.trials[-1].user_attrs["tunesmith"]["origin"] == "model"
    assert knowing.chats[-1].headers["authorization"] == f"Bearer {KEY}"


def test_parallel_trials_never_get_the_same_configuration(knowing: ChatServer) -> None:
    sampler = LlamboSampler(SPACE, model=settings_for(knowing), seed=3, settings=QUICK)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=8, n_jobs=4)
    assert len({tuple(sorted(t.params.items())) for t in study.trials}) == 8


def test_data_is_told_as_far_as_the_context_says(knowing: ChatServer) -> None:
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(60, 3)), rng.integers(2, size=60))
    for context, told in (("full", True), ("none", False)):
        sampler = LlamboSampler(
            SPACE, model=settings_for(knowing), seed=3, data=data, settings={**QUICK, "context": context}
        )
        tuned(sampler, 1)
        assert ("60 samples" in knowing.chats[-1].last) is told


def test_any_function_can_be_the_model() -> None:
    oracle, asked = Oracle(truth, noise=0.01), []

    def answer(messages: list[dict[str, Any]]) -> str:
        asked.append(messages)
        request = ChatRequest(len(asked), "POST", "/", {}, {"messages": messages})
        reply = oracle(request)
        return str(reply.content)

    sampler = LlamboSampler(SPACE, model=answer, seed=1, settings=QUICK)
    study = tuned(sampler)
    assert {trial.user_attrs["tunesmith"]["origin"] for trial in study.trials} == {"model"}
    assert sampler.spend.calls == len(asked) > 0 and sampler.spend.dollars is None


def test_a_model_is_not_asked_for_what_has_all_been_tried(recwarn: pytest.WarningsRecorder) -> None:
    asked = []

    def answer(messages: list[dict[str, Any]]) -> str:
        asked.append(len(study.trials))
        return '{"kind": "a"} {"kind": "b"} {"kind": "c"}'

    study = optuna.create_study(sampler=LlamboSampler(model=answer, seed=1, settings=QUICK))
    study.optimize(lambda trial: float(ord(trial.suggest_categorical("kind", ["a", "b", "c"]))), n_trials=9)
    assert len(study.trials) == 9 and max(asked, default=0) <= 4
    assert not [w for w in recwarn if "nothing new" in str(w.message)]


def test_repeated_trials_of_one_configuration_are_each_told_and_cost_nothing(knowing: ChatServer) -> None:
    sampler = LlamboSampler(SPACE, model=settings_for(knowing), seed=1, settings=QUICK)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(3):
        study.enqueue_trial({"lr": 0.01, "depth": 4, "kind": "a"})
    values = iter([-0.51, -0.49, -0.53])
    study.optimize(lambda trial: next(values, objective(trial)), n_trials=6)
    told = [chat.last for chat in knowing.chats if "Predict the" in chat.last][0]
    assert all(f"## {value:.6f} ##" in told for value in (-0.51, -0.49, -0.53))
    assert len({tuple(trial.params.values()) for trial in study.trials[2:]}) == 4


def test_a_function_that_fails_or_answers_nonsense_or_is_used_up_kills_no_study() -> None:
    def failing_(messages: Any) -> str:
        raise RuntimeError("out of memory")

    for model, caps, said in (
        (failing_, ModelCaps(), "RuntimeError: out of memory"),
        (lambda messages: None, ModelCaps(), "gave a NoneType"),
        (lambda messages: "## no ##", ModelCaps(calls=4), "cap of 4 model calls is reached"),
    ):
        sampler = LlamboSampler(SPACE, model=model, seed=1, settings=QUICK, caps=caps)
        with pytest.warns(UserWarning, match=said):
            assert len(tuned(sampler, 3).trials) == 3
    with pytest.raises(UsageError, match="a str is no model"):
        LlamboSampler(SPACE, model="gpt")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "llambo-2"}, "no preset 'llambo-2'; there are llambo, llambo-paper, llambo-code"),
        ({"settings": {"candidats": 3}}, "candidats"),
        ({"settings": {"top_share": 2.0}}, "top_share"),
    ],
)
def test_a_wrong_setting_is_named(arguments: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LlamboSampler(SPACE, **arguments)
