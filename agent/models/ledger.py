"""The ledger: caps on a language model, what has been spent, and what is reserved for calls under way.

Invariant: spent + reserved never passes a cap. Every attempt reserves its worst case before it is sent
and settles what it truly took afterwards, so that threads calling at once cannot pass a cap together.
The ModelCalled events tell it; where a run keeps `calls.jsonl`, a reservation is on disk before its request
leaves, so that an attempt under way when the process is killed counts in full on resume.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tunesmith.agent.models.pricing import Price
from tunesmith.agent.models.reservations import Held, Reservations, added
from tunesmith.agent.models.wire import Usage
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import ModelBudgetReached
from tunesmith.events import ModelCalled
from tunesmith.interfaces import Emit


@dataclass(frozen=True)
class Reservation:
    """The worst case of one attempt, held until it is settled."""

    model: str
    purpose: str
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None
    """None when the price is unknown (and no cap on dollars forbids that)."""
    price: Price | None
    likely_prompt: int
    """Tokens that the prompt is likely to have taken, where the server does not count."""
    number: int = 0
    """Its number on disk; 0: it is not there."""

    @property
    def usage(self) -> Usage:
        return Usage(self.prompt_tokens, self.completion_tokens)


class Ledger:
    """Counts and caps; safe to use from several threads.

    Args:
        caps: Hard caps, summed over the whole run, resumptions included.
        emit: Gets one ModelCalled per attempt.
        spent: What earlier sessions of this run have spent.
        reservations: Where attempts are written down before they are made; None: nowhere.
    """

    def __init__(
        self, caps: ModelCaps, emit: Emit, spent: ModelSpend, reservations: Reservations | None = None
    ) -> None:
        self.caps, self.emit = caps, emit
        self._kept = reservations
        self._spend = spent if reservations is None else reservations.spend
        self._reserved: list[Reservation] = []
        self._lock = threading.Lock()  # guards the two above
        self._tallies = threading.local()
        for held in () if reservations is None else reservations.unsettled:
            self._count_lost(held)

    @property
    def spend(self) -> ModelSpend:
        return self._spend

    def reserve(
        self,
        model: str,
        purpose: str,
        prompt_tokens: int,
        completion_tokens: int,
        price: Price | None,
        likely_prompt: int = 0,
    ) -> Reservation:
        """Set the worst case of one attempt aside, durably where attempts are written down.

        Raises:
            ModelBudgetReached: It might pass a cap, or its price is not known; nothing may be sent.
            ModelUnavailable: It could not be written down, so no cap would hold.
        """
        dollars = None if price is None else price.dollars(prompt_tokens, completion_tokens)
        wanted = Reservation(model, purpose, prompt_tokens, completion_tokens, dollars, price, likely_prompt)
        with self._lock:
            self._check(wanted)
            if self._kept is not None:
                number = self._kept.reserve(model, purpose, prompt_tokens, completion_tokens, dollars)
                wanted = replace(wanted, number=number)
            self._reserved.append(wanted)
        return wanted

    def room(self) -> int | None:
        """Tokens that one more attempt may take under the cap on tokens; None without one."""
        with self._lock:
            if self.caps.tokens is None:
                return None
            pending = sum(r.prompt_tokens + r.completion_tokens for r in self._reserved)
            return max(0, self.caps.tokens - self._spend.tokens - pending)

    def settle(
        self,
        reservation: Reservation,
        usage: Usage,
        *,
        ok: bool,
        seconds: float,
        error: str = "",
        estimated: bool = False,
    ) -> None:
        """Replace a reservation by what the attempt took, and emit it.

        Args:
            estimated: The server did not count the tokens.
        """
        price = reservation.price
        dollars = None if price is None else price.dollars(usage.prompt, usage.completion)
        with self._lock:
            self._reserved.remove(reservation)
            self._spend = added(self._spend, usage.prompt, usage.completion, dollars)
            if self._kept is not None:
                self._kept.settle(reservation.number, usage.prompt, usage.completion, dollars)
            event = ModelCalled(
                purpose=reservation.purpose,
                model=reservation.model,
                ok=ok,
                seconds=seconds,
                prompt_tokens=usage.prompt,
                completion_tokens=usage.completion,
                dollars=dollars,
                error=error,
                estimated=estimated,
                spend=self._spend,
            )
            self.emit(event)  # inside the lock: the last event must hold the last total
        for tally in getattr(self._tallies, "open", ()):
            tally.append(usage.prompt + usage.completion)

    def _count_lost(self, held: Held) -> None:
        """An attempt under way when an earlier session was killed: it may have been billed in full."""
        assert self._kept is not None
        figures = (held.prompt_tokens, held.completion_tokens, held.dollars)
        self._spend = added(self._spend, *figures)
        self.emit(
            ModelCalled(
                purpose=held.purpose,
                model=held.model,
                ok=False,
                seconds=0.0,
                prompt_tokens=held.prompt_tokens,
                completion_tokens=held.completion_tokens,
                dollars=held.dollars,
                error="the session ended before the answer came: counted in full",
                estimated=True,
                spend=self._spend,
            )
        )
        self._kept.settle(held.call, *figures)

    @contextmanager
    def tally(self) -> Iterator[list[int]]:
        """Tokens of every attempt that this thread settles inside the block, one number each."""
        mine: list[int] = []
        self._tallies.open = [*getattr(self._tallies, "open", ()), mine]
        try:
            yield mine
        finally:
            self._tallies.open = [tally for tally in self._tallies.open if tally is not mine]

    def _check(self, wanted: Reservation) -> None:
        caps, spend, held = self.caps, self._spend, self._reserved
        if caps.calls is not None and spend.calls + len(held) + 1 > caps.calls:
            raise ModelBudgetReached(f"the cap of {caps.calls} model calls is reached ({spend.calls} made)")
        worst = wanted.prompt_tokens + wanted.completion_tokens
        pending = sum(r.prompt_tokens + r.completion_tokens for r in held)
        if caps.tokens is not None and spend.tokens + pending + worst > caps.tokens:
            raise ModelBudgetReached(
                f"the cap of {caps.tokens:,} model tokens might be passed: {spend.tokens + pending:,} are "
                f"used or promised and this call may take up to {worst:,}"
            )
        if caps.dollars is not None:
            self._check_dollars(caps.dollars, wanted)

    def _check_dollars(self, cap: float, wanted: Reservation) -> None:
        fix = "Set `budget.model.dollars` to null to go by the caps on calls and tokens alone."
        if wanted.dollars is None:
            raise ModelBudgetReached(
                f"nobody here knows the price of {wanted.model!r}, so a cap of ${cap:g} cannot be kept. {fix}"
            )
        if self._spend.dollars is None:
            raise ModelBudgetReached(
                f"earlier calls of this run went to a model of unknown price, so a cap of ${cap:g} "
                f"cannot be kept. {fix}"
            )
        promised = self._spend.dollars + sum(r.dollars or 0.0 for r in self._reserved)
        if promised + wanted.dollars > cap:
            raise ModelBudgetReached(
                f"the cap of ${cap:g} for the model might be passed: ${promised:.4f} is spent or promised "
                f"and this call may cost up to ${wanted.dollars:.4f}"
            )
