"""A request of a program: read whole, within limits, and refused where two readers could read it differently.

A path is `/<token>/v1/<endpoint>`; the token is drawn for each run of an item, so that no other user of the
machine can spend the provider's key, and a call belongs to its item however many run at once.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

LARGEST_BODY = 64 << 20
"""Bytes of a request, also once it is decompressed."""
_LONGEST_LINE = 1 << 12
_PATH = re.compile(
    r"/(?P<token>[A-Za-z0-9_-]{20,100})/v1"
    r"(?P<endpoint>/chat/completions|/completions|/responses|/embeddings|/models(?:/[A-Za-z0-9][\w.:@-]*){0,4})"
    r"(?:\?(?P<query>[\w.~&=%+-]*))?",
    re.ASCII,
)
ENDPOINTS = "/chat/completions, /completions, /responses, /embeddings and /models"
CALLS = ("/chat/completions", "/completions", "/responses", "/embeddings")
"""What costs tokens, and is a POST."""
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_OWN = frozenset(
    {
        *("host", "content-length", "content-encoding", "accept-encoding", "expect"),
        *("authorization", "api-key", "x-api-key", "cookie"),
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"),
    }
)
"""What the proxy says itself, or what is not the provider's business."""
STAGE_HEADER = "x-tunesmith-stage"


class Source(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, size: int, /) -> bytes: ...


class Refused(Exception):
    """A request that is answered by an error in OpenAI's shape, and goes nowhere.

    Args:
        closes: Whether the connection ends: where its next request begins is not known.
    """

    def __init__(self, status: int, code: str, message: str, *, closes: bool = False) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.closes = status, code, message, closes

    def body(self) -> bytes:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    endpoint: str
    """Such as `/chat/completions`."""
    query: str
    """Without its question mark; empty for none."""
    headers: tuple[tuple[str, str], ...]
    """What is passed on; none of one connection only, and no credentials."""
    stage: str
    """What the header `X-Tunesmith-Stage` says; empty without one."""
    body: bytes
    document: Mapping[str, Any]
    """The body as JSON; empty for a GET."""


def address(method: str, target: str) -> tuple[str, str, str]:
    """(token, endpoint, query) of a request line.

    Raises:
        Refused: It asks for something else than the proxy passes on.
    """
    found = _PATH.fullmatch(target)
    if found is None:
        raise Refused(
            404,
            "unknown_url",
            f"Tunesmith's proxy passes on {ENDPOINTS} under the base URL that it gave the program, and "
            "nothing else.",
            closes=True,
        )
    endpoint = found["endpoint"]
    wanted = "POST" if endpoint in CALLS else "GET"
    if method != wanted:
        raise Refused(405, "method_not_allowed", f"{endpoint} is asked by {wanted}.", closes=True)
    return found["token"], endpoint, found["query"] or ""


def read_body(headers: Iterable[tuple[str, str]], file: Source) -> bytes:
    """The body of a request, decompressed.

    Raises:
        Refused: Its length is not stated in exactly one way, or it is too large.
    """
    named = [(name.lower().strip(), value.strip()) for name, value in headers]
    if any(name != name.strip() or not name for name, _ in headers):
        raise _ambiguous("a header's name has blanks")
    lengths = [value for name, value in named if name == "content-length"]
    codings = [value for name, value in named if name == "transfer-encoding"]
    if codings and lengths:
        raise _ambiguous("Content-Length and Transfer-Encoding are both there")
    if len(codings) > 1 or (codings and codings[0].lower() != "chunked"):
        raise _ambiguous("a Transfer-Encoding other than `chunked`")
    if len(lengths) > 1 or (lengths and re.fullmatch(r"[0-9]{1,15}", lengths[0]) is None):
        raise _ambiguous("Content-Length is not one number")
    body = _chunks(file) if codings else _exactly(file, int(lengths[0]) if lengths else 0)
    encodings = [value.lower() for name, value in named if name == "content-encoding"]
    if encodings in ([], ["identity"]):
        return body
    if encodings not in (["gzip"], ["deflate"]):
        raise Refused(415, "unsupported_encoding", "A request's body may be compressed by gzip or deflate.")
    return inflated(body, LARGEST_BODY)


def inflated(data: bytes, most: int) -> bytes:
    """gzip or deflate undone.

    Raises:
        Refused: It is damaged, or holds more than `most` bytes.
    """
    reader = zlib.decompressobj(47)  # 32 + 15: by its head
    try:
        whole = reader.decompress(data, most + 1)
    except zlib.error:
        raise Refused(400, "damaged_body", "The compressed body cannot be read.") from None
    if len(whole) > most:
        raise _too_large()
    if not reader.eof:
        raise Refused(400, "damaged_body", "The compressed body is cut off.")
    return whole


def passed_on(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers that go to the provider."""
    kept = list(headers)
    named = {
        word.strip().lower()
        for name, value in kept
        if name.lower() == "connection"
        for word in value.split(",")
    }
    left_out = _HOP_BY_HOP | _OWN | named
    return tuple(
        (name, value)
        for name, value in kept
        if name.lower() not in left_out and not name.lower().startswith("x-tunesmith-")
    )


def answered_with(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer that go to the program; framing is the proxy's own."""
    left_out = _HOP_BY_HOP | {
        "content-length",
        "content-encoding",
        "set-cookie",
        "date",
        "server",
        "location",
    }
    return [(name, value) for name, value in headers if name.lower() not in left_out]


def document_of(body: bytes) -> dict[str, Any]:
    """A body as a JSON object.

    Raises:
        Refused: It is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_json", "The body of the request is not JSON.") from None
    if not isinstance(document, dict):
        raise Refused(400, "invalid_json", "The body of the request is not a JSON object.")
    return document


def _exactly(file: Source, length: int) -> bytes:
    if length > LARGEST_BODY:
        raise _too_large()
    body = file.read(length)
    if len(body) != length:
        raise _ambiguous("the body is shorter than it says")
    return body


def _chunks(file: Source) -> bytes:
    """A body in chunks, trailers left out."""
    parts: list[bytes] = []
    total = 0
    while True:
        line = file.readline(_LONGEST_LINE)
        size = line.split(b";", 1)[0].strip()
        if not line.endswith(b"\r\n") or re.fullmatch(rb"[0-9a-fA-F]{1,8}", size) is None:
            raise _ambiguous("a chunk has no size")
        length = int(size, 16)
        if length == 0:
            break
        total += length
        if total > LARGEST_BODY:
            raise _too_large()
        parts.append(_exactly(file, length))
        if file.read(2) != b"\r\n":
            raise _ambiguous("a chunk has another size than it says")
    for _ in range(100):
        line = file.readline(_LONGEST_LINE)
        if line == b"\r\n":
            return b"".join(parts)
        if not line.endswith(b"\r\n"):
            break
    raise _ambiguous("the trailers do not end")


def _ambiguous(why: str) -> Refused:
    return Refused(400, "bad_request", f"The request cannot be read with certainty: {why}.", closes=True)


def _too_large() -> Refused:
    most = f"{LARGEST_BODY >> 20} MiB"
    return Refused(413, "request_too_large", f"A request may have {most}, decompressed.", closes=True)
