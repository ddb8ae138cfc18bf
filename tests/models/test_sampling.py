"""Several plain answers to one question, from servers that can give them and from those that cannot."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from fakes.chat_server import ChatRequest, Reply, failing, several, text
from fakes.served_model import HELLO, ServedModel
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelBudgetReached, ModelUnavailable

Open = Callable[..., ServedModel]
SPOKEN = several(" 1", " 0", tokens=(((" 1", -0.1, {" 1": -0.1, "0": -2.4}),), ((" 0", -0.5, {" 0": -0.5}),)))


def test_several_answers_come_from_one_request_with_their_settings(serve: Open) -> None:
    served = serve([several("a", "b", "c", usage=(40, 6))])
    said = served.model.sample(
        HELLO, n=3, temperature=0.8, top_p=0.95, max_tokens=8, purpose="test", stop=["\n"]
    )
    assert (said.texts, said.logprobs, said.tokens, said.calls) == (["a", "b", "c"], None, 46, 1)
    body = served.server.chats[0].body
    assert {
        "n": 3,
        "temperature": 0.8,
        "top_p": 0.95,
        "max_tokens": 8,
        "stop": ["\n"],
    }.items() <= body.items()
    assert "logprobs" not in body and "response_format" not in body
    assert served.calls[0].purpose == "test" and served.degraded == []


def test_a_server_that_ignores_n_is_found_out_once_and_asked_one_by_one(serve: Open) -> None:
    served = serve(lambda request: f"answer {request.number}", server={"ignores": ("n",)})
    said = served.model.sample(HELLO, n=4, purpose="test")
    assert said.texts == [f"answer {i}" for i in range(4)] and said.calls == 4
    assert said.tokens == served.model.usage.tokens
    served.model.sample(HELLO, n=2, purpose="test")
    assert [chat.body.get("n") for chat in served.server.chats] == [4, None, None, None, None, None]
    (found,) = served.degraded
    assert "1 of 4" in found.cause and "1 at a time" in found.continuation


def test_a_server_that_gives_at_most_two_is_asked_in_twos(serve: Open) -> None:
    def script(request: ChatRequest) -> Reply:
        wanted = min(request.n, 2)
        choices = ", ".join(
            f'{{"index": {i}, "message": {{"role": "assistant", "content": "x"}}}}' for i in range(wanted)
        )
        return Reply(raw=f'{{"choices": [{choices}]}}'.encode())

    served = serve(script)
    assert served.model.sample(HELLO, n=5, purpose="test").texts == ["x"] * 5
    assert [chat.n for chat in served.server.chats] == [5, 2, 1]


@pytest.mark.parametrize("name", ["n", "logprobs", "top_p", "stop", "temperature"])
def test_a_refused_parameter_is_left_out_for_good_and_reported_once(serve: Open, name: str) -> None:
    served = serve(["fine"], server={"rejects": (name,)})
    for _ in range(2):
        said = served.model.sample(
            HELLO, n=2, temperature=0.7, top_p=0.9, purpose="test", logprobs=5, stop=["\n"]
        )
        assert said.texts == ["fine", "fine"]
    refused = [chat for chat in served.server.chats if chat.body.get(name) is not None]
    assert len(refused) == 1
    assert [d.continuation for d in served.degraded] == [f"`{name}` is left out from here on"]
    kept = {"temperature", "top_p", "stop", "logprobs"} - {name}
    assert all(kept <= chat.body.keys() for chat in served.server.chats)


def test_a_rejection_that_names_nothing_is_answered_by_the_plainest_form(serve: Open) -> None:
    def script(request: ChatRequest) -> Reply:
        odd = {"temperature", "top_p", "n"} & request.body.keys()
        return failing(400, "invalid request") if odd else text("fine")

    served = serve(script)
    said = served.model.sample(HELLO, n=2, temperature=0.7, top_p=0.9, purpose="test")
    assert said.texts == ["fine", "fine"] and len(served.server.chats) == 3


def test_a_question_that_is_itself_refused_blames_no_parameter(serve: Open) -> None:
    served = serve([failing(400, "the context is too long")])
    with pytest.raises(ModelUnavailable, match="context is too long"):
        served.model.sample(HELLO, n=2, temperature=0.7, purpose="test")
    with pytest.raises(ModelUnavailable):
        served.model.sample(HELLO, n=2, temperature=0.7, purpose="test")
    assert served.server.chats[2].body["temperature"] == 0.7 and served.degraded == []


def test_a_server_without_a_system_role_gets_its_words_from_the_user(serve: Open) -> None:
    def script(request: ChatRequest) -> Reply:
        roles = [message["role"] for message in request.messages]
        return failing(400, "System role not supported") if "system" in roles else text(request.last)

    served = serve(script)
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How?"}]
    assert served.model.sample(asked, purpose="test").texts == ["Be brief.\n\nHow?"]
    assert asked[0]["role"] == "system"
    assert served.model.sample(asked, purpose="test").calls == 1


def test_log_probabilities_come_back_token_by_token(serve: Open) -> None:
    served = serve([SPOKEN])
    said = served.model.sample(HELLO, n=2, logprobs=5, purpose="test")
    assert said.logprobs is not None
    (first,), (second,) = said.logprobs
    assert (first.text, first.logprob, first.top) == (" 1", -0.1, {" 1": -0.1, "0": -2.4})
    assert second.top == {" 0": -0.5}
    assert {"logprobs": True, "top_logprobs": 5}.items() <= served.server.chats[0].body.items()


def test_a_server_that_ignores_logprobs_gives_none(serve: Open) -> None:
    served = serve([SPOKEN], server={"ignores": ("logprobs",)})
    said = served.model.sample(HELLO, n=2, logprobs=5, purpose="test")
    assert said.texts == [" 1", " 0"] and said.logprobs is None


@pytest.mark.parametrize("written", ["null", '"low"', "true", "NaN"])
def test_log_probabilities_that_are_no_numbers_are_not_believed(serve: Open, written: str) -> None:
    raw = (
        '{"choices": [{"message": {"content": "1"}, "logprobs": {"content": '
        f'[{{"token": "1", "logprob": {written}, "top_logprobs": []}}]}}}}]}}'
    )
    served = serve([Reply(raw=raw.encode())])
    assert served.model.sample(HELLO, logprobs=2, purpose="test").logprobs is None


def test_an_impossible_token_is_finite(serve: Open) -> None:
    raw = (
        b'{"choices": [{"message": {"content": "1"}, "logprobs": {"content": [{"token": "1", '
        b'"logprob": 0.001, "top_logprobs": [{"token": "0", "logprob": -Infinity}]}]}}]}'
    )
    said = serve([Reply(raw=raw)]).model.sample(HELLO, logprobs=2, purpose="test")
    assert said.logprobs is not None
    (token,) = said.logprobs[0]
    assert token.logprob == 0.0 and math.isfinite(token.top["0"])


def test_a_cap_counts_every_answer_at_its_longest(serve: Open) -> None:
    served = serve(["fine"], caps=ModelCaps(tokens=500))
    with pytest.raises(ModelBudgetReached):
        served.model.sample(HELLO, n=10, max_tokens=100, purpose="test")
    assert served.server.chats == []
    assert len(served.model.sample(HELLO, n=3, max_tokens=100, purpose="test").texts) == 3


def test_answers_that_came_before_a_fault_are_kept(serve: Open) -> None:
    def script(request: ChatRequest) -> Reply:
        return text("one") if request.number < 2 else failing(404, "gone")

    served = serve(script, server={"ignores": ("n",)})
    said = served.model.sample(HELLO, n=5, purpose="test")
    assert said.texts == ["one", "one"]
    assert any("2 answers of 5" in d.continuation for d in served.degraded)


@pytest.mark.parametrize("said", ["", "<think>Let me see. The learning"])
def test_a_model_that_thinks_past_a_small_limit_gets_a_larger_one(serve: Open, said: str) -> None:
    def script(request: ChatRequest) -> Reply:
        enough = request.body["max_tokens"] > 100
        return text("## 0.9 ##") if enough else Reply(content=said, finish_reason="length")

    served = serve(script)
    assert served.model.sample(HELLO, n=2, max_tokens=8, purpose="test").texts == ["## 0.9 ##"] * 2
    assert served.model.sample(HELLO, n=2, max_tokens=8, purpose="test").calls == 1
    (found,) = served.degraded
    assert "8 tokens" in found.cause
