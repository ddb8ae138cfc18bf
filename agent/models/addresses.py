"""A base URL as people have it: with a query, a slash or the route at its end, without `/v1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from tunesmith.errors import ModelUnavailable
from tunesmith.text.cleaning import clean

_ROUTES = re.compile(r"/+(?:chat/completions|completions|models|responses|chat)$", re.IGNORECASE)
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)$", re.IGNORECASE)
_VERSIONED = re.compile(r"/(?:v\d+[a-z0-9]*|openai)$", re.IGNORECASE)
_PATHS = {
    "api.groq.com": "/openai/v1",
    "openrouter.ai": "/api/v1",
    "generativelanguage.googleapis.com": "/v1beta/openai",
    "api.fireworks.ai": "/inference/v1",
    "api.deepinfra.com": "/v1/openai",
}
"""Where servers have the protocol that do not have it at `/v1`."""
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".azure-api.net")
_SECRET = re.compile(r"key|token|sig|secret|password|code", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where requests go.

    Attributes:
        url: The base URL, without query and route.
        query: Sent with every request, such as Azure's `api-version`.
        others: Base URLs to try where `url` has no such route, in order.
        model: The model that the URL itself names: an Azure deployment.
        azure: The key goes into a header `api-key` as well.
    """

    url: str
    query: dict[str, str]
    others: tuple[str, ...] = ()
    model: str | None = None
    azure: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values in the query that may be keys."""
        return tuple(v for name, v in self.query.items() if _SECRET.search(name) and len(v) >= 8)

    def advice(self) -> str:
        """What to look at where a route is missing, as one sentence."""
        if self.azure and self.model and "api-version" not in self.query:
            return "Azure wants the base URL to end with ?api-version=2024-10-21, say."
        ending = _PATHS.get(urlsplit(self.url).hostname or "", "/v1")
        return f"Requests go to {clean(self.url, 200)}/chat/completions; base URLs mostly end in {ending}."


def moved_to(base_url: str, location: str) -> str | None:
    """The base URL to go on with after a redirect, None where it leads to another server.

    The key and the conversation are for the host that the person named. It may be asked on another path, and
    by https instead of http.

    Args:
        location: The redirect's target, absolute.
    """
    here, there = urlsplit(base_url), urlsplit(location)
    try:
        same = (here.scheme, here.netloc.casefold()) == (there.scheme, there.netloc.casefold())
        upgraded = (here.scheme, there.scheme) == ("http", "https") and here.hostname == there.hostname
        upgraded = upgraded and here.port in (None, 80) and there.port in (None, 443)
    except ValueError:  # a port that is no number
        return None
    if not (same or upgraded) or there.username or not _ROUTES.search(there.path.rstrip("/")):
        return None
    return f"{there.scheme}://{there.netloc}{_ROUTES.sub('', there.path.rstrip('/'))}"


def address_of(base_url: str) -> Address:
    """The address in a base URL.

    Raises:
        ModelUnavailable: No URL can be made of it, or it holds a password.
    """
    text = base_url.strip().strip("'\"")
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ModelUnavailable(_no_url(base_url)) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelUnavailable(_no_url(base_url))
    if parts.username or parts.password:  # clients log URLs
        raise ModelUnavailable("the base URL holds a user or password: put the key into TUNESMITH_API_KEY")
    host = parts.hostname.casefold()
    name = f"[{host}]" if ":" in host else host
    root = f"{parts.scheme}://{name}{port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    path = _ROUTES.sub("", path).rstrip("/")
    azure = host.endswith(_AZURE)
    deployment = _DEPLOYMENT.search(path)
    others = [] if deployment else [f"{root}{other}" for other in _others(host, path, azure) if other != path]
    model = unquote(deployment[1]) if deployment else None
    return Address(f"{root}{path}", dict(parse_qsl(parts.query)), tuple(others), model, azure)


def _others(host: str, path: str, azure: bool) -> list[str]:
    if azure:
        return ["/openai/v1"] if path in ("", "/openai") else []
    known = _PATHS.get(host)
    if known:
        return [known] if path in ("", "/v1", "/openai", "/api", "/v1beta", "/inference") else []
    if _VERSIONED.search(path):
        return []
    return ["/v1", f"{path}/v1"] if path == "/api" else [f"{path}/v1"]


def _no_url(text: str) -> str:
    return f"{clean(text, 100)!r} is no base URL: write it like http://localhost:8000/v1"
