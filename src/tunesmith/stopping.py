"""Two ways for a search to be over before its budget is used: a target reached, and no more improvement.

Both look at the metric with its noise in mind, as far as that is known (stated by the task, or measured by
trials that were repeated). Symbols: sd is the standard deviation between seeds, 0 where nothing is known.

    target      the mean of a configuration's n runs lies beyond the target by at least sd / sqrt(n)
    patience    so many trials in a row, none of them better by more than sd than the best before them
"""

from __future__ import annotations

from collections import defaultdict
from math import sqrt
from typing import NamedTuple

from tunesmith.budget import Budget
from tunesmith.history import History
from tunesmith.noise import KnownNoise, Noise, known_noise
from tunesmith.trial import Origin, Proposal, Provenance, Trial, TrialState

MOST_RUNS = 3
"""How often a configuration is trained that seems to have reached the target."""
ROUNDING = 1e-12
"""Relative; so that a target of 0.3 is reached by 0.1 + 0.2."""


class _Runs(NamedTuple):
    """The completed runs of one configuration, oldest first."""

    trials: list[Trial]

    @property
    def mean(self) -> float:
        return sum(trial.value or 0.0 for trial in self.trials) / len(self.trials)


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
        n, first = len(runs.trials), runs.trials[0]
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
    best: float | None = None
    since, number = 0, 0
    for trial in history:
        if not trial.finished or trial.state is TrialState.LOST:
            continue
        since += trial.proposal.origin is not Origin.PREVIOUS and trial.number >= history.first
        if trial.value is not None and (best is None or history.sign * (trial.value - best) > sd):
            best, since, number = trial.value, 0, trial.number
    if best is None or since < patience:
        return None
    margin = f" by more than the noise ({known.text})" if known is not None and sd > 0 else ""
    return f"{since} trials in a row did no better than trial {number}{margin} (`patience` is {patience})"


def _best_first(history: History) -> list[_Runs]:
    grouped: dict[str, list[Trial]] = defaultdict(list)
    for trial in history.completed:
        grouped[trial.configuration.digest].append(trial)
    runs = [_Runs(trials) for trials in grouped.values()]
    return sorted(runs, key=lambda r: (-history.sign * r.mean, r.trials[0].number))
