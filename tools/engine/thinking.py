"""What a run says while a language model thinks: that it does, for how long, and what trials do meanwhile."""

from __future__ import annotations

from tunesmith.text.durations import spelled_duration

FIRST_S = 10.0
"""A decision that takes less is not worth a line. The next lines come after twice as long each."""


class Thinking:
    """Used from the engine's thread.

    Args:
        waiting: Whether trials wait for the decision.
    """

    def __init__(self, *, waiting: bool) -> None:
        self._meanwhile = "no trial starts before it has answered" if waiting else "trials go on without it"
        self._next_s = FIRST_S

    def note(self, seconds: float) -> str | None:
        """A line for the person watching, where one is due.

        Args:
            seconds: How long the policy has been deciding; 0 while it is not.
        """
        if seconds < FIRST_S:
            self._next_s = FIRST_S
        if seconds < self._next_s:
            return None
        while self._next_s <= seconds:
            self._next_s *= 2
        return f"The model is thinking ({spelled_duration(seconds)}); {self._meanwhile}."
