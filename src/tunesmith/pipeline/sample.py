"""What a stage's callable may return instead of a plain output. Workers import this file: Python 3.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One output of a stage, and what it took.

    A stage's callable returns one where more than the output is known, as from a provider's answer:

        usage = answer.usage
        return Sample(text, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens)

    What is None is not measured: the cost then goes by what the task states of the stage.
    """

    output: Any
    """Of JSON's types; NumPy's numbers and arrays, and tuples, are made such."""
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    """Thinking included, as providers count."""
    thinking_tokens: float | None = None
    """Of `completion_tokens`."""
    cached_tokens: float | None = None
    """Of `prompt_tokens`: those that the provider had in its cache."""
    seconds: float | None = None
    """Wall time of the call; None: it is measured."""
    weight: float = 1.0
    """Of this sample in a weighted vote, at least 0."""
    score: float | None = None
    """The verifier's score of the output, where the stage has no `verify` of its own; larger is better."""
