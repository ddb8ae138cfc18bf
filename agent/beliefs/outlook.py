"""Whether further trials are likely to help, and what those that run now are meant to teach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tunesmith.agent.beliefs.optimum import Drawn
from tunesmith.agent.methods.gp.candidates import SAME
from tunesmith.agent.methods.gp.filling import FILLING
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.beliefs import Incumbent, Next, Progress
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
RECENT = 10
"""Trials whose record counts."""
NOTICEABLE = 0.01
"""Of the distance between the median and the best result: a smaller improvement is not counted."""
WEIGHTS = (0.35, 0.35, 1.61, 0.4)
"""Of 1, the log odds by the record, log10 of the relative spread, log of the number of trials; fitted to nine
functions, judged on nine others."""
ROUGH_UNTIL = 15
"""Completed trials below which the probability is no better than a guess: up to 12 it was further from what
came than the base rate (docs/beliefs.md), at 18 it was nearer."""
CLIPPED = (0.005, 0.995)
HALVED = 0.5
"""Factor on the drawn functions' deviations for the gain; whole ones promise more than comes."""
UNLIKELY, LIKELY = 0.2, 0.65
COARSE = 4
"""Parts of a range that these beliefs are compared in."""


def progress_of(
    task: Task, history: History, posterior: Posterior, drawn: Drawn, best: Incumbent, spread: float
) -> Progress | None:
    """The probability that one of the next trials is noticeably better on average than the incumbent.

    Draws from the surrogate alone promise too much late in a run, so it is a logistic regression on how often
    the run's own last trials were a new best, how unsure the surrogate is of its best configuration, and the
    number of trials (`benchmarks/beliefs/`). The gain is that of the batch of largest expected improvement
    (Ginsbourger, Le Riche and Carraro, 2010), the draws' deviations halved.

    Args:
        best: The incumbent, whose row is the first of `drawn.extra`.
        spread: Of the predicted best configuration, before `figures.SCALE`, metric units.
    Returns:
        None where no step of the metric can be told to be noticeable.
    """
    values = [trial.value for trial in history.completed if trial.value is not None]
    if best.measured is None or len(values) < 2:
        return None
    scale = abs(float(np.median(values)) - best.measured) or float(np.ptp(values))
    if not 0 < scale < np.inf:
        return None
    left = task.budget.trials - history.paid + len(history.pending)
    trials = min(left, AHEAD) if left > 0 else AHEAD
    sign = posterior.fitted.sign
    running = np.maximum.accumulate(sign * np.array(values))
    recent = (running[1:] > running[:-1])[-RECENT:]
    rate = (int(recent.sum()) + 1) / (len(recent) + 2)
    one = float(np.clip(1 - (1 - rate) ** trials, *CLIPPED))
    unsure = float(np.log10(np.clip(spread / scale, 1e-4, 10)))
    score = float(np.dot(WEIGHTS, (1.0, np.log(one / (1 - one)), unsure, np.log(trials))))
    probability = float(1 / (1 + np.exp(-score)))
    return Progress(
        trials=trials,
        probability=probability,
        gain=_gain(history, posterior, drawn, trials),
        text=_progress_text(probability, NOTICEABLE * scale, trials, left, rough=len(values) < ROUGH_UNTIL),
    )


def _gain(history: History, posterior: Posterior, drawn: Drawn, trials: int) -> float:
    """Expected improvement by a batch, metric units: chosen by half of the draws, judged by the other."""
    mean = posterior.predict(drawn.rows)[0]
    functions = mean + HALVED * (drawn.functions - mean)
    new = _untried(drawn.rows, history)
    values = np.where(drawn.may, functions, -np.inf)
    own = functions[:, int(drawn.extra[0])]
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
    inverse = posterior.fitted.transform.inverse
    return float(judged @ np.maximum(inverse(best[half:]) - inverse(own[half:]), 0.0))


def _progress_text(probability: float, step: float, trials: int, left: int, *, rough: bool) -> str:
    word = "unlikely" if probability < UNLIKELY else "likely" if probability > LIKELY else "open"
    of = counted(trials, "further trial")
    one = f"one of {of}" if trials > 1 else "the last trial"
    better = f"better than the best so far by {readable(step, 2)} or more"
    if left <= 0:
        how = f"{probability:.0%}" + (", a rough guess" if rough else "")
        return f"the budget is used up; with {of}, {better} is {word} ({how})"
    guess = " (a rough guess)" if rough else ""
    return f"{word}{guess}: {probability:.0%} that {one} is {better}"


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
    if history.incumbent is None:
        text = "looks for a first trial that counts"
    else:  # draws are means over seeds: the measured best value is partly luck
        text = f"{better:.0%} likely better than trial {history.incumbent.number} on average over seeds"
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
