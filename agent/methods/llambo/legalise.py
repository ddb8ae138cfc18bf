"""From what answers state to legal configurations, new and each once; changes and losses are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tunesmith.agent.methods.llambo.formats import View
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.models.replies import Parsed
from tunesmith.errors import InvalidConfiguration
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean
from tunesmith.trial import Configuration, Origin, Proposal


class Legaliser:
    """Takes answers one after the other and keeps the new legal configurations.

    Args:
        taken: Digests of what is not to be proposed again.
    Attributes:
        found: The configurations kept so far, in the order they came.
    """

    def __init__(self, view: View, protocol: LlamboSettings, taken: Iterable[str]) -> None:
        self._view, self._protocol = view, protocol
        self._taken = set(taken)
        self.found: list[Configuration] = []
        self._repeats, self._moved, self._refused = 0, list[str](), list[str]()

    def take(self, answers: Iterable[Sequence[Parsed]]) -> None:
        """Judge every configuration of some answers."""
        for answer in answers:
            for parsed in answer:
                configuration = self._legal(self._view.values(parsed.values))
                if configuration is None:
                    continue
                if configuration.digest in self._taken:
                    self._repeats += 1
                    continue
                self._taken.add(configuration.digest)
                self.found.append(configuration)

    def _legal(self, values: dict[str, object]) -> Configuration | None:
        space = self._view.real
        problems = space.problems(values)
        if not problems:
            return space.validate(values)
        kinds = {problem.kind for problem in problems}
        cause = "; ".join(map(str, problems[:3]))
        # A parameter that does not apply is no fault of the others: it is left out whatever the rule.
        if self._protocol.out_of_range == "drop" and kinds != {"inactive"}:
            self._refused.append(cause)
            return None
        try:
            configuration, changes = space.snap(values)
        except InvalidConfiguration:
            self._refused.append(cause)
            return None
        self._moved.append("; ".join(changes) or cause)
        return configuration

    def report(self, emit: Emit, where: str) -> None:
        """Emit what was moved, dropped and repeated since the last time."""

        def degraded(what: Literal["repair", "rejected"], cause: str, continuation: str) -> None:
            emit(Degraded(what=what, where=where, cause=clean(cause, 500), continuation=continuation))

        if self._moved:
            cause = f"{len(self._moved)} moved: {' | '.join(self._moved[:3])}"
            degraded("repair", cause, "the nearest legal configuration was used")
        if self._refused:
            cause = f"{len(self._refused)} outside the space: {' | '.join(self._refused[:3])}"
            degraded("rejected", cause, "they were dropped")
        if self._repeats:
            cause = f"{self._repeats} repeat a trial or one another"
            degraded("rejected", cause, "they were dropped")
        self._repeats, self._moved, self._refused = 0, [], []


def shared_out(proposals: Sequence[Proposal], tokens: int) -> list[Proposal]:
    """`proposals` with the tokens of the calls they came from, to the last one."""
    share, rest = divmod(tokens, max(len(proposals), 1))
    return [p.model_copy(update={"tokens": share + (i < rest)}) for i, p in enumerate(proposals)]


def last_ones(history: History, n: int) -> list[Proposal] | None:
    """All that is left of a small space when it is at most `n`; None while there is more, or no end."""
    size = history.space.cardinality
    if size is None or size > 10_000 or size - len(history.taken) > n:
        return None
    rest = [c for c in history.space.all_configurations() if c.digest not in history.taken]
    reason = "One of the last configurations of this space that were not tried yet."
    return [Proposal(configuration=c, origin=Origin.RANDOM, reason=reason) for c in rest]
