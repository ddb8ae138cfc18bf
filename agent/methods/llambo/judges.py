"""Who decides among candidates: any surrogate under any acquisition function, behind one method.

`judge(history, proposals)` gives the same proposals, best first, with `provenance.acquisition`; one without
it was not judged, and its place says nothing. A `GaussianProcessStrategy` is a judge as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tunesmith.agent.methods.gp.acquisition import WORDS, Acquisition, acquire
from tunesmith.agent.methods.gp.strategy import best_first
from tunesmith.agent.methods.llambo.discriminative import DiscriminativeSurrogate
from tunesmith.agent.methods.llambo.generative import GenerativeSurrogate
from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.interfaces import Surrogate
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Proposal


@runtime_checkable
class Judge(Protocol):
    """Ranks proposals of others."""

    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]: ...


class SurrogateJudge:
    """Ranks by an acquisition function over a surrogate's predictions.

    Args:
        surrogate: Any `interfaces.Surrogate`; a prediction that is NaN leaves its candidate unjudged.
        acquisition: `ei`, `log_ei` or `ucb`.
        kappa: For `ucb`.
    """

    def __init__(self, surrogate: Surrogate, acquisition: Acquisition = "log_ei", kappa: float = 2.0) -> None:
        self.surrogate, self.acquisition, self.kappa = surrogate, acquisition, kappa

    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        self.surrogate.fit(history)
        mean, std = self.surrogate.predict([p.configuration for p in proposals])
        known = np.isfinite(mean) & np.isfinite(std)
        scores = np.full(len(proposals), np.nan)
        incumbent = float(history.scores.max())
        scores[known] = acquire(
            self.acquisition, history.sign * mean[known], std[known], incumbent, kappa=self.kappa
        )
        details = {"judged": float(known.sum())}
        if isinstance(self.surrogate, DiscriminativeSurrogate):
            details["recalibration"] = self.surrogate.recalibration().factor
        judged = list(proposals)
        for i in np.flatnonzero(known):
            expected, spread = float(mean[i]), float(std[i])
            prediction = f"predicted {format_metric(history, expected)} ± {spread:.2g}"
            p = _judged(judged[i], float(scores[i]), WORDS[self.acquisition], prediction, details)
            judged[i] = p.model_copy(update={"expected": expected, "spread": spread})
        return best_first(judged)


class ProbabilityJudge:
    """Ranks by the probability of being among the best."""

    def __init__(self, surrogate: GenerativeSurrogate) -> None:
        self.surrogate = surrogate

    def judge(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        self.surrogate.fit(history)
        found = self.surrogate.probabilities([p.configuration for p in proposals])
        known = np.isfinite(found)
        share = f"{100 * self.surrogate.protocol.top_share:g}"
        judged = list(proposals)
        for i in np.flatnonzero(known):
            prediction = f"{found[i]:.0%} to be among the best {share} %"
            details = {"probability": float(found[i]), "judged": float(known.sum())}
            score = float(found[i])
            judged[i] = _judged(judged[i], score, "probability of being good", prediction, details)
        return best_first(judged)


def judge_of(who: object, acquisition: Acquisition = "log_ei", kappa: float = 2.0) -> Judge:
    """A judge from whatever can judge: a judge, a generative surrogate, or any `interfaces.Surrogate`.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(who, Judge):
        return who
    if isinstance(who, GenerativeSurrogate):
        return ProbabilityJudge(who)
    if callable(getattr(who, "fit", None)) and callable(getattr(who, "predict", None)):
        surrogate: Any = who
        return SurrogateJudge(surrogate, acquisition, kappa)
    raise UsageError(f"a {type(who).__name__} cannot judge candidates: it needs judge, or fit and predict")


def _judged(
    p: Proposal, score: float, criterion: str, prediction: str, details: dict[str, float]
) -> Proposal:
    """`p` with its score, and the prediction put before its reason."""
    among = int(details["judged"])
    rank = f"Highest {criterion} of {among} candidates"
    reason = f"{rank if among > 1 else 'The only candidate that could be judged'}: {prediction}. {p.reason}"
    changes = {"reason": reason, "details": {**p.details, **details}}
    return p.model_copy(update=changes).with_provenance(acquisition=score)
