"""The trials that a surrogate's prompt shows, in the order it shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.agent.methods.llambo.formats import format_configuration, format_score
from tunesmith.agent.methods.llambo.goals import broken_text
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.tools.analysis.excerpt import MAX_PENDING, select
from tunesmith.trial import Trial, TrialState

DELIMITER = "##"


@dataclass(frozen=True)
class Example:
    """One trial as the surrogates' prompts show it."""

    configuration: str
    result: str


def shown(history: History, limit: int) -> tuple[Trial, ...]:
    """Trials that say something of their configuration, at most `limit`: all, or the most telling ones."""
    trials = tuple(t for t in history.finished if t.state is not TrialState.LOST)
    if len(trials) <= limit:
        return trials
    failed = limit // 8
    best = recent = (limit - failed) // 3
    chosen = select(history, best=best, recent=recent, failed=failed, diverse=limit - best - recent - failed)
    return tuple(t for t in chosen if t.state is not TrialState.LOST)


def arranged(trials: Sequence[Trial], protocol: LlamboSettings, rng: np.random.Generator) -> list[Trial]:
    """The trials of one template: shuffled, or resampled with replacement, as the protocol says.

    A resampled history that has lost every completed trial is drawn again, and after that kept whole: a
    prompt without a single result asks for a number on no scale.
    """
    given = list(trials)
    if protocol.bootstrap:
        for _ in range(10):
            drawn = [given[i] for i in rng.integers(len(given), size=len(given))]
            if any(t.state is TrialState.COMPLETED for t in drawn):
                given = drawn
                break
    return [given[i] for i in rng.permutation(len(given))] if protocol.permute else given


def performances(
    history: History, protocol: LlamboSettings, seed: int, template: int
) -> list[dict[str, str]]:
    """Trials as the sampler's prompt shows them: `configuration` and `performance` (or how it ended).

    By number, or in an order of the template's own that is the same at every trial.
    """
    trials = shown(history, protocol.history_limit)
    if protocol.permute:
        order = rng_for(seed, "llambo examples", template).permutation(len(trials))
        trials = tuple(trials[i] for i in order)
    return [
        {
            "configuration": format_configuration(history.space, trial.configuration, protocol),
            "performance": f"none ({ending(trial, history.limits, protocol)})"
            if trial.value is None
            else format_score(trial.value, protocol),
        }
        for trial in trials
    ]


def running(history: History, protocol: LlamboSettings, *, joint: str) -> list[str]:
    """Configurations that are being trained now, the latest few."""
    latest = history.pending[-MAX_PENDING:]
    return [format_configuration(history.space, t.configuration, protocol, joint=joint) for t in latest]


def ending(trial: Trial, limits: Sequence[Limit], protocol: LlamboSettings) -> str:
    """How a trial without a value ended, in a few words of ours: nothing of its own log is repeated."""
    if broken := broken_text(trial, limits, blinded=protocol.blinded):
        return broken
    return {
        TrialState.PRUNED: "stopped early for being poor",
        TrialState.DIVERGED: "failed, the training diverged",
        TrialState.OUT_OF_MEMORY: "failed, out of memory",
        TrialState.TIMED_OUT: "failed, out of time",
    }.get(trial.state, "failed")


def result(trial: Trial, protocol: LlamboSettings, limits: Sequence[Limit] = ()) -> str:
    """The value between delimiters, or how the trial ended without one."""
    if trial.state is TrialState.COMPLETED and trial.value is not None:
        return f"{DELIMITER} {format_score(trial.value, protocol)} {DELIMITER}"
    last = trial.last_reported if trial.state is TrialState.PRUNED else None
    return ending(trial, limits, protocol) + (
        f", at {format_score(last, protocol)}" if last is not None else ""
    )
