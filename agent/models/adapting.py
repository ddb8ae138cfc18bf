"""Requests in the form that a provider accepts: learned by trying, remembered for the session.

Servers differ in which parameters they take: reasoning models refuse a temperature or rename the token limit,
small servers refuse several choices or log-probabilities, some chat templates know no system role. Whatever a
rejection names is left out (or renamed, or put into the user's message) from then on, and reported once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tunesmith.agent.models.base import Rejected, Request
from tunesmith.agent.models.faults import report
from tunesmith.agent.models.roles import folded
from tunesmith.interfaces import Emit

T = TypeVar("T")
LIMIT_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
OURS = ("limit", "purpose", "logprobs")
"""Keys of what is asked that are not the protocol's own, or not in its form."""

_NAMED = {
    "temperature": re.compile("temperature", re.I),
    "top_p": re.compile(r"top[ _-]?p(?![a-z])", re.I),
    "n": re.compile(r"(?<![\w.])n(?![\w.])|number of (?:choices|completions)|candidate ?count|best_of", re.I),
    "logprobs": re.compile("log ?_?prob", re.I),
    "stop": re.compile(r"(?<![a-z])stop(?![a-z])", re.I),
}
"""What may be left out, and how a rejection names it."""
_SYSTEM = re.compile("system.{0,20}role|role.{0,20}system|system (?:message|prompt|instruction)", re.I)


Send = Callable[[Request, str], T]
"""Sends one body for a purpose, and returns the completion or its stream; raises Rejected."""


class Adapter:
    """Sends requests without what the provider does not accept; one serves all requests of a model.

    Args:
        limit_name: The parameter that limits an answer's length, to begin with.
        refused: What is known from the start to be refused.
        emit: Gets a Degraded the first time something is left out.
    """

    def __init__(self, limit_name: str, refused: Iterable[str], emit: Emit) -> None:
        self.limit_name, self._emit = limit_name, emit
        self.refused: set[str] = set(refused)
        """What is left out; `limit`: it was renamed; `system`: that message is put into the user's."""

    def ask(self, asked: dict[str, Any], send: Send[T], *, optional: bool = False) -> T:
        """What `send` returns for the first form that is not rejected.

        Args:
            asked: Messages and parameters of the protocol; besides these `limit` (tokens), `purpose`, and
                `logprobs` as the number of alternatives wanted at each place. None leaves a parameter out.
            optional: Whether a rejection that names nothing may be answered by leaving out all that can be.
        Raises:
            Rejected: nothing more can be left out.
        """
        while True:
            try:
                return send(self._body(asked, self.refused), asked["purpose"])
            except Rejected as exc:
                if self._learned(str(exc), asked):
                    continue
                droppable = {name for name in _NAMED if self._sends(name, asked)}
                if not optional or not droppable:
                    raise
                # Nothing is named: try the plainest form. Only if that works was the form at fault.
                data = send(self._body(asked, self.refused | droppable), asked["purpose"])
                for name in sorted(droppable):
                    self._leave_out(name, asked["purpose"], str(exc))
                return data

    def _body(self, asked: dict[str, Any], refused: set[str]) -> dict[str, Any]:
        body = {
            name: value
            for name, value in asked.items()
            if name not in OURS and name not in refused and value is not None
        }
        if body.get("n") == 1:
            del body["n"]
        if asked.get("logprobs") and "logprobs" not in refused:
            body |= {"logprobs": True, "top_logprobs": asked["logprobs"]}
        if "system" in refused:
            body["messages"] = folded(body["messages"])
        body[self.limit_name] = asked["limit"]
        return body

    def _sends(self, name: str, asked: dict[str, Any]) -> bool:
        value = asked.get(name)
        return bool(value) and name not in self.refused and not (name == "n" and value == 1)

    def _learned(self, words: str, asked: dict[str, Any]) -> bool:
        """Whether a rejection named something that can be left out, renamed or folded; remembers it."""
        for name, pattern in _NAMED.items():
            if self._sends(name, asked) and pattern.search(words):
                self._leave_out(name, asked["purpose"], words)
                return True
        if self.limit_name in words and "limit" not in self.refused:
            self.refused.add("limit")
            self.limit_name = LIMIT_NAMES[self.limit_name]
            return True
        has_system = any(message.get("role") == "system" for message in asked["messages"])
        if has_system and "system" not in self.refused and _SYSTEM.search(words):
            self.refused.add("system")
            how = "the system message is put before the user's from here on"
            report(self._emit, "fallback", asked["purpose"], words, how)
            return True
        return False

    def _leave_out(self, name: str, purpose: str, words: str) -> None:
        self.refused.add(name)
        report(self._emit, "fallback", purpose, words, f"`{name}` is left out from here on")
