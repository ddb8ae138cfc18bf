"""The method `hybrid`: a language model's priors and candidates, judged by the Gaussian process.

Without a language model, and with no priors from an earlier session, it is the Gaussian process alone.
"""

from __future__ import annotations

from tunesmith.agent.methods.base import Method, MethodContext, MethodParts


def _build(context: MethodContext) -> MethodParts:
    from tunesmith.agent.methods.gp.method import strategy_for
    from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
    from tunesmith.agent.methods.hybrid.gate import ShareGate
    from tunesmith.agent.methods.hybrid.proposer import ModelProposer
    from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
    from tunesmith.agent.methods.hybrid.suggester import HybridSuggester
    from tunesmith.agent.policy.turn_schedule import MEMBER as AGENT

    numeric = strategy_for(context.task)
    elicited = ElicitedPriors(context.task.space, context.elicited)
    if context.model is None:
        return MethodParts(HybridStrategy(numeric, elicited) if elicited.asked else numeric, gate=ShareGate())
    strategy = HybridStrategy(numeric, elicited)
    proposer = ModelProposer(context.model, context.task, context.emit)
    suggester = HybridSuggester(strategy, proposer, context.emit, elicited, context.competing)
    return MethodParts(strategy, AGENT.build(context), suggester, ShareGate())


METHOD = Method(
    summary="a language model's priors and candidates, judged by a Gaussian process (alone without one)",
    build=_build,
    uses_model=True,
    several_metrics=True,
    limits=True,
)
