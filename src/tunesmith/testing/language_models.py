"""What every provider of a language model passes. Inherit `ProviderCases` and give it the fixture `provider`.

class TestMine(ProviderCases):
    @pytest.fixture
    def provider(self):
        return my_package.MyProvider(settings)

The fixture makes a new provider for each case, and it must answer every request; with what does not matter.
"""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tunesmith.agent.models import Capabilities, LanguageModel, Provider, open_model
from tunesmith.agent.models.wire import piece_of, replies_of, usage_of
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelBudgetReached, ModelError, ModelUnavailable, ReplayMiss
from tunesmith.events import ModelCalled

NO_CAPS = ModelCaps(calls=None, tokens=None, dollars=None)
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Suggest a learning rate."}]
LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}
ODD_CONTENT = ("", "<|im_end|> \x1b[2J \u202e", "ж" * 20_000)
TIMEOUT_S = 60.0


class Point(BaseModel):
    """A shape to ask for."""

    learning_rate: float


def opened(provider: Provider, caps: ModelCaps = NO_CAPS) -> tuple[LanguageModel, list[Any]]:
    """A language model over the provider, and the events that come of it."""
    events: list[Any] = []

    def emit(event: Any) -> Any:
        events.append(event)
        return event

    return open_model(provider, caps, emit, mode="live", max_retries=0), events


class ProviderCases:
    """Cases for a `Provider`: answers that can be read, counted, capped, recorded and replayed."""

    def test_it_says_what_it_is(self, provider: Provider) -> None:
        assert 0 < len(provider.model) <= 200 and "\n" not in provider.model
        assert isinstance(provider.capabilities, Capabilities) and provider.timeout_s > 0
        assert provider.place and not any(secret in provider.place for secret in provider.secrets)

    def test_an_answer_is_a_completion_and_leaves_the_request_as_it_was(self, provider: Provider) -> None:
        request = {"model": provider.model, "messages": HELLO, "max_tokens": 100}
        before = copy.deepcopy(request)
        answer = provider.respond(request, TIMEOUT_S)
        assert request == before and json.loads(json.dumps(answer)) == answer
        assert replies_of(answer)[0].text
        assert answer.get("usage") is None or usage_of(answer) is not None

    def test_a_stream_adds_up_to_an_answer(self, provider: Provider) -> None:
        request = {"model": provider.model, "messages": HELLO, "max_tokens": 100}
        chunks = list(provider.stream(request, TIMEOUT_S))
        assert "".join(piece_of(chunk).text for chunk in chunks)
        assert all(json.loads(json.dumps(chunk)) == chunk for chunk in chunks)

    def test_as_many_samples_come_as_are_asked_for_and_are_counted(self, provider: Provider) -> None:
        model, events = opened(provider)
        samples = model.sample(HELLO, n=3, temperature=0.7, logprobs=2, max_tokens=50, purpose="test")
        assert len(samples.texts) == 3 and all(samples.texts)
        calls = [event for event in events if isinstance(event, ModelCalled)]
        assert sum(call.ok for call in calls) >= 1 and calls[-1].spend == model.usage
        assert samples.calls == len(calls) == model.usage.calls and samples.tokens == model.usage.tokens
        for token in (token for tokens in samples.logprobs or () for token in tokens):
            assert token.logprob <= 0 and all(value <= 0 for value in token.top.values())

    def test_a_value_is_valid_or_a_typed_error(self, provider: Provider) -> None:
        model, _ = opened(provider)
        try:
            assert isinstance(model.complete(HELLO, Point, purpose="test").value, Point)
        except ModelError as error:
            assert str(error)

    @pytest.mark.parametrize("content", ODD_CONTENT, ids=["empty", "control characters", "long"])
    def test_odd_messages_are_answered_or_a_typed_error(self, provider: Provider, content: str) -> None:
        model, _ = opened(provider)
        try:
            assert model.sample([{"role": "user", "content": content}], purpose="test").texts
        except ModelError as error:
            assert str(error)

    def test_tools_can_be_offered_exactly_where_it_says_so(self, provider: Provider) -> None:
        model, _ = opened(provider)
        pieces = model.chat(HELLO, [LOOK], purpose="test")
        if provider.capabilities.tools:
            assert [piece for piece in pieces if piece.text or piece.calls]
        else:
            with pytest.raises(ModelUnavailable, match="cannot call tools"):
                list(pieces)

    def test_threads_may_ask_at_once(self, provider: Provider) -> None:
        model, _ = opened(provider)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: model.sample(HELLO, purpose="test").texts, range(8)))
        assert all(len(texts) == 1 for texts in answers) and model.usage.calls >= 8

    def test_a_cap_is_reached_before_anything_is_sent(self, provider: Provider) -> None:
        model, events = opened(provider, ModelCaps(calls=1, tokens=None, dollars=None))
        model.sample(HELLO, purpose="test")
        with pytest.raises(ModelBudgetReached, match="cap of 1 model calls"):
            model.sample(HELLO, purpose="test")
        assert len([event for event in events if isinstance(event, ModelCalled)]) == 1

    def test_a_recording_replays_without_it(self, provider: Provider, tmp_path: Path) -> None:
        path = tmp_path / "recorded.jsonl"
        live = open_model(provider, NO_CAPS, lambda event: event, exchanges=path)
        texts = live.sample(HELLO, n=2, purpose="test").texts
        spoken = [piece.text for piece in live.chat(HELLO, purpose="test")]
        assert not any(secret in path.read_text(encoding="utf-8") for secret in provider.secrets)
        replay = open_model(None, NO_CAPS, lambda event: event, exchanges=path, mode="replay")
        assert (replay.model, replay.capabilities) == (live.model, live.capabilities)
        assert replay.sample(HELLO, n=2, purpose="test").texts == texts
        assert [piece.text for piece in replay.chat(HELLO, purpose="test")] == spoken
        with pytest.raises(ReplayMiss):
            replay.sample(HELLO, n=2, purpose="test")

    def test_nothing_is_asked_after_it_is_closed(self, provider: Provider) -> None:
        model, _ = opened(provider)
        model.close()
        model.close()
        with pytest.raises(ModelUnavailable, match="the run has ended"):
            model.sample(HELLO, purpose="test")
