"""Runs the policy beside the loop: one thread decides, another answers a person; neither touches state.

Both read immutable briefings and hand back a value. Whatever a policy raises is turned into a
fallback here, at the thread's edge, so that no model fault can reach the engine.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from tunesmith.errors import ModelError
from tunesmith.events import Answered, Degraded
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Toolbox
from tunesmith.text.cleaning import error_line

log = logging.getLogger(__name__)


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
        self._decided: tuple[str, Decision] | Exception | None = None
        self._answering: threading.Thread | None = None
        self._done = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether a decision is being made or waits to be taken."""
        return self._thread is not None

    def wake(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> None:
        """Start deciding. Call only while not `busy`."""
        assert self._thread is None, "one decision at a time"
        self._done.clear()
        self._thread = threading.Thread(
            target=self._decide, args=(briefing, make_toolbox), name="tunesmith-policy", daemon=True
        )
        self._thread.start()

    def take(self, timeout_s: float = 0.0) -> tuple[str, Decision] | None:
        """The decision and the name of the policy that made it, once there is one.

        Raises:
            Exception: What kept even the fallback from deciding: the run's log cannot be written.
        """
        if self._thread is None or not self._done.wait(timeout_s):
            return None
        self._thread.join()
        self._thread = None
        decided, self._decided = self._decided, None
        if isinstance(decided, Exception):
            raise decided
        return decided

    def _decide(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> None:
        try:
            self._decided = self._ask(briefing, make_toolbox)
        except Exception as error:  # noqa: BLE001  raised again by `take`, in the engine's thread
            self._decided = error
        finally:
            self._done.set()

    def _ask(self, briefing: Briefing, make_toolbox: Callable[[Briefing], Toolbox]) -> tuple[str, Decision]:
        if self.policy is not self.fallback:
            try:
                return self.policy.name, self.policy.decide(briefing, make_toolbox(briefing))
            except ModelError as error:
                self._fell_back(error_line(error), "the rules policy decided this time")
            except Exception as error:  # a thread's edge: counted, shown, and logged in full
                log.exception("the %s policy failed", self.policy.name)
                self._fell_back(error_line(error), "the rules policy decided this time")
        try:
            return self.fallback.name, self.fallback.decide(briefing, make_toolbox(briefing))
        except Exception as error:  # the last thread's edge: the strategy goes on without a plan
            log.exception("the %s policy failed", self.fallback.name)
            self._fell_back(error_line(error), "the strategy went on without a plan")
            return "none", Decision(reason="No policy could decide; the strategy goes on by itself.")

    def _fell_back(self, cause: str, continuation: str) -> None:
        self._emit(
            Degraded(what="fallback", where="policy.decide", cause=cause[:500], continuation=continuation)
        )

    def answer(self, command_id: int, question: str, briefing: Briefing) -> bool:
        """Stream an answer as events; False while another answer is still being given."""
        if self._answering is not None and self._answering.is_alive():
            return False
        self._answering = threading.Thread(
            target=self._answer, args=(command_id, question, briefing), name="tunesmith-answer", daemon=True
        )
        self._answering.start()
        return True

    def _answer(self, command_id: int, question: str, briefing: Briefing) -> None:
        for policy in dict.fromkeys((self.policy, self.fallback)):
            try:
                for chunk in policy.answer(question, briefing):
                    self._emit(Answered(command_id=command_id, text=chunk.text, final=False))
                break
            except Exception as error:  # a thread's edge: counted and shown
                if not isinstance(error, ModelError):
                    log.exception("the %s policy could not answer", policy.name)
                self._emit(
                    Degraded(
                        what="fallback",
                        where="policy.answer",
                        cause=error_line(error),
                        continuation="answered from the records without a model",
                    )
                )
        self._emit(Answered(command_id=command_id, text="", final=True))

    def close(self, timeout_s: float = 2.0) -> None:
        """Wait briefly for an answer under way; a decision under way is abandoned."""
        if self._answering is not None:
            self._answering.join(timeout_s)
