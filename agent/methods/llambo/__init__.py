"""Natural-language Bayesian optimisation after LLAMBO (Liu et al., ICLR 2024): two uses of one idea.

The hybrid, the default with a model: `opening.py` (priors and a warm start in one question) and
`candidates.py` (some that should reach a target a little beyond the best), put together by `proposer.py`;
what is run is decided by a calibrated statistical model (`agent/methods/hybrid/strategy.py`).

LLAMBO itself, whole or in parts (`parts.py` has the names): `protocol.py` (settings and upstream's
constants), `zero_shot.py` (warm start), `candidate_sampler.py`, `discriminative.py`, `generative.py`, joined
by `strategy.py`. Answers in plain text are read in `parse/`.
"""

from tunesmith.agent.methods.hybrid.proposer import LlamboProposer

__all__ = ["LlamboProposer"]
