"""Whether a run's latest trials tell it nothing: most were stopped early, or the predictions are all alike.

Either may be the start of a collapse: trials that are stopped say little about their configuration, a
surrogate that is told little predicts the same everywhere, and what it then proposes is stopped as well.
"""

from __future__ import annotations

import numpy as np

from tunesmith.history import History
from tunesmith.tools.analysis.numbers import format_metric

RECENT = 8
"""How many of the latest trials count."""


def stopped_often(history: History) -> int | None:
    """How many of the last 8 trials that completed or were stopped early were stopped; None up to half."""
    last = sorted((*history.completed, *history.pruned), key=lambda trial: trial.number)[-RECENT:]
    stopped = sum(trial.value is None for trial in last)
    return stopped if stopped > RECENT // 2 else None


def flat_predictions(history: History) -> tuple[float, float] | None:
    """Lowest and highest of the last 8 predictions, metric units, if they are flat; else None.

    Flat: they differ less from each other than the best of them lies below the middle of the feasible
    results. A search that predicts less than it has usually reached, and the same everywhere, does not know
    where to go. With several metrics low predictions of one are no sign of that.
    """
    predicted = [trial.proposal.expected for trial in history.informative[-RECENT:]]
    known = [value for value in predicted if value is not None]
    if len(known) < RECENT or not history.feasible or history.others:
        return None
    best = float(np.max(history.sign * np.array(known)))
    low, high = min(known), max(known)
    return (low, high) if best + (high - low) < _middle(history) else None


def _middle(history: History) -> float:
    """Median score of the feasible trials."""
    return float(np.median([history.sign * (trial.value or 0.0) for trial in history.feasible]))


def collapse_texts(history: History, pruner: str) -> dict[str, str]:
    """What is to be said of either, by kind; empty while all is well.

    Args:
        pruner: Its kind, as in the task.
    """
    texts = {}
    stopped, flat = stopped_often(history), flat_predictions(history)
    if pruner == "race":
        stopped = None  # most are meant to be, and each keeps the scores that it has
    if stopped is not None:
        said = f"{stopped} of the last {RECENT} trials were stopped early"
        if pruner == "forecast":
            texts["stopped"] = f"{said}. While that is so, only clearly hopeless ones are stopped."
        elif pruner == "none":
            texts["stopped"] = f"{said} by the training code itself; stopped trials teach the search little."
        else:
            texts["stopped"] = (
                f"{said}, good ones perhaps among them: `pruner: {pruner}` compares trials with each other, "
                "however good all of them are. `pruner: forecast` stops only what can no longer be the best."
            )
    if flat is not None:
        low, high = (format_metric(history, value) for value in flat)
        middle = format_metric(history, history.sign * _middle(history))
        so = " Trials are stopped early less often." if pruner == "forecast" else ""
        texts["flat"] = (
            f"The last {RECENT} predictions are flat, {low} to {high}, and worse than the middle result, "
            f"{middle}: the surrogate does not know where to look.{so}"
        )
    return texts
