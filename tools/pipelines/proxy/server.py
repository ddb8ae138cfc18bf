"""The proxy's server: on this machine only, a random port, and a token in every path."""

from __future__ import annotations

import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tunesmith.tools.pipelines.proxy.answering import Answering, ItemRun
from tunesmith.tools.pipelines.proxy.asking import (
    STAGE_HEADER,
    Asked,
    Refused,
    address,
    document_of,
    passed_on,
    read_body,
)

IDLE_S = 900.0
"""How long a connection of the program may be silent."""
_POLL_S = 0.05
"""How long closing the server waits at most."""
CLOSING_S = 5.0
"""How long calls that a program left behind may still take."""


class Proxy:
    """Serves one trial. `close` it in the end.

    Args:
        answering: What is done with requests.
    """

    def __init__(self, answering: Answering) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.answering = answering
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="tunesmith-proxy", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @contextmanager
    def item(self, trial: int, item: str) -> Iterator[tuple[str, ItemRun]]:
        """The base URL for one run of an item, and what it calls; afterwards the URL is dead.

        When it ends, all of the run's calls are written down.
        """
        run, token = ItemRun(trial, item), secrets.token_urlsafe(32)
        self._server.runs[token] = run
        try:
            yield f"http://127.0.0.1:{self.port}/{token}/v1", run
        finally:
            del self._server.runs[token]
            run.close(CLOSING_S)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    answering: Answering

    def __init__(self, *args: Any) -> None:
        self.runs: dict[str, ItemRun] = {}
        super().__init__(*args)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # else the program went away
            print(f"[tunesmith] proxy: {type(error).__name__}: {error}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    """One connection of the program."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_S
    server: _Server

    def do_POST(self) -> None:
        self._serve()

    do_GET = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_CONNECT = do_POST  # noqa: N815

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def _serve(self) -> None:
        try:
            token, endpoint, query = address(self.command, self.path)
            run = self.server.runs.get(token)
            if run is None:
                raise Refused(
                    404, "unknown_url", "This base URL belongs to no run of an item now.", closes=True
                )
            headers = [(name, str(value)) for name, value in self.headers.items()]
            if self.headers.defects:
                raise Refused(400, "bad_request", "The head of the request is damaged.", closes=True)
            body = read_body(headers, self.rfile)
            run.started()
            try:
                asked = Asked(
                    method=self.command,
                    endpoint=endpoint,
                    query=query,
                    headers=passed_on(headers),
                    stage=(self.headers.get(STAGE_HEADER) or "").strip()[:200],
                    body=body if self.command == "POST" else b"",
                    document=document_of(body) if self.command == "POST" else {},
                )
                self.server.answering.answer(run, asked, self)
            finally:
                run.ended()
        except Refused as refusal:
            self.close_connection = self.close_connection or refusal.closes
            self.whole(refusal.status, [("content-type", "application/json")], refusal.body())
            if refusal.closes:
                self._drain()

    def whole(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._head(status, headers)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._chunked = self.request_version >= "HTTP/1.1"
        self.close_connection = self.close_connection or not self._chunked
        self._head(status, headers)
        if self._chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def piece(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            self.wfile.flush()

    def done(self) -> None:
        if self._chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

    def broken(self) -> None:
        self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, in OpenAI's shape."""
        self.close_connection = True
        refusal = Refused(int(code), "bad_request", message or "The request cannot be read.")
        self.command = self.command or ""
        self.whole(refusal.status, [("content-type", "application/json")], refusal.body())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: calls are in the records."""

    def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if "\r" not in value and "\n" not in value:
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")

    def _drain(self) -> None:
        """Take a little of what is still being sent: closing at once would throw our answer away."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(0.2)
            for _ in range(64):
                if not self.connection.recv(1 << 16):
                    return
