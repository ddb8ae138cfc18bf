"""How many answers were read at which stage, as events that the report shows."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from tunesmith.agent.models.replies.outcome import Parsed, ParsedNumber, Refused
from tunesmith.events import AnswersParsed, Degraded
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean


class ParseTally:
    """Counts the answers to one question and reports them. One for each call of a model (or batch of calls).

    As a context manager it reports on the way out, also where a later call of the batch fails: the answers
    that came before count.

    Args:
        emit: Gets, at `report`, one AnswersParsed with the counts and a Degraded for what was repaired or
            refused.
        where: Names the part in events, such as `agent.decide`.
    """

    def __init__(self, emit: Emit, where: str) -> None:
        self._emit, self._where = emit, where
        self.counts: Counter[str] = Counter()
        """Since the last `report`: by stage (strict, tolerant, repaired, refused)."""
        self._changes: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.report()

    def count(self, outcome: Parsed | ParsedNumber | Refused | int, *, asked_back: bool = False) -> None:
        """Count one answer.

        Args:
            outcome: What a parse function returned; an int is a label.
            asked_back: Whether it answers the question back: then it counts as repaired, however it reads.
                Count an answer that is asked about only once, by the answer to that question.
        """
        if isinstance(outcome, Refused):
            self.counts["refused"] += 1
            self._refusals[f"{outcome.kind} ({clean(outcome.detail, 100)})"] += 1
            return
        how = "strict" if isinstance(outcome, int) else outcome.how
        self.counts["repaired" if asked_back else how] += 1
        if not isinstance(outcome, int):
            self._changes.update(outcome.changes)

    def report(self, continuation: str = "they were left out") -> None:
        """Emit what was counted since the last time; nothing if nothing was.

        Args:
            continuation: What happened instead of using the refused answers.
        """
        if not self.counts:
            return
        self._emit(
            AnswersParsed(
                where=self._where,
                strict=self.counts["strict"],
                tolerant=self.counts["tolerant"],
                repaired=self.counts["repaired"],
                refused=self.counts["refused"],
            )
        )
        if self._changes:
            self._degraded("repair", self._changes, "the values that the text states were used")
        if self._refusals:
            self._degraded("rejected", self._refusals, continuation)
        self.counts, self._changes, self._refusals = Counter(), Counter(), Counter()

    def _degraded(self, what: Literal["repair", "rejected"], causes: Counter[str], continuation: str) -> None:
        listed = "; ".join(f"{cause} x{n}" if n > 1 else cause for cause, n in causes.most_common(5))
        self._emit(
            Degraded(what=what, where=self._where, cause=clean(listed, 500), continuation=continuation)
        )
