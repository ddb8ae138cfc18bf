"""A language model for LLAMBO's prompts: it reads the question and answers from a hidden truth.

    truth = lambda values: 0.9 - abs(math.log10(values["lr"]) + 3)
    with ChatServer(Oracle(truth, noise=0.01)) as server: ...

Its predictions are the truth with noise, its labels say whether the truth is above a threshold, and its
candidates are drawn from the ranges that the prompt lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fakes.chat_server import ChatRequest, Reply, several

Truth = Callable[[Mapping[str, Any]], float]
_PAIR = re.compile(r"([A-Za-z_][\w.+/-]*)(?: is |: )([^,\s][^,\n]*)")
_LINE = re.compile(r"^- ([^:]+): (.*)$", re.M)
_RANGE = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?) to (-?[\d.]+(?:e[+-]?\d+)?)")


class Oracle:
    """A script for `ChatServer`.

    Args:
        truth: The value of a configuration as the prompt writes it: numbers as floats, words as they are.
        noise: Standard deviation of a prediction around the truth.
        shift: Added to every prediction: an error that all answers share, so that no spread shows it.
        threshold: Label 1 from here on.
        votes: How sure a label is: the probability of the right one.
        logprobs: Whether labels come with log-probabilities.
        mangle: Changes the text of an answer, by its number in the conversation.
    Attributes:
        asked: The kind of every question so far: `predict`, `label` or `propose`.
        queries: The configurations of every question that was about some.
    """

    def __init__(
        self,
        truth: Truth,
        *,
        noise: float = 0.0,
        shift: Callable[[Mapping[str, Any]], float] = lambda values: 0.0,
        threshold: float = 0.0,
        votes: float = 1.0,
        logprobs: bool = False,
        mangle: Callable[[str, int], str] = lambda text, number: text,
        seed: int = 0,
    ) -> None:
        self.truth, self.noise, self.shift, self.threshold = truth, noise, shift, threshold
        self.votes, self.logprobs, self.mangle = votes, logprobs, mangle
        self.asked: list[str] = []
        self.queries: list[list[dict[str, Any]]] = []
        self._rng = np.random.default_rng(seed)

    def __call__(self, request: ChatRequest) -> Reply:
        text = request.last
        if "Predict the" in text:
            self.asked.append("predict")
            queries = queries_in(text)
            self.queries.append(queries)
            return several(*self._texts(request, lambda: self._predictions(queries)))
        if "Give the label" in text:
            self.asked.append("label")
            return self._label(request, text)
        self.asked.append("propose")
        wanted = re.search(r"Recommend (\d+) configurations", text)
        lines = int(wanted[1]) if wanted else 1
        return several(
            *self._texts(request, lambda: "\n".join(self._configuration(text) for _ in range(lines)))
        )

    def _texts(self, request: ChatRequest, answer: Callable[[], str]) -> list[str]:
        return [self.mangle(answer(), request.number) for _ in range(request.n)]

    def _predictions(self, queries: list[dict[str, Any]]) -> str:
        values = [self.truth(q) + self.shift(q) + self.noise * self._rng.standard_normal() for q in queries]
        if len(values) == 1:
            return f"## {values[0]:.6f} ##"
        return "\n".join(f"{i}: ## {value:.6f} ##" for i, value in enumerate(values, 1))

    def _label(self, request: ChatRequest, text: str) -> Reply:
        query = queries_in(text)[0]
        self.queries.append([query])
        right = int(self.truth(query) >= self.threshold)
        said = [right if self._rng.random() < self.votes else 1 - right for _ in range(request.n)]
        texts = [self.mangle(f"## {label} ##", request.number) for label in said]
        if not self.logprobs:
            return several(*texts)
        one = self.votes if right else 1 - self.votes
        top = {" 1": math.log(max(one, 1e-9)), " 0": math.log(max(1 - one, 1e-9))}
        places = [(("##", 0.0, {}), (f" {label}", top[f" {label}"], top), (" ##", 0.0, {})) for label in said]
        return several(*texts, tokens=tuple(places))

    def _configuration(self, text: str) -> str:
        return f"## {', '.join(f'{name}: {self._value(legal)}' for name, legal in ranges_in(text))} ##"

    def _value(self, legal: str) -> str:
        found = _RANGE.search(legal)
        if found is None:
            choices = re.split(r", | or ", re.sub(r"^(one of|in order:) |\(.*\)|;.*", "", legal).strip())
            return str(self._rng.choice([choice.strip() for choice in choices]))
        low, high = float(found[1]), float(found[2])
        if "whole" in legal or "integer" in legal:
            return str(int(self._rng.integers(int(low), int(high) + 1)))
        if "log scale" in legal and low > 0:
            return f"{10 ** self._rng.uniform(math.log10(low), math.log10(high)):.6g}"
        return f"{self._rng.uniform(low, high):.6g}"


def queries_in(text: str) -> list[dict[str, Any]]:
    """The configurations a question is about."""
    if re.search(r"^Predict the .* of each of these", text, re.M):
        listed = text.split("of each of these", 1)[1].split("Your whole answer", 1)[0]
        return [values_in(line) for line in re.findall(r"^\d+: (.*)$", listed, re.M)]
    return [values_in(re.findall(r"^Hyperparameter configuration: (.*)$", text, re.M)[-1])]


def values_in(line: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, word in _PAIR.findall(line):
        try:
            values[name] = float(word)
        except ValueError:
            values[name] = word.strip()
    return values


def ranges_in(text: str) -> list[tuple[str, str]]:
    """(name, legal values) of each line that lists one."""
    return [(name, legal) for name, legal in _LINE.findall(text)]
