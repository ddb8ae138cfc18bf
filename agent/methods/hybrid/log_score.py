"""What a trial that the language model had a part in says for the model against the surrogate, in nats.

    the model predicted its value too    log p_model(y) - log p_surrogate(y), within 3 (`expert.py`)
    beliefs or a candidate tilted it     log P_tilted(e) - log P_surrogate(e), e: was y a new best

The second is the log score of the tilted choice. The surrogate, asked for the same configuration, had
predicted N(expected, spread^2), so an improvement with probability P_surrogate; the tilt says that there is
more to be had there than that: P_tilted has e = 2.718 times these odds. A trial that failed did not improve.

The gains are summed from trial to trial (`gate.py`). exp(sum) is the wealth of one who bets on the model
against the surrogate; as long as the surrogate's probabilities hold, so that the model knows nothing more, it
exceeds 1 / a at any time with probability a at most (Ville, 1939; Shafer, 2021). What either predicted was
recorded before the result, so the records alone decide.
"""

from __future__ import annotations

import math

from tunesmith.agent.methods.hybrid.expert import prediction_gain
from tunesmith.trial import Trial

TILT = 1.0
"""Log of the factor on the odds of an improvement that a tilted choice stands for."""
LEAST_PROBABILITY = 1e-3
"""Of an improvement and of none: the surrogate is not taken to be surer than this."""


def gain(trial: Trial, best: float | None, sign: float, *, feasible: bool = True) -> float:
    """The gain of one finished trial on the model's side; 0 where nothing can be compared.

    Args:
        best: Best feasible value before it, metric units; None without one.
        sign: +1 to maximise, -1 to minimise.
        feasible: Whether it keeps the limits; one that breaks them did not improve.
    """
    predicted = prediction_gain(trial)
    if predicted is not None:
        return predicted
    proposal = trial.proposal
    if best is None or proposal.expected is None or not proposal.spread:
        return 0.0
    improved = feasible and trial.value is not None and sign * trial.value > sign * best
    return improvement_gain(sign * (proposal.expected - best) / proposal.spread, improved=improved)


def improvement_gain(standard: float, *, improved: bool) -> float:
    """log P_tilted - log P_surrogate of what happened, in [-1, 1].

    Args:
        standard: (expected - best) / spread, larger is better.
    """
    if math.isnan(standard):
        return 0.0
    chance = 0.5 * math.erfc(-standard / math.sqrt(2))
    chance = min(max(chance, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    # With odds o: P_tilted = a o / (1 + a o), so the ratio is a / (1 + p (a - 1)) or 1 / (1 + p (a - 1)).
    shared = math.log1p(chance * math.expm1(TILT))
    return TILT - shared if improved else -shared
