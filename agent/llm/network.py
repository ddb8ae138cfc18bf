"""The real network, as a transport: direct, or through the proxy that the environment names."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

import httpx2

from tunesmith.agent.llm.pricing import is_own_server


def network_transport(base_url: str) -> httpx2.HTTPTransport:
    """A transport for one server. HTTPS_PROXY, ALL_PROXY and NO_PROXY hold, except for servers of one's own.

    A client that is given a transport reads no proxy from the environment by itself, hence this.
    """
    parts = urlsplit(base_url)
    secure = parts.scheme == "https"  # without TLS, loading the certificates would be 50 ms for nothing
    if is_own_server(base_url) or urllib.request.proxy_bypass(parts.hostname or ""):
        return httpx2.HTTPTransport(verify=secure)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return httpx2.HTTPTransport(proxy=proxy)
