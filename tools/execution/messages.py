"""How the processes of a run talk: one JSON object a line, over local sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST_LINE = 16 << 20
"""Bytes; more without a line's end is no message of ours."""


def encode(message: Mapping[str, Any]) -> bytes:
    """`message` as one line."""
    return json.dumps(message).encode() + b"\n"


class Lines:
    """Puts received bytes together into messages; a line may arrive in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The messages completed by `data`, in order.

        Raises:
            ValueError: A line is not a JSON object: the other side is no process of ours.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE:,} bytes")
        messages = []
        for line in lines:
            try:
                message = json.loads(line)
            except RecursionError as error:
                raise ValueError("a line that nests too deeply") from error
            if not isinstance(message, dict):
                raise ValueError(f"not a JSON object: {line[:80]!r}")
            messages.append(message)
        return messages
