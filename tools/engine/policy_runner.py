"""Runs the policy beside the loop, in a thread of its own that touches no state.

It reads an immutable briefing. What a decision changes before it is made (trials launched, a model's priors)
is an `Effect`: posted by the policy's thread, which waits, and carried out by the engine's thread in its
turn. So every change has its place among the trials that started and ended. Whatever a policy raises is
turned into a fallback here, at the thread's edge, so that no model fault can reach the engine.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from tunesmith.errors import ModelError, ToolError
from tunesmith.events import Degraded
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Toolbox
from tunesmith.text.cleaning import error_line
from tunesmith.tools.records.moments import What

log = logging.getLogger(__name__)
T = TypeVar("T")
SEARCH_OVER = "the search has ended: nothing can be launched any more"


class Made(NamedTuple):
    """A decision, and the name of the policy that made it."""

    policy: str
    decision: Decision


@dataclass(frozen=True)
class Effect:
    """Something that the policy's thread waits for."""

    what: What
    change: Callable[[], Any]
    result: Future[Any] = field(default_factory=Future)

    def carry_out(self) -> None:
        """Call `change` and hand its result, or what it raised, to the thread that waits."""
        try:
            self.result.set_result(self.change())
        except BaseException as error:  # passed on to the thread whose request it was
            self.result.set_exception(error)
            if not isinstance(error, Exception):
                raise  # Ctrl-C is the engine's too


class PolicyRunner:
    """Runs a policy in a thread of its own, and a fallback policy where it fails.

    Args:
        policy: Asked first.
        fallback: Asked when `policy` raises; must need no model. May be the same object.
        emit: Stores an event; called from the threads of this class.
    """

    def __init__(self, policy: Policy, fallback: Policy, emit: Emit) -> None:
        self.policy, self.fallback, self._emit = policy, fallback, emit
        self._thread: threading.Thread | None = None
        self._woken_at = 0.0
        self._posted: queue.SimpleQueue[Effect | Made | Exception] = queue.SimpleQueue()
        self._ended = False
        self._ending = threading.Lock()  # nothing is posted after the end

    @property
    def busy(self) -> bool:
        """Whether a decision is being made or waits to be taken."""
        return self._thread is not None

    @property
    def thinking_s(self) -> float:
        """Seconds since it was woken; 0 while not `busy`."""
        return time.monotonic() - self._woken_at if self.busy else 0.0

    def wake(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> None:
        """Start deciding. Call only while not `busy`."""
        assert self._thread is None, "one decision at a time"
        self._woken_at = time.monotonic()
        self._thread = threading.Thread(
            target=self._decide, args=(briefing, make_toolbox), name="tunesmith-policy", daemon=True
        )
        self._thread.start()

    def take(self, timeout_s: float = 0.0) -> Effect | Made | None:
        """What the policy posts next: an effect to be carried out, or its decision, which ends the turn.

        Raises:
            Exception: What kept even the fallback from deciding: the run's log cannot be written.
        """
        if self._thread is None:
            return None
        try:
            posted = self._posted.get(timeout=timeout_s) if timeout_s else self._posted.get_nowait()
        except queue.Empty:
            return None
        if isinstance(posted, Effect):
            return posted
        self._thread.join()
        self._thread = None
        if isinstance(posted, Exception):
            raise posted
        return posted

    def in_turn(self, what: What, change: Callable[[], T]) -> T:
        """Have `change` called by the engine's thread, and return its result. For the policy's thread.

        Raises:
            ToolError: The search has ended.
            Exception: What `change` raises.
        """
        effect = Effect(what, change)
        with self._ending:
            if self._ended:
                raise ToolError(SEARCH_OVER)
            self._posted.put(effect)
        result: T = effect.result.result()
        return result

    def abandon(self) -> None:
        """Let nothing take effect any more; a thread that waits for one gets a ToolError. Idempotent."""
        with self._ending:
            self._ended = True
        while True:
            try:
                posted = self._posted.get_nowait()
            except queue.Empty:
                return
            if isinstance(posted, Effect):
                posted.result.set_exception(ToolError(SEARCH_OVER))

    def _decide(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> None:
        try:
            self._posted.put(self._ask(briefing, make_toolbox))
        except Exception as error:  # noqa: BLE001  raised again by `take`, in the engine's thread
            self._posted.put(error)

    def _ask(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> Made:
        if self.policy is not self.fallback:
            try:
                return Made(self.policy.name, self.policy.decide(briefing, make_toolbox(briefing)))
            except ModelError as error:
                self._fell_back(error_line(error), "the rules policy decided this time")
            except Exception as error:  # a thread's edge: counted, shown, and logged in full
                if not self._ended:  # else it was told so, in the middle of a model's answer
                    log.exception("the %s policy failed", self.policy.name)
                self._fell_back(error_line(error), "the rules policy decided this time")
        if self._ended:
            return Made("none", Decision(reason=SEARCH_OVER))
        try:
            return Made(self.fallback.name, self.fallback.decide(briefing, make_toolbox(briefing)))
        except Exception as error:  # the last thread's edge: the strategy goes on without a plan
            log.exception("the %s policy failed", self.fallback.name)
            self._fell_back(error_line(error), "the strategy went on without a plan")
            reason = "No policy could decide; the strategy goes on by itself."
            return Made("none", Decision(reason=reason))

    def _fell_back(self, cause: str, continuation: str) -> None:
        if self._ended:
            return  # abandoned: that it could not go on is no fault
        self._emit(
            Degraded(what="fallback", where="policy.decide", cause=cause[:500], continuation=continuation)
        )
