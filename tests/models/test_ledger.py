"""Caps hold: before the call, across threads, across sessions, and whatever a model's price."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.chat_server import answer, failing
from fakes.served_model import ServedModel
from tunesmith.agent.models import pricing
from tunesmith.agent.models.estimating import estimate_prompt, estimate_tokens
from tunesmith.agent.models.ledger import Ledger
from tunesmith.agent.models.pricing import Price, price_of
from tunesmith.agent.models.wire import Usage
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import ModelBudgetReached, ModelError
from tunesmith.text.own_server import is_own_server

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
FREE = Price("m", None, "free", free=True)


def test_a_cap_on_calls_counts_failed_and_retried_ones(serve: Open) -> None:
    served = serve([failing(500), answer(GOOD)], caps=ModelCaps(calls=3))
    served.ask()
    served.ask()
    with pytest.raises(ModelBudgetReached, match="cap of 3 model calls is reached .3 made"):
        served.ask()
    assert len(served.server.chats) == 3


def test_a_cap_in_the_middle_of_retries_ends_them(serve: Open) -> None:
    served = serve([failing(500)], caps=ModelCaps(calls=2))
    with pytest.raises(ModelBudgetReached):
        served.ask()
    assert len(served.server.chats) == 2


def test_a_cap_on_tokens_refuses_a_call_whose_worst_case_would_pass_it(serve: Open) -> None:
    served = serve([answer(GOOD, usage=(900, 50))], caps=ModelCaps(tokens=1500))
    served.ask(max_tokens=1000)
    with pytest.raises(ModelBudgetReached, match="cap of 1,500 model tokens might be passed: 950 are"):
        served.ask(max_tokens=1000)
    assert len(served.server.chats) == 1
    assert served.ask(max_tokens=100).value.layers == 2  # a smaller question still fits


def test_what_earlier_sessions_spent_counts(serve: Open) -> None:
    spent = ModelSpend(calls=59, prompt_tokens=10, completion_tokens=5, dollars=0.1)
    served = serve([answer(GOOD, usage=(7, 3))], spent=spent)
    served.ask()
    assert served.model.usage == ModelSpend(calls=60, prompt_tokens=17, completion_tokens=8, dollars=0.1)
    with pytest.raises(ModelBudgetReached):
        served.ask()


def test_threads_calling_at_once_cannot_pass_a_cap_together(serve: Open) -> None:
    served = serve(lambda r: answer(GOOD, delay_s=0.05), caps=ModelCaps(calls=5))

    def ask(_: int) -> bool:
        try:
            return served.ask().value.layers == 2
        except ModelBudgetReached:
            return False

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(ask, range(12))) == 5
    assert len(served.server.chats) == 5
    assert [call.spend.calls for call in served.calls] == [1, 2, 3, 4, 5]


def test_an_unknown_price_under_a_dollar_cap_is_refused_with_the_fix() -> None:
    ledger = Ledger(ModelCaps(), lambda event: None, ModelSpend())
    with pytest.raises(ModelBudgetReached, match=r"price of 'm'.*Set `budget.model.dollars` to null"):
        ledger.reserve("m", "test", 10, 10, None)


def test_an_unknown_price_without_a_dollar_cap_makes_the_total_unknown_not_free() -> None:
    events: list[Any] = []
    ledger = Ledger(ModelCaps(dollars=None), events.append, ModelSpend(dollars=1.0))
    ledger.settle(ledger.reserve("m", "test", 10, 10, None), Usage(10, 10), ok=True, seconds=0.1)
    assert (ledger.spend.dollars, events[0].dollars) == (None, None)
    capped = Ledger(ModelCaps(dollars=5.0), events.append, ledger.spend)
    with pytest.raises(
        ModelBudgetReached, match="earlier calls of this run went to a model of unknown price"
    ):
        capped.reserve("m", "test", 10, 10, FREE)


def test_a_cap_on_dollars_holds_for_the_worst_case_of_all_that_is_under_way() -> None:
    price = price_of("gpt-5-mini", "https://api.openai.com/v1")
    assert price is not None and price.source == "list price"
    worst = price.dollars(1000, 4000)
    ledger = Ledger(ModelCaps(dollars=2.5 * worst), lambda event: None, ModelSpend())
    held = [ledger.reserve("gpt-5-mini", "test", 1000, 4000, price) for _ in range(2)]
    with pytest.raises(ModelBudgetReached, match="for the model might be passed"):
        ledger.reserve("gpt-5-mini", "test", 1000, 4000, price)
    for reservation in held:
        ledger.settle(reservation, Usage(1000, 10), ok=True, seconds=1)
    assert ledger.spend.dollars == pytest.approx(2 * price.dollars(1000, 10))
    ledger.reserve("gpt-5-mini", "test", 1000, 4000, price)


def test_a_server_of_ones_own_is_free_and_said_to_be(serve: Open) -> None:
    served = serve([answer(GOOD)])
    served.ask()
    assert served.model.usage.dollars == 0.0
    assert [note for note in served.notes if "assumed free: own server" in note]


def test_a_remote_model_of_unknown_price_is_refused_before_anything_is_sent(
    serve: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing, "is_own_server", lambda url: False)  # the test's server plays a remote one
    served = serve([answer(GOOD)])
    with pytest.raises(ModelError, match="nobody here knows the price of 'fake-model'"):
        served.ask()
    assert served.server.chats == []


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://192.168.1.7:11434/v1", True),
        ("http://vllm:8000/v1", True),
        ("http://gpu.lan/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.example.com/v1", False),
    ],
)
def test_only_this_machine_and_private_networks_count_as_own(url: str, own: bool) -> None:
    assert is_own_server(url) is own


def test_a_known_model_at_an_unknown_server_is_priced_by_its_maker_and_said_so() -> None:
    price = price_of("gpt-5-mini", "https://gateway.example.com/v1")
    assert price is not None and "maker" in price.source
    assert price_of("no-such-model-anywhere", "https://gateway.example.com/v1") is None


@pytest.mark.long
@settings(max_examples=50)
@given(st.text(max_size=200))
def test_the_estimate_lies_between_one_a_word_or_digit_and_one_a_byte(text: str) -> None:
    pieces = re.findall(r"[A-Za-z]+|[0-9]", text)
    assert len(pieces) <= estimate_tokens(text) <= len(text.encode(errors="replace"))


def test_tools_and_schemas_count_into_the_estimate() -> None:
    bare = {"messages": [{"role": "user", "content": "hi"}]}
    tool = {"type": "function", "function": {"name": "f", "description": "word " * 200}}
    assert estimate_prompt({**bare, "tools": [tool]}) > estimate_prompt(bare) + 200
