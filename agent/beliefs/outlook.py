"""Whether further trials are likely to help, and what those that run now are meant to teach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tunesmith.agent.beliefs.optimum import Drawn
from tunesmith.agent.methods.gp.candidates import SAME
from tunesmith.agent.methods.gp.filling import FILLING
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.beliefs import Next, Progress
from tunesmith.history import Array, History
from tunesmith.task import Task
from tunesmith.text.literal import literal
from tunesmith.text.numbers import counted, readable
from tunesmith.trial import Origin, Trial

AHEAD = 10
"""Trials that are looked ahead to at most."""
TELLS = 0.2
"""Total variation between beliefs after a good and after a poor result, from where a trial is said to tell
where the best value of a hyperparameter is; draws alone make about 0.1."""
COARSE = 4
"""Parts of a range that these beliefs are compared in."""


def progress_of(task: Task, history: History, posterior: Posterior, drawn: Drawn, at: int) -> Progress:
    """The probability that the next trials beat the incumbent, were they chosen now as one batch.

    The batch maximises the expected improvement of its best over half of the draws, chosen one by one
    (Ginsbourger, Le Riche and Carraro, 2010), and is judged by the other half.

    Args:
        at: Index of the incumbent's row in `drawn`.
    """
    left = task.budget.trials - history.paid + len(history.pending)
    trials = min(left, AHEAD) if left > 0 else AHEAD
    new = _untried(drawn.rows, history)
    values = np.where(drawn.may, drawn.functions, -np.inf)
    own = drawn.functions[:, at]
    half = len(values) // 2
    weights = drawn.weights
    best = own.copy()
    for _ in range(trials if new.any() else 0):
        gain = np.maximum(values[:half] - best[:half, None], 0.0) * weights[:half, None]
        total = np.where(new, gain.sum(axis=0), -1.0)
        chosen = int(np.argmax(total))
        best = np.maximum(best, values[:, chosen])
        new = new & (np.arange(len(new)) != chosen)
    judged = weights[half:] / max(float(weights[half:].sum()), 1e-300)
    probability = float(judged @ (best[half:] > own[half:]))
    inverse = posterior.fitted.transform.inverse
    expected = float(judged @ np.maximum(inverse(best[half:]) - inverse(own[half:]), 0.0))
    return Progress(
        trials=trials,
        probability=probability,
        gain=expected,
        text=_progress_text(probability, expected, trials, left),
    )


def _progress_text(probability: float, gain: float, trials: int, left: int) -> str:
    word = "unlikely" if probability < 0.2 else "likely" if probability > 0.6 else "open"
    of = counted(trials, "further trial")
    one = f"one of {of}" if trials > 1 else "the last trial"
    text = f"{word}: {probability:.0%} that {one} is better than the best so far"
    if left <= 0:
        text = f"the budget is used up; with {of}, better than the best so far is {word} ({probability:.0%})"
    return text if gain <= 0 else f"{text}; expected gain {readable(gain, 2)}"


def _untried(rows: Array, history: History) -> NDArray[np.bool_]:
    tried = history.encoded(history.not_lost)[0]
    if not len(tried):
        return np.ones(len(rows), dtype=bool)
    new: NDArray[np.bool_] = cdist(rows, tried, "chebyshev").min(axis=1) >= SAME
    return new


def next_of(
    history: History, posterior: Posterior | None, drawn: Drawn | None, at: int, running: dict[int, int]
) -> tuple[Next, ...]:
    """What each running trial is meant to teach.

    Args:
        at: Index of the incumbent's row in `drawn`.
        running: Index of each running trial's row in `drawn`, by number.
    """
    found = []
    for trial in history.pending:
        text = _by_kind(trial)
        if not text and posterior is not None and drawn is not None and trial.number in running:
            text = _by_draws(history, posterior, drawn, at, running[trial.number])
        found.append(Next(number=trial.number, text=text or "a first look: nothing can be predicted yet"))
    return tuple(found)


def _by_kind(trial: Trial) -> str:
    how, origin = trial.proposal.provenance, trial.proposal.origin
    if how.replicate_of is not None:
        return f"trial {how.replicate_of} again on another seed: how much of its result was luck"
    if how.stage == FILLING:
        return "looks where nothing has been tried, in case the best is elsewhere"
    if origin is Origin.DEFAULT:
        return "the default: what everything else is compared with"
    if origin is Origin.USER:
        return "a person asked for it"
    if origin is Origin.RETRY:
        return "run again after an interruption"
    return ""


def _by_draws(history: History, posterior: Posterior, drawn: Drawn, at: int, row: int) -> str:
    values, weights = drawn.functions[:, row], drawn.weights
    better = float(weights @ ((values > drawn.functions[:, at]) & drawn.may[:, row]))
    text = f"{better:.0%} likely to be the new best"
    if history.incumbent is None:
        text = "looks for a first trial that counts"
    told = [
        (_difference(drawn, values, columns, name, posterior), name)
        for name, columns in posterior.prior.columns.items()
    ]
    most, name = max(told)
    return f"{text}; tells most about {literal(name)}" if most >= TELLS else text


def _difference(
    drawn: Drawn, values: Array, columns: NDArray[np.intp], name: str, posterior: Posterior
) -> float:
    """Total variation of where the best value is between the draws with high and with low `values`."""
    rows = drawn.rows[drawn.best][:, columns]
    cells = len(columns) if len(columns) > 1 else COARSE
    place = np.argmax(rows, axis=1) if len(columns) > 1 else np.minimum((rows[:, 0] * COARSE).astype(int), 3)
    low, high = np.quantile(values, (1 / 3, 2 / 3))
    parts = []
    for chosen in (values <= low, values >= high):
        count = np.bincount(place[chosen], drawn.weights[chosen], minlength=cells)
        parts.append(count / max(float(count.sum()), 1e-300))
    return float(np.abs(parts[0] - parts[1]).sum() / 2)
