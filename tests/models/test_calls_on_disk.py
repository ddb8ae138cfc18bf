"""The cap on calls holds across kills; what no server counted is estimated from words, and said to be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatServer, Reply, answer, failing, hanging, text, without_usage
from fakes.served_model import HELLO, KEY, Point, ServedModel
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.agent.models.estimating import estimate_tokens, likely_tokens
from tunesmith.agent.models.language_model import NOTHING_SPENT
from tunesmith.agent.models.reservations import Reservations
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import ModelBudgetReached, ModelUnavailable
from tunesmith.events import ModelCalled
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
SESSIONS = """
import os, sys
from pathlib import Path
from pydantic import SecretStr
import openai, httpx2
from tunesmith.agent.models import open_model
from tunesmith.budget import ModelCaps
from tunesmith.settings import ModelSettings
url, folder = sys.argv[1], Path(sys.argv[2])
for line in sys.stdin:  # one session each, in a process of its own
    child = os.fork()
    if child == 0:
        settings = ModelSettings(base_url=url, model="m", api_key=SecretStr("sk-canary-0123456789"))
        model = open_model(settings, ModelCaps(calls=3), lambda event: event, exchanges=folder / "e.jsonl",
                           calls=folder / "calls.jsonl")
        try:
            model.sample([{"role": "user", "content": "hi"}], purpose="test")
        except Exception as error:
            print("refused", type(error).__name__, flush=True)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


def open_again(
    server: ChatServer, folder: Path, events: list[Any], *, spent: ModelSpend = NOTHING_SPENT, **caps: Any
) -> LanguageModel:
    settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr(KEY))
    return open_model(
        settings, ModelCaps(**caps), events.append, mode="live", calls=folder / "calls.jsonl", spent=spent
    )


