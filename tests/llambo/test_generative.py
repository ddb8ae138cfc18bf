"""The generative surrogate: log-probabilities where a server has them, votes where it has not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.chat_server import text
from fakes.histories import SPACE, configured, history, trial
from fakes.llambo_model import Oracle
from fakes.served_model import ServedModel
from tunesmith.agent.methods.llambo.generative import (
    GenerativeSurrogate,
    label_probability,
    labels,
)
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.models import Token
from tunesmith.trial import TrialState

Open = Callable[..., ServedModel]


def truth(values: Any) -> float:
    return -abs(math.log10(values["lr"]) + 2.5)


def past(n: int = 8) -> Any:
    return history(
        *(trial(i, dict(c), truth(c)) for i, c in enumerate(SPACE.sample(np.random.default_rng(3), n))),
        default=False,
    )


def surrogate(served: ServedModel, **settings: Any) -> GenerativeSurrogate:
    protocol = LlamboSettings(**settings)
    return GenerativeSurrogate(served.model, SPACE, "Small CNN.", protocol, emit=served.events.append)


GOOD, BAD = SPACE.validate(configured(lr=0.003)), SPACE.validate(configured(lr=0.00002))


def test_log_probabilities_give_the_probability_with_one_answer_a_question(serve: Open) -> None:
    served = serve(Oracle(truth, threshold=-0.5, votes=0.8, logprobs=True))
    model = surrogate(served, templates=2, samples=5)
    model.fit(past())
    found = model.probabilities([GOOD, BAD])
    np.testing.assert_allclose(found, [0.8, 0.2], atol=1e-6)
    assert [chat.n for chat in served.server.chats] == [5, 1, 1, 1]
    assert served.server.chats[0].body["top_logprobs"] == 5 and served.degraded == []


def test_without_log_probabilities_the_answers_vote_and_that_is_told_once(serve: Open) -> None:
    served = serve(Oracle(truth, threshold=-0.5, votes=0.9))
    model = surrogate(served, templates=2, samples=20)
    model.fit(past())
    good, bad = model.probabilities([GOOD, BAD])
    assert good > 0.8 and bad < 0.25
    model.probabilities([GOOD])
    assert [d.continuation for d in served.degraded] == ["20 answers to each question vote instead"]
    assert "logprobs" in served.server.chats[0].body and "logprobs" not in served.server.chats[1].body


def test_the_prompt_labels_by_rank_and_says_what_the_label_means(serve: Open) -> None:
    served = serve(Oracle(truth, threshold=-0.5, logprobs=True))
    model = surrogate(served, templates=1, top_share=0.25)
    seen = past(8).with_trial(trial(8, configured(lr=0.09), state=TrialState.OUT_OF_MEMORY))
    model.fit(seen)
    model.probabilities([GOOD])
    said = served.server.chats[0].last
    assert said.count("Classification: ## 1 ##") == 2 and said.count("Classification: ## 0 ##") == 7
    assert "best 25 %" in said and said.endswith("Classification:")
    best = seen.incumbent.configuration
    row = next(i for i, line in enumerate(said.splitlines()) if f"width: {best['width']}," in line)
    assert said.splitlines()[row + 1] == "Classification: ## 1 ##"


def test_a_candidate_without_a_usable_label_has_no_probability_and_that_is_told(serve: Open) -> None:
    served = serve([text("It depends on the data.")])
    model = surrogate(served, templates=1)
    model.fit(past())
    assert np.isnan(model.probabilities([GOOD, BAD])).all()
    assert any("no usable label for 2 of 2" in d.cause for d in served.degraded)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(("n", "good"), [(1, 1), (2, 1), (3, 1), (8, 2), (20, 5)])
def test_labels_go_by_rank_in_either_direction(n: int, good: int, direction: str) -> None:
    sign = 1 if direction == "maximize" else -1
    seen = history(
        *(trial(i, configured(lr=0.001 + i * 1e-4), sign * 1e9 * i) for i in range(n)), direction=direction
    )
    found = labels(seen, 0.25)
    assert [number for number, label in found.items() if label] == list(range(n - good, n))


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ([1.0, 1.0, 1.0, 1.0], [0]),
        ([1.0, 0.9, 1.0, 1.0], [0, 2, 3]),
        ([0.1, 0.1, 0.1, 0.9], [3]),
        ([0.5, 0.5], [0]),
    ],
)
def test_equal_scores_are_labelled_alike_unless_all_are_equal(values: list[float], good: list[int]) -> None:
    seen = history(*(trial(i, configured(lr=0.001 + i * 1e-4), v) for i, v in enumerate(values)))
    assert [number for number, label in labels(seen, 0.25).items() if label] == good


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=15), st.floats(0.01, 0.99))
def test_some_trial_is_good_and_where_scores_differ_some_is_not(values: list[float], share: float) -> None:
    seen = history(*(trial(i, configured(lr=0.001 + i * 1e-4), v) for i, v in enumerate(values)))
    found = labels(seen, share)
    assert any(found.values())
    if len(set(values)) > 1:
        assert not all(found.values())
        worst_good = min(values[i] for i, label in found.items() if label)
        assert worst_good >= max(values[i] for i, label in found.items() if not label)


def test_the_two_labels_are_renormalised_however_they_are_spelled() -> None:
    place = Token(
        " 1", math.log(0.3), {" 1": math.log(0.3), "0": math.log(0.1), "1": math.log(0.3), "##": -2.0}
    )
    assert label_probability([Token("## ", 0.0, {}), place], 1) == pytest.approx(0.6 / 0.7)


def test_a_server_that_refuses_log_probabilities_is_voted_with(serve: Open) -> None:
    served = serve(Oracle(truth, threshold=-0.5), server={"rejects": ("logprobs",)})
    model = surrogate(served, templates=1, samples=4)
    model.fit(past())
    good, bad = model.probabilities([GOOD, BAD])
    assert good > 0.7 and bad < 0.3


def test_a_token_that_is_no_label_or_another_one_says_nothing() -> None:
    assert label_probability([Token("no", -0.1, {})], 0) is None
    assert label_probability([Token("10", -0.1, {})], 1) is None
    assert label_probability([], 1) is None
