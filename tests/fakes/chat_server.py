"""A real local HTTP server that speaks the chat-completions protocol, faults included.

    def script(request: ChatRequest) -> Reply | str | dict:
        return calls(("suggest", {"n": 2})) if request.turn == 0 else text("done")

    with ChatServer(script) as server:
        ...  # base_url = server.url

A script is a callable, one reply for every request, or a list played in order (its last one repeats).
A str is a text answer and a dict an answer as JSON (through the tool when the request forces one, as a
real server does). A reply with one answer is given as often as the request's `n` says; `several` gives
different ones. The server streams whatever reply the request wants streamed, with usage
when the request asks for it, and keeps every request it got.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ChatRequest:
    """One request as it came in."""

    number: int
    """0 for the server's first chat request; counts every attempt, retries included."""
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any] = field(default_factory=dict)
    n: int = 1
    """Choices that the server will give."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))

    @property
    def last(self) -> str:
        """Text of the last message."""
        return str(self.messages[-1].get("content") or "") if self.messages else ""

    @property
    def turn(self) -> int:
        """How many times the assistant has spoken in this conversation."""
        return sum(message["role"] == "assistant" for message in self.messages)

    @property
    def tools(self) -> list[str]:
        """Names of the tools on offer."""
        return [tool["function"]["name"] for tool in self.body.get("tools") or []]

    @property
    def forced_tool(self) -> str | None:
        choice = self.body.get("tool_choice")
        return choice["function"]["name"] if isinstance(choice, dict) else None

    @property
    def streamed(self) -> bool:
        return bool(self.body.get("stream"))


@dataclass(frozen=True)
class Reply:
    """What the server does; build one with the functions below."""

    content: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    """(tool name, arguments as JSON text)"""
    refusal: str | None = None
    finish_reason: str | None = None
    """None means `tool_calls` or `stop`, as fits."""
    usage: tuple[int, int] | None = (-1, -1)
    """(prompt, completion) tokens; -1 means about four characters a token; None sends no usage at all."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as the body instead of a chat completion."""
    delay_s: float = 0.0
    """Seconds of silence before the first byte; ends early when the server closes."""
    cut_after: int | None = None
    """Break the connection after this many bytes of the body, or that many chunks of a stream."""
    pace_s: float = 0.0
    """Seconds between the chunks of a stream."""
    before: Callable[[int], object] | None = None
    """Called before each chunk of a stream with its number, from 0 (the role): a test may wait in it."""
    empty: bool = False
    """Answer with an empty list of choices."""
    contents: tuple[str, ...] = ()
    """Texts of several choices, as many of them as are asked for (and again from the start if more are)."""
    tokens: tuple[tuple[tuple[str, float, dict[str, float]], ...], ...] = ()
    """(token, log-probability, alternatives) at each place of each choice; sent if asked for."""


def text(content: str, **more: Any) -> Reply:
    return Reply(content=content, **more)


def several(*contents: str, **more: Any) -> Reply:
    """Different answers in one reply, for requests with `n`."""
    return Reply(content=contents[0], contents=contents, **more)


def answer(value: object, **more: Any) -> Reply:
    """A value as JSON text, and nothing else."""
    return Reply(content=json.dumps(value), **more)


def calls(*tools: tuple[str, dict[str, Any]], content: str | None = None, **more: Any) -> Reply:
    """Tool calls, with what the model says beside them."""
    return Reply(content=content, tool_calls=tuple((name, json.dumps(args)) for name, args in tools), **more)


def refusal(words: str = "I cannot help with that.") -> Reply:
    """A refusal in the protocol's own field."""
    return Reply(refusal=words)


def cut(content: str) -> Reply:
    """An answer that ran into the token limit."""
    return Reply(content=content, finish_reason="length")


def empty() -> Reply:
    return Reply(empty=True)


def failing(status: int, message: str = "", **more: Any) -> Reply:
    """An error in the provider's shape, such as 401, 404, 429 or 500."""
    words = message or {401: "Incorrect API key provided", 429: "Rate limit reached"}.get(
        status, "server error"
    )
    body = {"error": {"message": words, "type": "error", "code": None}}
    return Reply(status=status, raw=json.dumps(body).encode(), **more)


