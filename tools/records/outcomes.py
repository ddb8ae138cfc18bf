"""From a worker's outcome to a finished trial, and back. The one place that judges what a value is worth."""

from __future__ import annotations

import math

from tunesmith.items import bounded_items
from tunesmith.text.cleaning import log_line, log_tail
from tunesmith.tools.records.bounds import LONGEST_NOTE, MOST_NOTES, bounded_metrics, legal_step
from tunesmith.tools.records.thinning import thinned
from tunesmith.trial import Outcome, Trial, TrialState


def finished_trial(trial: Trial, outcome: Outcome, *metrics: str) -> Trial:
    """`trial` as ended by `outcome`; `metrics` are those that the task needs, the primary one first.

    Only finite numbers get through: Optuna would take an infinite value for the best one. A completed
    outcome without a finite metric is therefore no completion: it diverged where the metric is there
    and not finite, and crashed where it is missing.
    """
    assert outcome.state is not TrialState.RUNNING, "an outcome is an end"
    state, message = outcome.state, outcome.message
    value = outcome.values.get(metrics[0]) if state is TrialState.COMPLETED else None
    if state is TrialState.COMPLETED:
        for metric in metrics:
            found = outcome.values.get(metric)
            if found is None:
                state, message = TrialState.CRASHED, f"it ended without the task's metric {metric!r}"
            elif not math.isfinite(found):
                state, message = TrialState.DIVERGED, f"{metric} was {found}"
            if state is not TrialState.COMPLETED:
                value = None
                break
    # A trial that was stopped after some of its items keeps what it has of them; it has no `value`.
    kept = state is TrialState.COMPLETED or (state is TrialState.PRUNED and bool(outcome.items))
    values, left_out = bounded_metrics(outcome.values, *metrics) if kept else ({}, "")
    notes = (*outcome.notes, left_out) if left_out else outcome.notes
    whole = finite_curve(outcome.curve)
    curve = thinned(whole)
    reports = max(outcome.reports, len(whole))
    return trial.model_copy(
        update={
            "state": state,
            "value": value,
            "values": {k: v for k, v in values.items() if math.isfinite(v)},
            "curve": curve,
            "reports": reports if reports > len(curve) else 0,
            "notes": tuple(log_line(note, LONGEST_NOTE) for note in notes[:MOST_NOTES]),
            "message": log_line(message),
            "traceback": log_tail(outcome.traceback),
            "seconds": outcome.seconds,
            "items": bounded_items(outcome.items, metrics) if kept else {},
            "loss": outcome.loss if state is TrialState.LOST else None,
        }
    )


def outcome_of(trial: Trial) -> Outcome:
    """The outcome that a finished trial came from, as far as the trial tells (peak memory is lost)."""
    assert trial.finished, f"trial {trial.number} is still running"
    return Outcome(
        state=trial.state,
        values=trial.values,
        curve=trial.curve,
        reports=trial.reports,
        notes=trial.notes,
        message=trial.message,
        traceback=trial.traceback,
        seconds=trial.seconds,
        loss=trial.loss,
        items=dict(trial.items),
    )


def finite_curve(curve: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    """A curve in order of step, the first report of a step standing.

    Only finite values, and steps that any store can hold.
    """
    points: dict[int, float] = {}
    for step, value in curve:
        if math.isfinite(value) and legal_step(step):
            points.setdefault(step, value)
    return tuple(sorted(points.items()))


def surprise(trial: Trial, sign: float) -> float | None:
    """(value - expected) / spread, positive when better than expected; None without value or prediction.

    Args:
        sign: +1 when maximising, -1 when minimising (`History.sign`).
    """
    expected, spread = trial.proposal.expected, trial.proposal.spread
    if trial.value is None or expected is None or not spread:
        return None
    z = sign * (trial.value - expected) / spread
    return z if math.isfinite(z) else None
