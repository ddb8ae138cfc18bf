"""Server-sent events as bytes: a stream cut into events, and the one nobody asked for left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class Events:
    """Takes a stream in pieces and gives out whole events, byte by byte as they came.

    Args:
        hide_usage: Whether the chunk of a chat that holds nothing but the usage is left out: the proxy asked
            for it, not the program.
    """

    def __init__(self, *, hide_usage: bool) -> None:
        self._hide, self._open = hide_usage, b""

    def feed(self, data: bytes) -> bytes:
        """What can be passed on now."""
        if not self._hide:
            return data
        *whole, self._open = _cut(self._open + data)
        return b"".join(event for event in whole if not is_usage_alone(event))

    def end(self) -> bytes:
        """What is left of a stream that has ended."""
        rest, self._open = self._open, b""
        return b"" if is_usage_alone(rest) else rest


def events_in(body: bytes) -> Iterator[bytes]:
    """The events of a whole stream."""
    return (event for event in _cut(body) if event.strip())


def data_of(event: bytes) -> bytes:
    """The data of one event, its lines joined."""
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))


def is_usage_alone(event: bytes) -> bool:
    """Whether it is the last chunk of a chat, with the usage and no choices."""
    if b'"usage"' not in event:
        return False
    try:
        document = json.loads(data_of(event))
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, Mapping) or not isinstance(document.get("usage"), Mapping):
        return False
    return document.get("choices") == []


def _cut(data: bytes) -> list[bytes]:
    """Whole events, each with the blank line behind it, and what comes after the last of them."""
    parts, start = [], 0
    for found in _END.finditer(data):
        parts.append(data[start : found.end()])
        start = found.end()
    return [*parts, data[start:]]
