"""How fast a model reads and writes: guessed from what it is, then measured from its streamed answers."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from tunesmith.agent.models.streaming import Timing

SMALL_B = 4.0
"""Billions of parameters up to which a model is taken for one that runs on a few processor cores."""
FEWEST_TOKENS = 8
"""Answers that are shorter say nothing about speed."""
KEPT = 0.5
"""Share of what was measured before that counts beside a new answer: a machine's load changes."""

_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class Speed:
    """Tokens a second."""

    reading: float
    """Tokens of a prompt, until the first word of the answer."""
    writing: float
    """Tokens of an answer."""
    source: str
    """Where the figures come from, for a person."""


HOSTED = Speed(1000.0, 50.0, "assumed of a hosted model")
OWN_SERVER = Speed(100.0, 15.0, "assumed of a server of one's own")
SMALL = Speed(40.0, 5.0, "assumed of a small model on a few processor cores")
"""A model of 1.5 billion parameters on one core reads 35 to 46 and writes 3 to 20 tokens a second."""


def guess(model: str, *, own_server: bool) -> Speed:
    """The speed to reckon with before anything is measured, by the size in the model's name and its place."""
    size = size_b(model)
    if size is not None and size <= SMALL_B:
        return SMALL
    return OWN_SERVER if own_server else HOSTED


def size_b(model: str) -> float | None:
    """Billions of parameters by a model's name, such as 1.5 for `qwen2.5-coder-1.5b`; None: it says none."""
    sizes = [float(number) / (1000 if unit in "mM" else 1) for number, unit in _SIZE.findall(model)]
    return max(sizes, default=None)


class SpeedMeter:
    """The speed of one model in one session; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the sums
        self._read, self._read_s = 0.0, 0.0
        self._written, self._written_s = 0.0, 0.0
        self._answers = 0

    def note(self, prompt_tokens: int, answer_tokens: int, timing: Timing) -> None:
        """Count one answer, a whole one or the beginning of one.

        An answer that came in one piece does not say when its first word was ready: its whole time counts
        as writing, which errs on the slow side.
        """
        if answer_tokens < FEWEST_TOKENS:
            return
        writing_s = timing.last_s - timing.first_s
        in_pieces = writing_s > 0
        with self._lock:
            self._answers += 1
            if in_pieces:
                self._read = KEPT * self._read + prompt_tokens
                self._read_s = KEPT * self._read_s + timing.first_s
            self._written = KEPT * self._written + answer_tokens
            self._written_s = KEPT * self._written_s + (writing_s if in_pieces else timing.last_s)

    def speed(self, guessed: Speed) -> Speed:
        """What was measured; `guessed` for what was not."""
        with self._lock:
            if not self._answers:
                return guessed
            reading = self._read / self._read_s if self._read_s > 0 else guessed.reading
            writing = self._written / self._written_s if self._written_s > 0 else guessed.writing
            answers = f"{self._answers} answer{'s' * (self._answers != 1)}"
        return Speed(reading, writing, f"measured over {answers}")


class Patience:
    """How long a question waits for its first word.

    At first the whole limit. After each question to which the model said nothing at all, half as long as
    that one, but at least an eighth of the limit; the whole limit again as soon as it speaks.
    """

    SHORTEST = 1 / 8

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.silent = 0
        """Questions in a row that were met with silence."""

    @property
    def wait_s(self) -> float:
        return self.limit_s * max(0.5**self.silent, self.SHORTEST)

    def spoke(self) -> None:
        self.silent = 0

    def was_silent(self) -> None:
        self.silent += 1
