"""A scripted language model that behaves like a sensible one, for whole runs: it opens, advises and decides.

It answers each kind of question that a run asks, in the shape asked for and at a length that is usual, and
counts what went over the wire at four characters a token, answer schemas and tools included.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from fakes import chat_server as chat
from fakes.chat_server import ChatRequest, Reply
from tunesmith.space import Bool, Categorical, Float, Int, Space
from tunesmith.trial import Value

WHY = "Values in this region are usual for networks of this size trained with an adaptive optimizer."
SAID = (
    "The latest trials confirm that the learning rate matters most, and that wider layers help a little. "
    "The surrogate's leading pick follows that line, so it goes next; the rest may go on as planned."
)


@dataclass
class PlausibleModel:
    """A script for `ChatServer`.

    Args:
        space: What its configurations come from.
        centre: Where it believes the best to be, by parameter.
    Attributes:
        kinds: How many questions of each kind it got.
        prompt_tokens, completion_tokens: What they cost.
        largest: The most prompt tokens of a question, by kind.
    """

    space: Space
    centre: dict[str, Value]
    expected: float = 0.9
    kinds: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def calls(self) -> int:
        return sum(self.kinds.values())

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __call__(self, request: ChatRequest) -> Reply:
        rng = random.Random(request.number)
        kind = _kind(request)
        reply = getattr(self, f"_{kind}")(rng, request)
        asked = sum(
            len(json.dumps(request.body[key]))
            for key in ("messages", "tools", "response_format")
            if request.body.get(key)
        )
        answers = reply.contents[: request.n] if reply.contents else (reply.content or "",)
        said = sum(map(len, answers)) + sum(len(arguments) for _, arguments in reply.tool_calls)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.largest[kind] = max(self.largest.get(kind, 0), asked // 4)
        self.prompt_tokens += asked // 4
        self.completion_tokens += said // 4
        return reply

    def _opening(self, rng: random.Random, request: ChatRequest) -> Reply:
        return chat.answer(
            {
                "view": f"The learning rate will matter most. {WHY}",
                "beliefs": [self._belief(name) for name in self.space.names],
                "candidates": [self._candidate(rng) for _ in range(5)],
            }
        )

    def _candidates(self, rng: random.Random, request: ChatRequest) -> Reply:
        return chat.answer({"candidates": [{**self._candidate(rng), "evidence": [0]} for _ in range(6)]})

    def _turn(self, rng: random.Random, request: ChatRequest) -> Reply:
        return chat.calls(("decide", {"reason": SAID, "wake_after": 4, "picks": [1]}), content=SAID)

    def _configuration(self, rng: random.Random, request: ChatRequest) -> Reply:
        lines = []
        for _ in range(max(request.n, 1)):
            values = self._near(rng)
            lines.append("## " + ", ".join(f"{k}: {v}" for k, v in values.items()) + " ##")
        return chat.several(*lines)

    def _performance(self, rng: random.Random, request: ChatRequest) -> Reply:
        return chat.several(*[f"## {0.9 + rng.gauss(0, 0.02):.6f} ##" for _ in range(max(request.n, 1))])

    def _belief(self, name: str) -> dict[str, Any]:
        parameter, best = self.space.parameters[name], self.centre[name]
        empty = {"parameter": name, "low": None, "best": None, "high": None, "weights": None, "why": WHY}
        if isinstance(parameter, Categorical | Bool):
            return {**empty, "weights": [{"choice": str(best), "weight": 0.7}]}
        u = parameter.to_unit(best)
        low, high = (parameter.from_unit(min(max(u + step, 0.0), 1.0)) for step in (-0.15, 0.15))
        return {**empty, "low": low, "best": best, "high": high}

    def _candidate(self, rng: random.Random) -> dict[str, Any]:
        return {
            "configuration": {**dict.fromkeys(self.space.names), **self._near(rng)},
            "reason": WHY,
            "expected": self.expected,
            "spread": 0.05,
        }

    def _near(self, rng: random.Random) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, parameter in self.space.parameters.items():
            if isinstance(parameter, Float | Int):
                u = parameter.to_unit(self.centre[name]) + rng.gauss(0, 0.12)
                values[name] = parameter.from_unit(min(max(u, 0.02), 0.98))
            else:
                values[name] = self.centre[name]
        return values


def _kind(request: ChatRequest) -> str:
    if "decide" in request.tools:
        return "turn"
    asked = json.dumps(request.body.get("response_format") or request.body.get("tools") or "")
    if '"beliefs"' in asked:
        return "opening"
    if '"candidates"' in asked:
        return "candidates"
    return "performance" if request.last.rstrip().endswith("Performance:") else "configuration"
