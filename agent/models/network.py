"""HTTP connections: direct, or through the proxy that the environment names.

Bodies are bounded in time and size here, those of error responses included, which the SDK reads by itself.
"""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx2

from tunesmith.agent.models.base import FLOWING
from tunesmith.text.own_server import is_own_server

LARGEST_BODY = 16 * 2**20
"""Bytes; an answer that is longer is a fault of the server."""


def network_transport(base_url: str) -> httpx2.HTTPTransport:
    """A transport for one server. HTTPS_PROXY, ALL_PROXY and NO_PROXY apply, except to servers of one's own.

    A client that is given a transport reads no proxy from the environment by itself, hence this.
    """
    parts = urlsplit(base_url)
    secure = parts.scheme == "https"  # without TLS, loading the certificates would be 50 ms for nothing
    if is_own_server(base_url) or urllib.request.proxy_bypass(parts.hostname or ""):
        return Network(verify=secure)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return Network(proxy=proxy)


class Network(httpx2.HTTPTransport):
    """An HTTP transport whose closing ends the requests that other threads are waiting for.

    Otherwise a thread stays in its call until the server answers, and an interpreter that is about to exit
    waits for the thread: LangGraph runs tools in threads that Python joins.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "trace": self._traced}
        started, limit = time.monotonic(), request.extensions["timeout"]["read"]
        response = super().handle_request(request)
        flows = "event-stream" in response.headers.get("content-type", "")
        deadline = started + (FLOWING * limit if flows else limit)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, deadline)
        return response

    def close(self) -> None:
        for each in list(self._sockets):
            with suppress(OSError):  # ended by itself
                each.shutdown(socket.SHUT_RDWR)
        super().close()

    def _traced(self, event: str, details: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets.add(details["return_value"].get_extra_info("socket"))


class _Bounded(httpx2.SyncByteStream):
    """A body that ends with ReadTimeout past the deadline, however steadily its bytes arrive.

    A stream whose words come is ended by its reader; this bounds one that sends bytes without words.
    """

    def __init__(self, inner: httpx2.SyncByteStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer took too long")
            if size > LARGEST_BODY:
                raise httpx2.RemoteProtocolError(f"the answer is longer than {LARGEST_BODY:,} bytes")
            yield chunk

    def close(self) -> None:
        self._inner.close()
