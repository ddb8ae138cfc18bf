"""The circuit breaker: a provider that is out of reach costs a few failed attempts, not one in every call.

closed   calls go through; `FAILURES` failed attempts in a row open it (a timeout counts twice)
open     every call fails at once, until the pause is over; for good after a lasting fault (key, model)
probing  after the pause one attempt may try; success closes, failure opens for twice as long
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tunesmith.errors import ModelUnavailable

FAILURES = 3
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 600.0


class Breaker:
    """Safe to use from several threads.

    Args:
        opened: Called each time it opens, with the cause and with what follows from it, for a person.
        clock: Monotonic seconds.
    """

    def __init__(
        self, opened: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._opened, self._clock = opened, clock
        self._lock = threading.Lock()  # guards all below
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._until: float | None = None
        self._cause = ""

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._until is not None and self._clock() < self._until

    def check(self) -> None:
        """Raises ModelUnavailable while open; afterwards lets one attempt through at a time."""
        with self._lock:
            if self._until is None:
                return
            left = self._until - self._clock()
            if left > 0:
                again = (
                    "not asked again in this run" if left == float("inf") else f"asked again in {left:.0f} s"
                )
                raise ModelUnavailable(f"the model is {again}, after: {self._cause}")
            self._until = self._clock() + self._pause_s  # others wait while this attempt probes

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._until, self._pause_s = 0, None, FIRST_PAUSE_S

    def failed(self, cause: str, *, weight: int = 1, lasting: bool = False) -> None:
        """Count a failed attempt; `lasting` means that no later attempt can fare better."""
        with self._lock:
            probing = self._until is not None
            self._failures += weight
            if not (lasting or probing or self._failures >= FAILURES):
                return
            if probing:
                self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            pause = float("inf") if lasting else self._pause_s
            self._until, self._cause = self._clock() + pause, cause
            meaning = (
                "the model is not asked again in this run; decisions go on without it"
                if lasting
                else f"the model is not asked for {pause:.0f} s; decisions go on without it"
            )
        self._opened(cause, meaning)
