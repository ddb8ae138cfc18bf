"""LLAMBO in the loop, as published: every trial is its choice, made after the trial before it.

The strategy asks a model, so it is called here, in the head's thread, and what it chose is launched. With
several workers it chooses as many as are free, and what runs or waits counts as running. A model that fails
costs this choice only: the strategy's own fallback makes it, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tunesmith.agent.methods.llambo.protocol import calls_a_trial, protocol_for
from tunesmith.agent.policy import narrator
from tunesmith.agent.policy.findings import Watermark, findings
from tunesmith.agent.policy.rules import WAKE_AFTER, RulesPolicy
from tunesmith.events import Degraded, Thought
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Chunk, Decision, Emit, Policy, Strategy, Toolbox
from tunesmith.task.tuner import TunerSpec
from tunesmith.trial import Proposal, Trial


class LlamboPolicy(Policy):
    """Launches what the strategy chooses, as many trials as there are free workers.

    Args:
        strategy: A `LlamboStrategy`; it may wait for a model.
        spec: The task's `tuner`; its text is this policy's name.
        rules: Answers people from the records.
        emit: Takes the narration.
    Attributes:
        waiting: Says what is queued but not started; set by whoever knows the engine.
    """

    def __init__(self, strategy: Strategy, spec: TunerSpec, rules: RulesPolicy, emit: Emit) -> None:
        self.name = spec.text()[:100]
        self._strategy, self._spec, self._rules, self._emit = strategy, spec, rules, emit
        self._watermark = Watermark()
        self._told = False
        self._narrated_at = 0
        self.waiting: Callable[[], Sequence[Proposal]] = tuple

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        """As many proposals as there are workers without work; none where all are busy."""
        self._open(briefing)
        waiting = tuple(self.waiting())
        history = _with_waiting(briefing.history, waiting)
        free = briefing.task.workers - len(history.pending)
        wanted = min(free, briefing.trials_left - len(waiting))
        if wanted < 1:
            return Decision(
                reason="Every worker is busy: the next trial is chosen when one ends.", wake_after=1
            )
        chosen = self._strategy.propose(history, wanted)
        self._narrate(briefing, chosen)
        reason = chosen[0].reason if chosen else "The search space has nothing new left."
        return Decision(reason=reason, launch=tuple(chosen), wake_after=1)

    def answer(self, question: str, briefing: Briefing) -> Iterator[Chunk]:
        """From the records, as the rules do: LLAMBO's model knows numbers, not conversations."""
        return self._rules.answer(question, briefing)

    def _open(self, briefing: Briefing) -> None:
        """Once: what begins, and whether the caps on the model let it go on to the end."""
        if self._told:
            return
        self._told = True
        resumed = "resumed" in briefing.triggers
        self._watermark.advance(briefing.history, resumed=resumed)
        self._narrated_at = len(briefing.history.finished)
        self._say(briefing, narrator.opening(briefing, resumed=resumed, standing_in=False, llambo=self.name))
        protocol = protocol_for(self._spec)
        started = max(protocol.initial, len(briefing.history))
        needed = calls_a_trial(protocol) * max(briefing.budget.trials - started, 0)
        cap = briefing.budget.model.calls
        left = None if cap is None else max(cap - briefing.spend.model.calls, 0)
        if left is not None and left < needed:
            self._emit(
                Degraded(
                    what="warning",
                    where="tuner",
                    cause=f"{self.name} needs about {needed} calls of the model, and {left} are left",
                    continuation="what they do not reach is chosen numerically; see budget.model.calls",
                )
            )

    def _narrate(self, briefing: Briefing, chosen: Sequence[Proposal]) -> None:
        finished = len(briefing.history.finished)
        if finished - self._narrated_at < WAKE_AFTER:
            return
        self._narrated_at = finished
        fresh = self._watermark.advance(briefing.history, resumed=False)
        following = chosen[0] if chosen else None
        self._say(briefing, narrator.update(briefing, findings(briefing.history, fresh), following))

    def _say(self, briefing: Briefing, text: str) -> None:
        self._emit(Thought(turn=briefing.turn, speaker="narrator", text=text))


def _with_waiting(history: History, waiting: Sequence[Proposal]) -> History:
    """The history with queued proposals as trials that run: nothing of them is known, and none may repeat."""
    number = history.trials[-1].number + 1 if history.trials else 0
    for i, proposal in enumerate(waiting):
        history = history.with_trial(Trial(number=number + i, proposal=proposal))
    return history
