"""Model conversations on disk: recorded from any provider, and replayed as one.

`exchanges.jsonl` has one line an attempt: `{key, request, response, limits, at}`. The key is a hash of what
the model is asked (model, messages, tools, parameters), without what differs from run to run (tool-call
ids) and without where it is asked. The same request asked n times has n lines, replayed in their order. A
request that could not be sent has a line too, and a streamed answer ends with when its words came: how long
the model was waited for and how fast it was decides how it is asked, so a replay has to know. No header of a
request is recorded, so no key is. Lines of a provider without some capability name it (`lacking`), so that a
replay asks as the recorded run did. Between these lines the engine keeps when the answers took effect
(`tools/records/moments.py`).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tunesmith.agent.models.base import Answer, AttemptFailed, Capabilities, Provider, Request, as_chunk
from tunesmith.agent.models.faults import completion_of, connection_fault, status_fault
from tunesmith.agent.models.pricing import Price
from tunesmith.agent.models.streaming import Stopwatch
from tunesmith.agent.models.wire import stream_event
from tunesmith.errors import ModelError, ReplayMiss
from tunesmith.text.cleaning import clean
from tunesmith.text.secrets import redactor
from tunesmith.tools.records.line_file import append_line

VOLATILE = ("stream_options", "user", "metadata", "store", "prompt_cache_key", "safety_identifier")
"""Fields of a request that do not change what is asked."""
NOT_ASKED = "NotAsked"
"""In place of an error's name where a request was not sent."""
LINE = 100
"""Characters of a line in the comparison of two requests."""
Recorded = dict[str, Any]
_HEAD = {"status": 200, "headers": {"content-type": "application/json"}}
_STREAM_HEAD = {"status": 200, "headers": {"content-type": "text/event-stream"}}


def canonical(body: dict[str, Any], *, streamed: bool = False) -> dict[str, Any]:
    """A request without what may differ between two runs of the same conversation."""
    kept = {name: value for name, value in body.items() if name not in VOLATILE and value is not None}
    kept["stream"] = streamed
    ids: dict[str, str] = {}

    def steady(identifier: object) -> str:
        return ids.setdefault(str(identifier), f"call_{len(ids) + 1}")

    messages = []
    for message in kept.get("messages") or []:
        steadied = {name: value for name, value in message.items() if name != "id" and value is not None}
        if steadied.get("tool_calls"):
            steadied["tool_calls"] = [
                {**call, "id": steady(call.get("id"))} for call in steadied["tool_calls"]
            ]
        if "tool_call_id" in steadied:
            steadied["tool_call_id"] = steady(steadied["tool_call_id"])
        messages.append(steadied)
    if messages:
        kept["messages"] = messages
    return {"method": "POST", "path": "chat/completions", "body": kept}


