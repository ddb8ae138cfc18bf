"""The agent decides seldom, the rules in between: a run costs a handful of calls.

At the start there is nothing that a turn could look at: the opening is one structured call, whose warm start
is queued as soon as it comes (`hybrid/opening_parts.py`). Later the agent gets a turn when something has
happened or enough was learned since its last one (`query_schedule.py`). Between its turns the rules describe
what the data show. What a person asks is answered elsewhere (`agent/conversation/`) and is no turn.
"""

from __future__ import annotations

from tunesmith.agent.policy.base import PolicyContext, PolicyMember
from tunesmith.agent.policy.query_schedule import query_due
from tunesmith.agent.policy.rules import RulesPolicy
from tunesmith.events import Degraded
from tunesmith.interfaces import Briefing, Decision, Emit, Policy, Toolbox

URGENT = frozenset({"plateau", "surprise", "failures"})
WAKE_AFTER_OPENING = 2
"""Finished trials, of which the default and the warm start are two."""


class ScheduledPolicy(Policy):
    """Decides by the agent seldom, else by the rules.

    Args:
        agent: Asks a language model; what it raises is passed on.
        rules: Costs nothing.
        turns: False: the rules decide, after the opening.
        emit: Not needed; nothing is said here.
    """

    asks_model = True

    def __init__(self, agent: Policy, rules: Policy, *, turns: bool = True, emit: Emit | None = None) -> None:
        self.name = agent.name
        self._agent, self._rules, self._turns = agent, rules, turns
        self._asked_at: int | None = None  # number of finished trials at the agent's last turn

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        """One decision.

        Raises:
            ModelError: it was the agent's turn, and the model failed.
        """
        triggers, finished = set(briefing.triggers), len(briefing.history.finished)
        urgent = bool(triggers & URGENT)
        if "start" in triggers and not len(briefing.history):
            self._asked_at = finished
            return self._opening(briefing, toolbox)
        due = self._turns and query_due(finished, self._asked_at, urgent=urgent)
        if not due:
            return self._rules.decide(briefing, toolbox)
        self._asked_at = finished
        return self._agent.decide(briefing, toolbox)

    def _opening(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        toolbox.suggest(1)
        if not toolbox.launched:  # the model could not be asked, which is in the log already
            return self._rules.decide(briefing, toolbox)
        reason = (
            "First goes what the language model would try, beside the default; what it expects is the prior "
            "from then on."
        )
        return Decision(reason=reason, candidates=toolbox.candidates(), wake_after=WAKE_AFTER_OPENING)


def _build(context: PolicyContext) -> Policy:
    rules = RulesPolicy(context.emit, standing_in=context.model is not None)
    if context.model is None:
        cause, how = "the policy `agent` needs a language model", "the rules policy decides"
        context.emit(Degraded(what="fallback", where="policy", cause=cause, continuation=how))
        return rules
    from tunesmith.agent.policy.langchain_agent import AgentPolicy

    turns = context.model.capabilities.tools
    if not turns:
        cause = f"{context.model.label} cannot call tools"
        how = "rules decide; the model proposes configurations and answers questions"
        context.emit(Degraded(what="fallback", where="policy", cause=cause, continuation=how))
    return ScheduledPolicy(AgentPolicy(context.model, context.emit), rules, turns=turns)


MEMBER = PolicyMember(
    summary="a language model with tools decides at few points of a run, the rules between them",
    build=_build,
    uses_model=True,
)
