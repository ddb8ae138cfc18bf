"""How quality grew with the number of samples, for each stage and model, by the trials that were run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.history import History
from tunesmith.pipeline.kind import QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.analysis.pipelines.item_mean import item_mean
from tunesmith.tools.analysis.pipelines.neighbours import shared_items
from tunesmith.trial import Trial, TrialState


@dataclass(frozen=True)
class ScalingPoint:
    """The best quality seen with so many samples of one model at one stage."""

    samples: int
    trial: int
    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval over items; None where the trial has no scores by item."""
    stopped: bool
    """Whether the trial was stopped early: its quality is that of the best one less their difference on the
    items that both were run on."""
    alike: bool
    """Whether the trial's other stages are as in the best allocation, so that only this stage differs."""


@dataclass(frozen=True)
class ScalingCurve:
    """Points of one model at one stage, by rising number of samples."""

    stage: str
    model: str
    points: tuple[ScalingPoint, ...]


def scaling(options: PipelineSettings, history: History, best: Trial | None) -> tuple[ScalingCurve, ...]:
    """A curve for each stage and model that trials called, in the order of the task.

    Of several trials with the same samples of a model one whose other stages are those of `best` stands for
    them, then one that was not stopped, then the one of the best quality.

    Args:
        best: The trial whose allocation is delivered; None: no point is alike.
    """
    found: dict[tuple[str, str], dict[int, ScalingPoint]] = {}
    chosen = {} if best is None else {c.stage: c for c in options.allocation(best.configuration)}
    for trial in history.trials:
        measured = _measured(trial, best)
        if measured is None:
            continue
        choices = options.allocation(trial.configuration)
        for choice in choices:
            if choice.rounds == 0:
                continue
            others = [c for c in choices if c.stage != choice.stage]
            mine = chosen.get(choice.stage)
            alike = all(chosen.get(c.stage) == c for c in others) and (
                mine is not None and replace(mine, model=choice.model, samples=choice.samples) == choice
            )
            point = ScalingPoint(choice.samples, trial.number, *measured, alike=alike)
            seen = found.setdefault((choice.stage, choice.model), {})
            before = seen.get(choice.samples)
            if before is None or _stands(point) > _stands(before):
                seen[choice.samples] = point
    return tuple(
        ScalingCurve(stage, model, tuple(point for _, point in sorted(points.items())))
        for stage, settings in options.stages.items()
        for model in settings.models
        if (points := found.get((stage, model)))
    )


def _stands(point: ScalingPoint) -> tuple[bool, bool, float]:
    """Which of several points with the same samples stands for them: the largest."""
    return point.alike, not point.stopped, point.mean


def _measured(trial: Trial, best: Trial | None) -> tuple[float, float | None, float | None, bool] | None:
    """Quality, the ends of its interval, and whether the trial was stopped; None where nothing is known.

    Items differ in how hard they are. So what a trial that was stopped would have come to is read off its
    difference to `best` on the items that both were run on.
    """
    if trial.state is TrialState.COMPLETED and (quality := trial.values.get(QUALITY)) is not None:
        known = item_mean(trial, QUALITY)
        return quality, *((None, None) if known is None else (known.low, known.high)), False
    if trial.state is not TrialState.PRUNED or best is None or QUALITY not in best.values:
        return None
    apart = shared_items(best, trial)
    if apart is None or apart.low is None or apart.high is None:
        return None
    whole = best.values[QUALITY]
    mean, low, high = (min(max(whole - d, 0.0), 1.0) for d in (apart.difference, apart.high, apart.low))
    return mean, low, high, True