def key_of(request: dict[str, Any]) -> str:
    """Hash of a canonical request, 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:32]


class Recording(Provider):
    """A provider whose exchanges are appended to a file.

    Args:
        inner: Answers the requests.
        path: The file; made when the first exchange comes.
        timeout_s: The limit that was set for a request; None: the provider's own. A replay is to know it.
        answer_tokens: The longest answer that was set; None: our own.
    """

    def __init__(
        self,
        inner: Provider,
        path: Path,
        timeout_s: float | None = None,
        answer_tokens: int | None = None,
    ) -> None:
        self._inner, self._path = inner, path
        self._limits: dict[str, Any] = {
            "timeout_s": timeout_s or inner.timeout_s,
            "own_server": inner.own_server,
        }
        if not inner.priced:
            self._limits["priced"] = False
        if answer_tokens is not None:
            self._limits["answer_tokens"] = answer_tokens
        self.own_server = inner.own_server
        self.place, self.capabilities, self.limit_name = inner.place, inner.capabilities, inner.limit_name
        self.timeout_s, self.secrets, self.priced = inner.timeout_s, inner.secrets, inner.priced

    @property
    def model(self) -> str:
        return self._inner.model

    def respond(self, request: Request, timeout_s: float) -> Answer:
        try:
            answer = self._inner.respond(request, timeout_s)
        except AttemptFailed as fault:
            self._append(canonical(request), fault.recorded)
            raise
        self._append(canonical(request), {**_HEAD, "body": json.dumps(answer)})
        return answer

    def stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        chunks: list[Answer] = []
        watch = Stopwatch()
        recorded: Recorded | None = {"error": "ReadTimeout"}  # where the reader stops before the end
        try:
            for chunk in self._inner.stream(request, timeout_s):
                watch.saw(chunk)
                chunks.append(chunk)
                yield chunk
            recorded = {}
            if watch.timing is not None:
                chunks.append(watch.timing.chunk())
                yield chunks[-1]
        except AttemptFailed as fault:
            recorded = fault.recorded
            if watch.timing is not None:
                chunks.append(watch.timing.chunk())
                yield chunks[-1]  # a replay is to know the same speed, so it is read from the same chunk
            raise
        except ModelError:
            recorded = None  # nothing was sent
            raise
        finally:
            if recorded is not None:
                lines = [f"data: {json.dumps(chunk)}\n" for chunk in chunks]
                response = {**_STREAM_HEAD, "chunks": lines, **recorded} if lines else recorded
                self._append(canonical(request, streamed=True), response)

    def unasked(self, request: Request, cause: str) -> None:
        self._append(canonical(request), {"error": NOT_ASKED, "cause": cause})

    def avoid(self, models: Collection[str]) -> None:
        self._inner.avoid(models)

    def another_model(self, refused: str) -> str | None:
        return self._inner.another_model(refused)

    def price(self) -> Price | None:
        return self._inner.price()

    def close(self) -> None:
        self._inner.close()

    def _append(self, request: dict[str, Any], response: Recorded) -> None:
        line = {"key": key_of(request), "request": request, "response": response, "at": time.time()}
        line["limits"] = self._limits
        lacking = [name for name, can in vars(self.capabilities).items() if not can]
        if lacking:
            line["lacking"] = lacking
        append_line(self._path, scrub(json.dumps(redactor().data(line)), self.secrets))


class RecordedConversation(Provider):
    """Answers from a recording alone, faults included; no network is used and nothing is spent.

    Args:
        path: The file. A torn last line, from a run that was killed, is left out.
        model: The model's name; None means the one that was recorded.
    Attributes:
        timeout_s, own_server, limit_name: As they were for the recorded model.
        effort, answer_tokens: As they were set.
    Raises:
        ReplayMiss: There is no such file, or nothing in it.
    """

    live = False

    def __init__(self, path: Path, model: str | None = None) -> None:
        self.path, self.place = path, f"the recording {path.name}"
        self._lock = threading.Lock()  # guards the counts
        self._asked: Counter[str] = Counter()
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        self._exchanges = [line for text in lines if (line := _parsed(text)) is not None]
        if not self._exchanges:
            raise ReplayMiss(f"{path} holds no recorded exchange. Record one first, with mode 'record'.")
        bodies = [exchange["request"]["body"] for exchange in self._exchanges]
        self._model = model or next((str(body["model"]) for body in bodies if body.get("model")), "recorded")
        self._by_key: dict[str, list[Recorded]] = defaultdict(list)
        for exchange, body in zip(self._exchanges, bodies, strict=True):
            named = {"model": self._model, **body}  # a server that was away did not say its model's name
            self._by_key[_asked({**exchange["request"], "body": named})].append(exchange)
        lacking, limits = self._exchanges[0].get("lacking", ()), self._exchanges[0].get("limits", {})
        self.capabilities = Capabilities(**{str(name): False for name in lacking})
        self.timeout_s = float(limits.get("timeout_s", self.timeout_s))
        self.own_server = bool(limits.get("own_server"))
        self.priced = bool(limits.get("priced", len(lacking) < len(vars(Capabilities()))))
        self.answer_tokens: int | None = limits.get("answer_tokens")
        asked: Recorded = next((body for body in bodies if "messages" in body and len(body) > 2), {})
        self.effort: str | None = asked.get("reasoning_effort")
        if "max_completion_tokens" in asked and "max_tokens" not in asked:
            self.limit_name = "max_completion_tokens"
        self._models = list(dict.fromkeys(str(body["model"]) for body in bodies if body.get("model")))

    @property
    def model(self) -> str:
        return self._model

    def another_model(self, refused: str) -> str | None:
        later = self._models[self._models.index(refused) + 1 :] if refused in self._models else []
        self._model = later[0] if later else self._model
        return self._model if later else None

    def price(self) -> Price:
        return Price(self._model, None, "", free=True)

    def was_unasked(self, request: Request) -> str:
        key = _asked(canonical(request))
        with self._lock:
            recorded, turn = self._by_key.get(key, []), self._asked[key]
            if turn == len(recorded) or recorded[turn]["response"].get("error") != NOT_ASKED:
                return ""
            self._asked[key] += 1
        return str(recorded[turn]["response"].get("cause")) or "the model was not asked"

    def respond(self, request: Request, timeout_s: float) -> Answer:
        response = self._next(canonical(request))
        self._raise_fault(response)
        return completion_of(response.get("body", ""), self.place)

    def stream(self, request: Request, timeout_s: float) -> Iterator[Answer]:
        response = self._next(canonical(request, streamed=True))
        if "chunks" not in response:
            self._raise_fault(response)
            yield as_chunk(completion_of(response.get("body", ""), self.place))
            return
        for line in response["chunks"]:
            if (event := stream_event(line)) is not None:
                yield event
        self._raise_fault(response)
        if response.get("body"):  # an error in the middle of the stream
            completion_of(response["body"], self.place)

    def _raise_fault(self, response: Recorded) -> None:
        if response.get("error") or "status" not in response:
            fault = connection_fault(str(response.get("error")), "as recorded", self.place)
            fault.retry = not response["last"]  # there was no time for another attempt
            raise fault
        if response["status"] != 200:
            # The server's pause is over long ago.
            headers = {**response["headers"], "retry-after-ms": "1"}
            raise status_fault(response["status"], response.get("body", ""), headers, self.place)

    def _next(self, request: dict[str, Any]) -> Recorded:
        """The response recorded for this canonical request, the n-th one for its n-th asking.

        Raises:
            ReplayMiss: none fits, or all that fit are used; the message names the nearest one.
        """
        key = _asked(request)
        with self._lock:
            turn = self._asked[key]
            self._asked[key] += 1
        recorded = self._by_key.get(key, [])
        if turn < len(recorded):
            return {**recorded[turn]["response"], "last": turn + 1 == len(recorded)}
        if recorded:
            raise ReplayMiss(
                f"this request is recorded {len(recorded)} times in {self.path} and was asked once more: "
                f"{_gist(request)}. Record the conversation anew."
            )
        raise ReplayMiss(self._nearest(request))

    def _nearest(self, request: dict[str, Any]) -> str:
        asked = _lines(request)
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(asked)
        scored = []
        for number, exchange in enumerate(self._exchanges, 1):
            recorded = _lines(exchange["request"])
            matcher.set_seq1(recorded)
            scored.append((matcher.ratio(), -number, recorded))
        likeness, negative, recorded = max(scored)
        return (
            f"no recording in {self.path} fits this request: {_gist(request)}. The nearest is line "
            f"{-negative} ({likeness:.0%} of its lines are the same). {_first_difference(recorded, asked)} "
            "Record the conversation anew, or undo what changed it."
        )


def scrub(text: str, secrets: tuple[str, ...]) -> str:
    """`text` with every secret replaced, also as JSON would write it."""
    for secret in secrets:
        text = text.replace(secret, "[key]").replace(json.dumps(secret)[1:-1], "[key]")
    return text


def _asked(request: dict[str, Any]) -> str:
    """What finds a recorded answer: whether it is wanted as a stream makes no difference."""
    body = {name: value for name, value in request["body"].items() if name != "stream"}
    return key_of({**request, "body": body})


def _parsed(text: str) -> Recorded | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and {"key", "request", "response"} <= line.keys() else None


def _lines(request: dict[str, Any]) -> list[str]:
    """A request as short lines that can be compared: each one names its message or parameter."""
    body = request["body"]
    lines = [
        f"{name}: {json.dumps(body[name], sort_keys=True)}" for name in sorted(body) if name != "messages"
    ]
    for number, message in enumerate(body.get("messages") or [], 1):
        where = f"message {number} ({message.get('role')})"
        for line in str(message.get("content") or "").splitlines():
            pieces = [line[i : i + LINE] for i in range(0, len(line), LINE)] or [""]
            lines += [f"{where}: {piece}" for piece in pieces]
        rest = {name: value for name, value in message.items() if name not in ("role", "content")}
        lines += [f"{where}, {name}: {json.dumps(rest[name], sort_keys=True)}" for name in sorted(rest)]
    return lines


def _first_difference(recorded: list[str], asked: list[str]) -> str:
    for tag, a, a_end, b, b_end in difflib.SequenceMatcher(None, recorded, asked, False).get_opcodes():
        if tag != "equal":
            had, has = " ".join(recorded[a:a_end][:3]), " ".join(asked[b:b_end][:3])
            return f"First difference: recorded was [{clean(had, 300)}], asked is [{clean(has, 300)}]."
    return "They differ in nothing that is shown."


def _gist(request: dict[str, Any]) -> str:
    messages = request["body"].get("messages") or []
    if not messages:
        return "a request without messages"
    role, words = messages[-1].get("role"), clean(messages[-1].get("content") or "", 80)
    return f"{request['body'].get('model')}, {len(messages)} messages, the last from {role}: {words!r}"
