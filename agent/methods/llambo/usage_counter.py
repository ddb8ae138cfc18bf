"""Counts what asking a model costs, for whoever wants to know it of one proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.agent.methods.llambo.asking import Asker
from tunesmith.errors import ModelUnavailable

if TYPE_CHECKING:
    from tunesmith.agent.models.sampling import Samples


@dataclass
class Reading:
    """What has been spent inside a block."""

    calls: int = 0
    tokens: int = 0


class UsageCounter:
    """An `Asker` that passes questions on and counts them. Used from one thread at a time.

    Args:
        asker: Who answers; without one every question is a ModelUnavailable.
    """

    def __init__(self, asker: Asker | None = None) -> None:
        self._asker = asker
        self._open: list[Reading] = []

    def sample(self, messages: Sequence[dict[str, Any]], *, purpose: str, **how: Any) -> Samples:
        """As `OpenAICompatible.sample`."""
        if self._asker is None:
            raise ModelUnavailable("there is no language model to ask")
        samples = self._asker.sample(messages, purpose=purpose, **how)
        for reading in self._open:
            reading.calls += samples.calls
            reading.tokens += samples.tokens
        return samples

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Counts what is asked inside the block."""
        mine = Reading()
        self._open.append(mine)
        try:
            yield mine
        finally:
            self._open = [reading for reading in self._open if reading is not mine]