@pytest.mark.long
def test_sessions_killed_in_their_calls_cannot_pass_a_cap_together(tmp_path: Path) -> None:
    """Real processes, each ended by kill -9 while the server has its request."""
    arrived = threading.Semaphore(0)

    def script(request: Any) -> Reply:
        arrived.release()
        return hanging()

    with ChatServer(script) as server:
        command = [sys.executable, "-P", "-c", SESSIONS, server.url, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            heard = []
            for number in range(6):
                process.stdin.write("go\n")
                process.stdin.flush()
                child = int(process.stdout.readline())
                if number < 3:
                    assert arrived.acquire(timeout=60)
                    os.kill(child, signal.SIGKILL)
                while (line := process.stdout.readline().strip()) != "over":
                    heard.append(line)
            process.stdin.close()
        assert heard == ["refused ModelBudgetReached"] * 3
        assert len(server.chats) == 3
        events: list[Any] = []
        model = open_again(server, tmp_path, events, calls=4)
        assert model.usage.calls == 3 and model.usage.completion_tokens == 3 * 4096
        assert events == [], "the lost attempts were told in the sessions after them"
    settled = [line for line in (tmp_path / "calls.jsonl").read_text().splitlines() if "settled" in line]
    assert len(settled) == 3


def test_a_lost_attempt_counts_in_full_under_every_cap_and_is_told_once(tmp_path: Path) -> None:
    with ChatServer([answer(GOOD, usage=(900, 50))]) as server:
        events: list[Any] = []
        first = open_again(server, tmp_path, events, calls=9, tokens=12_000)
        first.complete(HELLO, Point, purpose="one")
        lost = Reservations(tmp_path / "calls.jsonl", ModelSpend())
        lost.reserve("m", "two", 1000, 4096, 0.0)  # as a killed process leaves it
        for number in (0, 1):
            later: list[Any] = []
            model = open_again(server, tmp_path, later, spent=first.usage, calls=9, tokens=12_000)
            assert (model.usage.calls, model.usage.tokens) == (2, 950 + 5096)
            told = [(e.purpose, e.ok, e.estimated, e.spend.calls) for e in later]
            assert told == [("two", False, True, 2)] * (number == 0)
        assert model.complete(HELLO, Point, purpose="three").tokens == 950
        with pytest.raises(ModelBudgetReached, match="7,[0-9]{3}|6,996"):
            model.complete(HELLO, Point, purpose="four", max_tokens=6000)
        assert len(server.chats) == 2


def test_what_an_older_version_spent_without_the_file_counts_too(tmp_path: Path) -> None:
    spent = ModelSpend(calls=5, prompt_tokens=100, completion_tokens=10, dollars=0.5)
    with ChatServer([answer(GOOD, usage=(7, 3))]) as server:
        for calls in (5, 6):
            model = open_again(server, tmp_path, [], spent=spent, calls=7)
            assert model.usage.calls == calls
            if calls == 5:
                model.complete(HELLO, Point, purpose="test")
                spent = model.usage
        assert model.usage == ModelSpend(calls=6, prompt_tokens=107, completion_tokens=13, dollars=0.5)


@pytest.mark.parametrize("what", ["folder", "link", "pipe", "read-only folder"])
def test_nothing_is_sent_where_no_reservation_can_be_kept(tmp_path: Path, what: str) -> None:
    path = tmp_path / "calls.jsonl"
    if what == "folder":
        path.mkdir()
    elif what == "link":
        (tmp_path / "elsewhere").write_text("")
        path.symlink_to(tmp_path / "elsewhere")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "none" / "calls.jsonl"
    with ChatServer([answer(GOOD)]) as server:
        settings = ModelSettings(base_url=server.url, model="m", api_key=SecretStr(KEY))
        with pytest.raises(ModelUnavailable, match="calls.jsonl: model calls cannot be written down"):
            open_model(settings, ModelCaps(), lambda e: e, mode="live", calls=path).sample(HELLO, purpose="t")
        assert server.chats == []
    assert what != "link" or (tmp_path / "elsewhere").read_text() == ""


def test_damaged_lines_are_left_out_and_never_lower_what_was_reserved(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    kept = Reservations(path, ModelSpend())
    kept.settle(kept.reserve("m", "a", 10, 20, 0.5), 1, 2, 0.25)
    kept.reserve("m", "b", 100, 200, 1.0)
    odd = [
        "[]",
        '"x"',
        '{"call": "7"}',
        '{"call": -1}',
        '{"settled": 2, "prompt_tokens": "many"}',
        "[" * 9999,
    ]
    with path.open("a") as file:
        file.write("\n".join(odd) + '\n{"call": 3, "pur')
    again = Reservations(path, ModelSpend())
    assert again.spend.calls + len(again.unsettled) == 2
    assert again.spend.tokens + sum(h.prompt_tokens + h.completion_tokens for h in again.unsettled) == 303
    assert again.reserve("m", "c", 1, 1, None) == 3
    assert json.loads(path.read_text().splitlines()[-1])["call"] == 3


def test_a_stream_without_usage_is_booked_by_its_words_and_marked(serve: Open) -> None:
    """The chunks of a tool call weigh many times their words."""
    words = "The learning rate matters most, so I would try 0.0003 with 4 layers next. " * 40
    arguments = {"reason": words, "own": [{"lr": 0.0003, "layers": 4}] * 20}
    served = serve(lambda r: without_usage(Reply(content=words, tool_calls=(("t", json.dumps(arguments)),))))
    served.say()
    (call,) = served.calls
    true = (len(words) * 2 + len(json.dumps(arguments["own"]))) / 4
    assert call.estimated and 0.7 * true < call.completion_tokens < 1.6 * true
    assert call.prompt_tokens < 40
    counted = serve([text("one", usage=(9, 1))], exchanges=None, mode="live")
    counted.say()
    assert [c.estimated for c in counted.calls] == [False]


def test_zero_tokens_for_many_words_are_not_believed(serve: Open) -> None:
    served = serve([text("many words in an answer", usage=(0, 0))])
    served.model.sample(HELLO, purpose="test")
    assert served.calls[0].estimated and served.calls[0].completion_tokens >= 5


def test_other_names_of_usage_are_read(serve: Open) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    shapes: list[dict[str, Any]] = [
        {"usage": {"input_tokens": 11, "output_tokens": 3}},
        {"usage": {"prompt_tokens": 11.0, "completion_tokens": 3.0}},
        {"x_groq": {"usage": {"prompt_tokens": 11, "completion_tokens": 3}}},
        {"prompt_eval_count": 11, "eval_count": 3},
        {"usage": None, "timings": {"prompt_n": 11, "predicted_n": 3}},
    ]
    served = serve([Reply(raw=json.dumps({"choices": [choice], **shape}).encode()) for shape in shapes])
    for _ in shapes:
        served.model.sample(HELLO, purpose="test")
    assert [(c.prompt_tokens, c.completion_tokens, c.estimated) for c in served.calls] == [(11, 3, False)] * 5


def test_an_error_costs_a_call_and_no_tokens(serve: Open) -> None:
    served = serve([failing(500), answer(GOOD, usage=(10, 5))])
    served.ask()
    assert [(c.ok, c.prompt_tokens + c.completion_tokens) for c in served.calls] == [(False, 0), (True, 15)]


def test_the_likely_count_lies_under_the_count_from_above() -> None:
    for words in (
        "",
        "a",
        "internationalisation",
        "lr=0.00012345, width=128",
        "жук 学习率 🙂",
        " \n\t x" * 50,
    ):
        assert likely_tokens(words) <= estimate_tokens(words)


def test_events_of_before_there_were_estimates_are_read() -> None:
    old = {"kind": "model_called", "purpose": "p", "model": "m", "ok": True, "seconds": 1.0, "dollars": None}
    spent = {"prompt_tokens": 1, "completion_tokens": 1, "spend": {"calls": 1}}
    assert ModelCalled.model_validate({**old, **spent}).estimated is False
