"""The policy without a language model: the strategy chooses the trials, templates explain them.

The smallest complete `Policy`; read it before `langchain_agent.py`.
"""

from __future__ import annotations

from tunesmith.agent.policy import narrator
from tunesmith.agent.policy.base import PolicyContext, PolicyMember
from tunesmith.agent.policy.findings import Watermark, findings
from tunesmith.events import Thought
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Toolbox

WAKE_AFTER = 4
"""Finished trials between two reports."""


class RulesPolicy(Policy):
    """Lets the strategy go on and reports what the data show. Never stops a run: its budget does.

    Args:
        emit: Receives the reports.
        wake_after: Finished trials between two decisions, at least 1.
        standing_in: A language model is in use, and this policy decides only where it fails.
        competing: A language model is in use for what competes; decisions are this policy's.
    """

    name = "rules"

    def __init__(
        self,
        emit: Emit,
        *,
        wake_after: int = WAKE_AFTER,
        standing_in: bool = False,
        competing: bool = False,
    ) -> None:
        self._emit, self._wake_after, self._standing_in = emit, wake_after, standing_in
        self._competing = competing
        self._watermark = Watermark()
        self._opened = False

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        history, resumed = briefing.history, "resumed" in briefing.triggers
        fresh = self._watermark.advance(history, resumed=resumed)
        if not self._opened and ({"start", "resumed"} & set(briefing.triggers)):
            text = narrator.opening(
                briefing, resumed=resumed, standing_in=self._standing_in, competing=self._competing
            )
            self._say(briefing, text)
        else:
            suggested = toolbox.suggest(1) if briefing.trials_left > 0 else []
            following = suggested[0] if suggested else None
            self._say(briefing, narrator.update(briefing, findings(history, fresh), following))
        self._opened = True
        wake_after = max(1, min(self._wake_after, briefing.trials_left or 1))
        reason = narrator.decision(briefing.triggers)
        return Decision(reason=reason, candidates=toolbox.candidates(), wake_after=wake_after)

    def _say(self, briefing: Briefing, text: str) -> None:
        self._emit(Thought(turn=briefing.turn, speaker="narrator", text=text))


def _build(context: PolicyContext) -> RulesPolicy:
    return RulesPolicy(context.emit, standing_in=context.model is not None)


MEMBER = PolicyMember(summary="the strategy decides, a narrator explains; no language model", build=_build)