def rate_limited(retry_after_s: float) -> Reply:
    return failing(429, headers={"Retry-After": f"{retry_after_s:g}"})


def hanging(seconds: float = 3600.0) -> Reply:
    """Accepts the request, then says nothing."""
    return Reply(content="too late", delay_s=seconds)


def truncated(content: str = '{"lr": 0.01}') -> Reply:
    """The connection breaks in the middle of the body, or of the stream."""
    return Reply(content=content, cut_after=60)


def disconnecting(content: str, chunks: int = 2) -> Reply:
    """A stream that breaks after some chunks."""
    return Reply(content=content, cut_after=chunks)


def malformed(raw: bytes = b'{"choices": [{"message": ') -> Reply:
    """Status 200 and a body that is no JSON."""
    return Reply(raw=raw)


Script = Callable[[ChatRequest], "Reply | str | dict[str, Any]"] | Sequence["Reply | str | dict[str, Any]"]


class ChatServer:
    """The server; a context manager.

    Args:
        script: See the module's docstring.
        models: What `GET /v1/models` lists.
        listing: What it answers, in another shape than OpenAI's.
        root: Path under which the routes are.
        lost: What it answers at any other path.
        rejects: Fields of a request that this server answers with 400, such as `response_format`, `tools`.
        ignores: Fields that it takes and does nothing about, of `n` and `logprobs`.
        key: The only API key it accepts; None accepts any.
        port: 0 takes any that is free.
    Attributes:
        chats: Every chat request so far, in order of arrival.
        requests: The same with `GET /v1/models` among them.
        url: Base URL, ending in `/v1`.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        models: Sequence[str] = ("fake-model",),
        rejects: Sequence[str] = (),
        ignores: Sequence[str] = (),
        key: str | None = None,
        port: int = 0,
        listing: Any = None,
        root: str = "/v1",
        lost: Reply | None = None,
    ) -> None:
        self.listing, self.root, self.lost = listing, root, lost
        self.script, self.models, self.rejects, self.key = script, tuple(models), tuple(rejects), key
        self.ignores = tuple(ignores)
        self.requests: list[ChatRequest] = []
        self.chats: list[ChatRequest] = []
        self._lock = threading.Lock()  # guards the two lists
        self.closing = threading.Event()
        self._http = _Server(("127.0.0.1", port), _handler_for(self))
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{root}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def note(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> ChatRequest:
        with self._lock:
            kept = {name: value for name, value in body.items() if name not in self.ignores}
            request = ChatRequest(len(self.chats), method, path, headers, body, int(kept.get("n") or 1))
            self.requests.append(request)
            if method == "POST":
                self.chats.append(request)
            return request

    def reply_to(self, request: ChatRequest) -> Reply:
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return failing(401)
        path = request.path.partition("?")[0]
        if path == f"{self.root}/models":
            entries = [{"id": name, "object": "model"} for name in self.models]
            listing = self.listing if self.listing is not None else {"object": "list", "data": entries}
            return Reply(raw=json.dumps(listing).encode())
        if path != f"{self.root}/chat/completions":
            return self.lost or failing(404, f"no route {path}")
        for name in self.rejects:
            if request.body.get(name) is not None:
                return failing(400, f"{name} is not supported by this server")
        if callable(self.script):
            said = self.script(request)
        elif not self.script:
            return failing(500, "this server has no script")
        else:
            said = self.script[min(request.number, len(self.script) - 1)]
        if isinstance(said, Reply):
            return said
        if isinstance(said, str):
            return text(said)
        return calls((request.forced_tool, said)) if request.forced_tool else answer(said)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging reply must not hold up the end of a test

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up on us are what the tests are about; anything else goes to stderr."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler_for(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or every reply waits 40 ms for the client's delayed ACK

        def log_message(self, *args: object) -> None:
            """Quiet: tests read `server.requests` instead."""

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = server.note(self.command, self.path, headers, body)
            reply = server.reply_to(request)
            if reply.delay_s and server.closing.wait(reply.delay_s):
                self.close_connection = True
                return
            if request.streamed and reply.raw is None:
                self._stream(request, reply)
            else:
                self._send(
                    reply, reply.raw if reply.raw is not None else _completion(request, reply, server.ignores)
                )

        def _send(self, reply: Reply, body: bytes) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if reply.cut_after is None else body[: reply.cut_after])
            self.close_connection = self.close_connection or reply.cut_after is not None

        def _stream(self, request: ChatRequest, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for sent, event in enumerate(_events(request, reply)):
                if sent == reply.cut_after:
                    self.close_connection = True  # without the last chunk: a broken connection
                    return
                if reply.before is not None:
                    reply.before(sent)
                data = f"data: {event}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
                if reply.pace_s and server.closing.wait(reply.pace_s):
                    return
            self.wfile.write(b"0\r\n\r\n")

    return Handler


def _usage(request: ChatRequest, reply: Reply) -> dict[str, int] | None:
    if reply.usage is None:
        return None
    contents = [
        reply.contents[index % len(reply.contents)] if reply.contents else reply.content or ""
        for index in range(request.n)
    ]
    said = "".join(contents) + "".join(arguments for _, arguments in reply.tool_calls)
    estimates = (len(json.dumps(request.messages)) // 4 + 1, len(said) // 4 + 1)
    prompt, completion = (guess if n < 0 else n for n, guess in zip(reply.usage, estimates, strict=True))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _finish_reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _frame(request: ChatRequest, kind: str) -> dict[str, Any]:
    model = request.body.get("model", "fake-model")
    return {"id": f"chatcmpl-{request.number}", "object": kind, "created": int(time.time()), "model": model}


def _tool_calls(request: ChatRequest, reply: Reply) -> list[dict[str, Any]]:
    # A fresh id every time, as real servers do: replays must not depend on them.
    return [
        {
            "id": f"call_{time.monotonic_ns():x}_{request.number}_{index}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for index, (name, arguments) in enumerate(reply.tool_calls)
    ]


def _completion(request: ChatRequest, reply: Reply, ignores: Sequence[str] = ()) -> bytes:
    choices: list[dict[str, Any]] = []
    for index in range(0 if reply.empty else request.n):
        content = reply.contents[index % len(reply.contents)] if reply.contents else reply.content
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": reply.refusal}
        if reply.tool_calls:
            message["tool_calls"] = _tool_calls(request, reply)
        choice = {"index": index, "message": message, "finish_reason": _finish_reason(reply)}
        if request.body.get("logprobs") and "logprobs" not in ignores and reply.tokens:
            most = request.body.get("top_logprobs", 0)
            choice["logprobs"] = {"content": _places(reply.tokens[index % len(reply.tokens)], most)}
        choices.append(choice)
    body = {**_frame(request, "chat.completion"), "choices": choices}
    usage = _usage(request, reply)
    return json.dumps(body if usage is None else {**body, "usage": usage}).encode()


def _places(tokens: Sequence[tuple[str, float, dict[str, float]]], most: int) -> list[dict[str, Any]]:
    """Log-probabilities as the protocol has them: each place with its likeliest tokens."""
    return [
        {
            "token": token,
            "logprob": logprob,
            "top_logprobs": [
                {"token": other, "logprob": value}
                for other, value in sorted(top.items(), key=lambda pair: -pair[1])[:most]
            ],
        }
        for token, logprob, top in tokens
    ]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _events(request: ChatRequest, reply: Reply) -> Iterator[str]:
    """The reply as server-sent events: role, words, tool calls in pieces, finish reason, usage, end."""
    frame = _frame(request, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        return json.dumps({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    if not reply.empty:
        yield chunk({"role": "assistant", "content": ""})
        for word in (reply.content or "").replace(" ", " \0").split("\0"):
            if word:
                yield chunk({"content": word})
        if reply.refusal:
            yield chunk({"refusal": reply.refusal})
        for index, call in enumerate(_tool_calls(request, reply)):
            arguments = call["function"]["arguments"]
            opening = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
            yield chunk({"tool_calls": [opening]})
            for start in range(0, len(arguments), 12):
                piece = {"index": index, "function": {"arguments": arguments[start : start + 12]}}
                yield chunk({"tool_calls": [piece]})
        yield chunk({}, _finish_reason(reply))
    usage = _usage(request, reply)
    if usage is not None and (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({**frame, "choices": [], "usage": usage})
    yield "[DONE]"


def without_usage(reply: Reply) -> Reply:
    """The same reply from a server that counts no tokens."""
    return replace(reply, usage=None)
