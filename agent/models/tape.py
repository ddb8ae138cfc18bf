"""Recording and replaying at the level of HTTP: what the clients above see is the same in every mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2

from tunesmith.agent.models.recording import KEPT_HEADERS, Player, Recorder, canonical
from tunesmith.agent.models.wire import STREAM_END


class RecordingTransport(httpx2.BaseTransport):
    """Passes everything on, and appends each exchange to the recording when it is over."""

    def __init__(self, inner: httpx2.BaseTransport, recorder: Recorder) -> None:
        self._inner, self._recorder = inner, recorder

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = _canonical(request)
        try:
            response = self._inner.handle_request(request)
        except httpx2.TransportError as exc:
            self._recorder.append(asked, {"error": type(exc).__name__})
            raise
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        head = {"status": response.status_code, "headers": headers}
        return httpx2.Response(
            response.status_code,
            headers=headers,
            stream=_Recorded(response, asked, head, self._recorder),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class _Recorded(httpx2.SyncByteStream):
    """A body on its way through; recorded with all that came of it, and why it ended early if it did."""

    def __init__(
        self, response: httpx2.Response, asked: dict[str, Any], head: dict[str, Any], recorder: Recorder
    ) -> None:
        self._response, self._asked, self._head, self._recorder = response, asked, head, recorder
        self._chunks: list[bytes] = []
        self._written = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._response.iter_bytes():
                self._chunks.append(chunk)
                yield chunk
        except httpx2.TransportError as exc:
            self._write(type(exc).__name__)
            raise
        self._write("")

    def close(self) -> None:
        self._response.close()
        # Readers of a stream stop at its end mark; one that stops before is the door at its deadline.
        self._write("" if STREAM_END in b"".join(self._chunks[-2:]) else "ReadTimeout")

    def _write(self, error: str) -> None:
        if self._written:
            return
        self._written = True
        text = b"".join(self._chunks).decode(errors="replace")
        streamed = "event-stream" in self._head["headers"].get("content-type", "")
        body = {"chunks": text.splitlines(keepends=True)} if streamed else {"body": text}
        self._recorder.append(self._asked, {**self._head, **body, **({"error": error} if error else {})})


class ReplayTransport(httpx2.BaseTransport):
    """Answers from a recording; there is no network behind it. Raises ReplayMiss."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        recorded = self._player.next(_canonical(request))
        error = recorded.get("error")
        if "status" not in recorded:
            raise _fault(str(error))
        chunks = [c.encode() for c in recorded.get("chunks", [])] or [recorded.get("body", "").encode()]
        headers = dict(recorded["headers"])
        if recorded["status"] != 200:
            headers["retry-after-ms"] = "1"  # the server's rest is over long ago
        return httpx2.Response(recorded["status"], headers=headers, stream=_Replayed(chunks, error))


class _Replayed(httpx2.SyncByteStream):
    def __init__(self, chunks: list[bytes], error: str | None) -> None:
        self._chunks, self._error = chunks, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._error:
            raise _fault(self._error)


def _fault(name: str) -> httpx2.TransportError:
    """The recorded error again; a name that is none of httpx2's reads as a lost connection."""
    kind = getattr(httpx2, name, None)
    if isinstance(kind, type) and issubclass(kind, httpx2.TransportError):
        return kind("as recorded")
    return httpx2.ReadError(f"as recorded ({name})")


def _canonical(request: httpx2.Request) -> dict[str, Any]:
    content = request.read()
    return canonical(request.method, request.url.path, json.loads(content) if content else {})
