"""Two ways for a search to be over before its budget is used: a target reached, and no more improvement.

Both look at the metric with its noise in mind, as far as that is known (stated by the task, or measured by
trials that were repeated). Symbols: sd is the standard deviation between seeds, 0 where nothing is known.

    target      the mean of a configuration's n runs lies beyond the target by at least sd / sqrt(n)
    patience    so many trials in a row, none of them better by more than sd than the best before them

With limits a configuration counts for the target where the means of its runs keep them. For patience a step
forward is what `progress.py` says: while no trial is feasible, one that comes closer to the limits; with
several metrics, one that changes the Pareto front.
"""

from __future__ import annotations

from math import sqrt

from tunesmith.budget import Budget
from tunesmith.history import History
from tunesmith.noise import KnownNoise, Noise, known_noise
from tunesmith.progress import Progress
from tunesmith.runs import Runs, feasible_configurations
from tunesmith.text.literal import one_line
from tunesmith.trial import Origin, Proposal, Provenance, TrialState

MOST_RUNS = 3
"""How often a configuration is trained that seems to have reached the target."""
ROUNDING = 1e-12
"""Relative; so that a target of 0.3 is reached by 0.1 + 0.2."""


def why_over(history: History, budget: Budget, noise: Noise | None) -> str | None:
    """Why the search is over, by `target` or `patience`; None where it is not, or the task names neither."""
    if budget.target is None and budget.patience is None:
        return None
    known = known_noise(noise, history)
    return _target_reached(history, budget.target, known, noise) or _patience_used(
        history, budget.patience, known
    )


def doubtful(history: History, budget: Budget, noise: Noise | None) -> Proposal | None:
    """What may have reached the target, to be run again on another seed; None for nothing."""
    known = known_noise(noise, history)
    unmeasured = noise == "measure" and known is None
    if budget.target is None or not (unmeasured or (known is not None and known.sd > 0)):
        return None
    running = {trial.configuration.digest for trial in history.pending}
    for runs in _best_first(history):
        if history.sign * (runs.mean - budget.target) < 0:
            return None
        first = runs.trials[0]
        if len(runs.trials) < MOST_RUNS and first.configuration.digest not in running:
            reason = (
                f"Trial {first.number} again on another seed: it may have reached the target "
                f"{budget.target:g}, and the noise is {'to be measured' if known is None else known.text}."
            )
            return Proposal(
                configuration=first.configuration,
                origin=Origin.REPLICATE,
                reason=reason,
                evidence=(first.number,),
                provenance=Provenance(replicate_of=first.number),
            )
    return None


def _target_reached(
    history: History, target: float | None, known: KnownNoise | None, stated: Noise | None
) -> str | None:
    if target is None or (stated == "measure" and known is None):
        return None
    sd = 0.0 if known is None else known.sd
    for runs in _best_first(history):
        n, first = len(runs.trials), runs.first_feasible(history.goals) or runs.first
        beyond = history.sign * (runs.mean - target)
        if beyond < -ROUNDING * abs(target):
            return None
        if beyond < sd / sqrt(n) - ROUNDING * abs(target):
            continue
        text = f"the target {history.metric} {target:g} is reached: trial {first.number} has {runs.mean:.6g}"
        if known is None:
            return f"{text} on one seed; how much that varies between seeds is not known (`noise`)"
        if known.sd <= 0:
            return text
        return f"{text} (mean of {n} {'run' if n == 1 else 'runs'}; the noise is {known.text})"
    return None


def _patience_used(history: History, patience: int | None, known: KnownNoise | None) -> str | None:
    if patience is None or not history.completed:
        return None
    sd = 0.0 if known is None else known.sd
    progress, since = Progress(history.goals, {history.metric: sd}), 0
    for trial in history:
        if not trial.finished or trial.state is TrialState.LOST:
            continue
        since += trial.proposal.origin is not Origin.PREVIOUS and trial.number >= history.first
        if trial.value is not None and progress.add(trial):
            since = 0
    if progress.last is None or since < patience:
        return None
    number, end = progress.last.number, f"(`patience` is {patience})"
    if not progress.feasible:
        limits = " and ".join(f"{one_line(x.metric, 40)} {x.comparison}" for x in history.limits)
        closer = f"{since} trials in a row came no closer than trial {number}"
        return f"no trial keeps {limits} yet, and {closer} {end}"
    margin = f" by more than the noise ({known.text})" if known is not None and sd > 0 else ""
    if history.others:
        return f"{since} trials in a row did not change the Pareto front since trial {number}{margin} {end}"
    return f"{since} trials in a row did no better than trial {number}{margin} {end}"


def _best_first(history: History) -> list[Runs]:
    runs = feasible_configurations(history)
    return sorted(runs, key=lambda r: (-history.sign * r.mean, r.first.number))
