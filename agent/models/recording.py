"""Model conversations on disk, and finding the one that fits again.

`exchanges.jsonl` has one line an attempt: `{key, request, response, at}`. The key is a hash of what the
model is asked (model, messages, tools, parameters), without what differs from run to run (tool-call
ids) and without where it is asked. The same request asked n times has n lines, replayed in their order.
No header of a request is ever recorded, so no key is.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os.path
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tunesmith.errors import ReplayMiss
from tunesmith.text.cleaning import clean

VOLATILE = ("stream_options", "user", "metadata", "store", "prompt_cache_key", "safety_identifier")
"""Fields of a request that do not change what is asked."""
KEPT_HEADERS = ("content-type", "retry-after", "x-request-id")
"""Headers of a response that are recorded; the rest may hold cookies or an organisation's name."""

Exchange = dict[str, Any]


def canonical(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request without what may differ between two runs of the same conversation."""
    kept = {name: value for name, value in body.items() if name not in VOLATILE and value is not None}
    kept["stream"] = bool(kept.get("stream"))
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
    return {"method": method, "path": _route(path), "body": kept if method == "POST" else {}}


def key_of(request: dict[str, Any]) -> str:
    """Hash of a canonical request, 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:32]


class Recorder:
    """Appends exchanges to a file; safe to use from several threads.

    Args:
        path: The file; made when the first exchange comes.
        secrets: Texts that must not reach it; each is replaced by `[key]`.
    """

    def __init__(self, path: Path, secrets: tuple[str, ...] = ()) -> None:
        self.path, self._secrets = path, secrets
        self._lock = threading.Lock()  # one line at a time

    def append(self, request: dict[str, Any], response: Exchange) -> None:
        """Record one exchange. `request` is canonical."""
        line = {"key": key_of(request), "request": request, "response": response, "at": time.time()}
        text = scrub(json.dumps(line), self._secrets)
        with self._lock:
            torn = self.path.exists() and not _ends_a_line(self.path)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(("\n" if torn else "") + text + "\n")


class Player:
    """Answers requests from a recording; safe to use from several threads.

    Args:
        path: The file. A torn last line, from a run that was killed, is left out.
    Raises:
        ReplayMiss: there is no such file, or nothing in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # guards the counts
        self._asked: Counter[str] = Counter()
        self._exchanges: list[Exchange] = []
        if path.exists():
            for text in path.read_text(encoding="utf-8").splitlines():
                line = _parsed(text)
                if line is not None:
                    self._exchanges.append(line)
        if not self._exchanges:
            raise ReplayMiss(f"{path} holds no recorded exchange. Record one first, with mode 'record'.")
        self._by_key: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in self._exchanges:
            self._by_key[exchange["key"]].append(exchange)

    @property
    def model(self) -> str | None:
        """The model of the first recorded conversation."""
        models = (exchange["request"]["body"].get("model") for exchange in self._exchanges)
        return next((str(model) for model in models if model), None)

    def next(self, request: dict[str, Any]) -> Exchange:
        """The response recorded for this canonical request, the n-th one for its n-th asking.

        Raises:
            ReplayMiss: none fits, or all that fit are used; says what the nearest one had instead.
        """
        key = key_of(request)
        with self._lock:
            turn = self._asked[key]
            self._asked[key] += 1
        recorded = self._by_key.get(key, [])
        if turn < len(recorded):
            return dict(recorded[turn]["response"])
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


def _route(path: str) -> str:
    """The end of a path, so that a base URL of another depth replays the same."""
    return "models" if path.rstrip("/").endswith("/models") else "chat/completions"


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _parsed(text: str) -> Exchange | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and {"key", "request", "response"} <= line.keys() else None


def _lines(request: dict[str, Any]) -> list[str]:
    """A request as lines that can be compared: each one tells where it stands."""
    body = request["body"]
    lines = [
        f"{name}: {json.dumps(body[name], sort_keys=True)}" for name in sorted(body) if name != "messages"
    ]
    for number, message in enumerate(body.get("messages") or [], 1):
        rest = {name: value for name, value in message.items() if name not in ("role", "content")}
        where = f"message {number} ({message.get('role')})"
        lines += [f"{where}: {line}" for line in str(message.get("content") or "").splitlines()]
        lines += [f"{where}, {name}: {json.dumps(rest[name], sort_keys=True)}" for name in sorted(rest)]
    return lines


def _first_difference(recorded: list[str], asked: list[str]) -> str:
    matcher = difflib.SequenceMatcher(None, recorded, asked, autojunk=False)
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag != "equal":
            had, has = "\n".join(recorded[a:a_end][:3]), "\n".join(asked[b:b_end][:3])
            same = len(os.path.commonprefix([had, has]))
            if same > 60:  # a long line that differs late: show the place, and keep the message's number
                where = " in " + had.split(":", 1)[0]
                had, has = had[same - 40 :], has[same - 40 :]
            else:
                where = ""
            had, has = clean(had, 300) or "nothing", clean(has, 300) or "nothing"
            return f"First difference{where}: recorded was [{had}], asked is [{has}]."
    return f"They differ in their route: {recorded[:1]} and {asked[:1]}."


def _gist(request: dict[str, Any]) -> str:
    messages = request["body"].get("messages") or []
    if not messages:
        return f"{request['method']} {request['path']}"
    role, words = messages[-1].get("role"), clean(messages[-1].get("content") or "", 80)
    return f"{request['body'].get('model')}, {len(messages)} messages, the last from {role}: {words!r}"
