"""Connections to providers, kept open between calls: opening one takes far longer than passing a call on.

Proxies of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) are honoured, except for this
machine itself. Certificates are checked as Python does by default (SSL_CERT_FILE names others).
"""

from __future__ import annotations

import base64
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Optional
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from tunesmith.text.own_server import is_loopback

MOST_IDLE = 32
"""Open connections to one provider that wait for a call."""
TIMEOUT_S = 600.0
"""How long a provider may say nothing."""


class Unreachable(Exception):
    """A provider that cannot be reached or broke off; the message says which and why, without secrets.

    Attributes:
        sent: Whether the request may have arrived.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True)
class Provider:
    """Where calls go."""

    base_url: str
    """Such as `https://api.openai.com/v1`, without a slash at its end."""
    key: Optional[str] = None  # noqa: UP045 - dataclass fields are read by Python 3.9
    """None: no key is sent."""

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""


def checked_base_url(text: str) -> str:
    """A base URL that can be used.

    Raises:
        ValueError: It cannot; the message is a clause.
    """
    stripped = text.strip().rstrip("/")
    parts = urlsplit(stripped)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"should be a URL such as https://api.openai.com/v1, got {text[:80]!r}")
    if parts.username or parts.password:
        raise ValueError("should hold no user name or password")
    if any(ord(character) <= 32 or ord(character) > 126 for character in stripped):
        raise ValueError("should have no blanks and no letters outside ASCII")
    _ = parts.port  # raises ValueError where it is none
    return stripped


class Call:
    """One request under way; `close` it when the answer has been read, or is not wanted any more."""

    def __init__(
        self,
        pool: Pool,
        place: str,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
    ) -> None:
        self._pool, self._place, self._connection = pool, place, connection
        self.response = response

    def abort(self) -> None:
        """Break the answer off, from another thread than the one that reads it."""
        socket_ = self._connection.sock
        if socket_ is not None:
            with suppress(OSError):  # it has ended by itself
                socket_.shutdown(socket.SHUT_RDWR)

    def close(self, *, reusable: bool) -> None:
        """Give the connection back, or end it.

        Args:
            reusable: Whether the answer was read to its end.
        """
        if reusable and self.response.length == 0:
            self.response.read()  # marks it as read
        if reusable and not self.response.will_close and self.response.isclosed():
            self._pool.keep(self._place, self._connection)
        else:
            self._connection.close()


class Pool:
    """Connections by provider; safe to use from several threads."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout = timeout_s
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()  # guards the dict above
        self._tls: ssl.SSLContext | None = None

    def send(
        self,
        provider: Provider,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
    ) -> Call:
        """Send one request and wait for the head of its answer. Never sends it twice.

        Args:
            path: What comes after the base URL, with its query.
        Raises:
            Unreachable: There is no answer.
        """
        parts = urlsplit(provider.base_url)
        proxy = _proxy_for(parts.scheme, parts.hostname or "")
        target = parts.path + path
        place = f"{parts.scheme}://{parts.netloc} {proxy}"
        own = [("Host", parts.netloc), ("Accept-Encoding", "identity"), ("User-Agent", "tunesmith-proxy")]
        if provider.key:
            own.append(("Authorization", f"Bearer {provider.key}"))
        if proxy is not None and parts.scheme == "http":
            target = f"http://{parts.netloc}{target}"
            own += _proxy_login(proxy)
        stated = {name.lower() for name, _ in headers}
        own = [(name, value) for name, value in own if name != "User-Agent" or "user-agent" not in stated]
        try:
            connection = self._taken(place) or self._opened(parts.scheme, parts.netloc, proxy)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(provider, error, sent=False) from error
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in (*own, *headers):
                connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if method == "POST" else None)
            return Call(self, place, connection, connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise _unreachable(provider, error, sent=True) from error

    def keep(self, place: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(place, [])
            if len(idle) < MOST_IDLE:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            waiting = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in waiting:
            connection.close()

    def _taken(self, place: str) -> http.client.HTTPConnection | None:
        """An open connection; one that the provider has closed meanwhile is readable, and is none."""
        while True:
            with self._lock:
                idle = self._idle.get(place)
                connection = idle.pop() if idle else None
            if connection is None:
                return None
            if connection.sock is not None and not _readable(connection.sock.fileno()):
                return connection
            connection.close()

    def _opened(self, scheme: str, netloc: str, proxy: str | None) -> http.client.HTTPConnection:
        if scheme == "https" and self._tls is None:
            self._tls = ssl.create_default_context()
        if proxy is None:
            connection = self._new(scheme, netloc)
        else:
            parts = urlsplit(proxy)
            there = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
            connection = self._new(scheme, there)
            if scheme == "https":
                host = urlsplit(f"//{netloc}")
                connection.set_tunnel(host.hostname or "", host.port or 443, dict(_proxy_login(proxy)))
        connection.connect()
        return connection

    def _new(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(netloc, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(netloc, timeout=self._timeout)


def _proxy_for(scheme: str, host: str) -> str | None:
    """The environment's proxy for a host; None for none."""
    if is_loopback(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy_login(proxy: str) -> list[tuple[str, str]]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return []
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return [("Proxy-Authorization", "Basic " + base64.b64encode(login.encode()).decode())]


def _readable(descriptor: int) -> bool:
    watch = select.poll()
    watch.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(watch.poll(0))


def _unreachable(provider: Provider, error: Exception, *, sent: bool) -> Unreachable:
    parts = urlsplit(provider.base_url)
    why = str(error) or "it closed the connection"
    name = type(error).__name__
    message = f"{parts.scheme}://{parts.netloc} gave no answer ({name}: {why[:200]})"
    return Unreachable(message, sent=sent)
