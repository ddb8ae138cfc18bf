"""Natural-language Bayesian optimisation after LLAMBO (Liu et al., ICLR 2024), its first form.

A language model proposes configurations with reasons: some to start from, from the task's description
alone (`warm_start`), then some that should reach a target a little beyond the best value so far
(`candidates`). Unlike LLAMBO's own surrogate, what is run is decided by a calibrated statistical model
(`agent/strategies/hybrid.py`): one call for several candidates instead of some twenty for each trial.
"""

from tunesmith.agent.strategies.llambo.proposer import LlamboProposer

__all__ = ["LlamboProposer"]
