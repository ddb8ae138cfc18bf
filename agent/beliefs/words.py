"""Sentences about beliefs: what they stand on, how they moved, and why some are not to be believed."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.beliefs.marginals import Range
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.history import Array, History
from tunesmith.task import Task
from tunesmith.text.literal import literal
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.collapse import flat_predictions, stopped_often

MOVED = 0.15
"""Total variation from the prior below which a belief has not moved."""
NARROWER, WIDER = 0.8, 1.25
"""Width of the range beside the prior's from where it is said to be narrower, or wider."""
ALIKE = 0.1
"""Standard deviation of the mean at the trials, in those of the scores, below which a surrogate is flat."""
EACH = 2
"""Results for each hyperparameter below which the beliefs are mostly the model's assumptions."""


def basis_text(history: History, posterior: Posterior | None) -> str:
    """What the beliefs stand on."""
    finished = len(history.finished)
    if posterior is None:
        return (
            f"the priors alone: {counted(finished, 'trial')} ended, and no two have different results"
            if finished
            else "the priors alone: no trial has ended yet"
        )
    used, scored = len(posterior.fitted.trials), len(history.scored)
    of = f"{used} trials" if used == scored else f"{used} of {scored} trials with a result"
    return f"a Gaussian process fitted to {of}" + (
        ", and the priors" if posterior.prior.informative else ", without priors"
    )


def faults_of(task: Task, history: History, posterior: Posterior | None) -> tuple[str, ...]:
    """Why some of it is not to be believed, in sentences; empty while nothing is wrong."""
    found: list[str] = []
    finished, failed = len(history.finished), len(history.failures)
    if posterior is None:
        if finished >= 2 and len(history.completed) >= 2:
            value = history.completed[0].value
            found.append(
                f"All {len(history.completed)} results are equal ({value:.5g}): nothing to learn from."
            )
        elif finished and failed == finished:
            all_ = "The only trial" if finished == 1 else f"All {finished} trials"
            found.append(f"{all_} failed: where the metric is good is not known.")
        return tuple(found)
    used = len(posterior.fitted.trials)
    free = sum(parameter.size != 1 for parameter in history.space.parameters.values())
    if used < EACH * free:
        found.append(f"Only {counted(used, 'result')} for {counted(free, 'hyperparameter')}: a first guess.")
    process = posterior.fitted.process
    mean = process.predict(process.points)[0]
    if used >= 4 and float(np.std(mean)) < ALIKE:
        found.append(
            "The surrogate is flat: it tells no configuration from another, or the metric is mostly noise."
        )
    elif (flat := flat_predictions(history)) is not None:
        low, high = sorted(flat)
        found.append(
            f"The latest predictions are all alike ({low:.4g} to {high:.4g}): it does not know where to go."
        )
    if (stopped := stopped_often(history)) is not None:
        found.append(f"{stopped} of the last 8 trials were stopped early: their values are forecasts.")
    if failed and failed >= finished / 2:
        found.append(
            f"{failed} of {finished} trials failed: more is known of where they work than of the metric."
        )
    if history.limits and not history.feasible:
        found.append("No trial keeps the limits yet, so there is no best one.")
    if history.others:
        found.append(
            f"Importance and slices are of {literal(history.metric)} alone; "
            "where the optimum is means where the Pareto front's configurations are. "
            "A predicted best and progress need a single metric, so neither is given."
        )
    return tuple(found)


def moved_text(span: Range, before: Array, after: Array, expected: float, *, unsure: bool) -> str:
    """How the belief moved from the prior, in a sentence; empty where it hardly did.

    Args:
        expected: Unit coordinate of the value that is expected to be the best now.
        unsure: Whether that is little more than a guess: the range is named instead.
    """
    if float(np.abs(before - after).sum() / 2) < MOVED:
        return ""
    old, new = span.text(span.expected(before)), span.text(expected)
    if not span.ordered:
        top = int(np.argmax(after))
        change = f"from {before[top]:.0%} to {after[top]:.0%}"
        return f"{new} went {change}" if old == new else f"from {old} to {new}, which went {change}"
    informed = float(before.max() - before.min()) > 1e-9
    start, end = span.interval(before), span.interval(after)
    ratio = (end[1] - end[0] + 1 / len(after)) / (start[1] - start[0] + 1 / len(before))
    where = f"from {old} to {new}" if informed and old != new else f"to {new}" if not informed else ""
    if unsure:
        where = f"now mostly {span.text(end[0])} to {span.text(end[1])}"
    if ratio < NARROWER:
        width = f"narrowed to {ratio:.0%} of its range"
    elif ratio > WIDER:
        width = f"widened to {ratio:.1f} times its range: results contradict the prior"
    else:
        width = ""
    return ", ".join(part for part in (where, width) if part)
