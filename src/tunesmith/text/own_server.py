"""Whether an address is a server of one's own. Standard library only: processes of trials import this too."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_own_server(base_url: str) -> bool:
    """Whether a base URL is on this machine or a private network.

    Nothing is looked up: a loopback, private or link-local address, `localhost`, a name
    without a dot (a container's), or one under `.local`, `.internal`, `.lan` or `.home.arpa`.
    """
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))
    return address.is_loopback or address.is_private or address.is_link_local


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    name = host.rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
