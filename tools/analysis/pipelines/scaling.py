"""How quality grew with the number of samples, for each stage and model, by the trials that were run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunesmith.history import History
from tunesmith.pipeline.kind import QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.analysis.pipelines.item_mean import item_mean
from tunesmith.trial import Trial


@dataclass(frozen=True)
class ScalingPoint:
    """The best quality seen with so many samples of one model at one stage."""

    samples: int
    trial: int
    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval over items; None where the trial has no scores by item."""
    alike: bool
    """Whether the trial's other stages are as in the best allocation, so that only this stage differs."""


@dataclass(frozen=True)
class ScalingCurve:
    """Points of one model at one stage, by rising number of samples."""

    stage: str
    model: str
    points: tuple[ScalingPoint, ...]


def scaling(options: PipelineSettings, history: History, best: Trial | None) -> tuple[ScalingCurve, ...]:
    """A curve for each stage and model that completed trials called, in the order of the task.

    Of several trials with the same samples of a model one whose other stages are those of `best` stands for
    them, else the one of the best quality: other stages differ between points that are not `alike`.

    Args:
        best: The trial whose allocation is delivered; None: no point is alike.
    """
    found: dict[tuple[str, str], dict[int, tuple[ScalingPoint, float]]] = {}
    chosen = {} if best is None else {c.stage: c for c in options.allocation(best.configuration)}
    for trial in history.completed:
        quality = trial.values.get(QUALITY)
        if quality is None:
            continue
        known = item_mean(trial, QUALITY)
        choices = options.allocation(trial.configuration)
        for choice in choices:
            if choice.rounds == 0:
                continue
            others = [c for c in choices if c.stage != choice.stage]
            mine = chosen.get(choice.stage)
            alike = all(chosen.get(c.stage) == c for c in others) and (
                mine is not None and replace(mine, model=choice.model, samples=choice.samples) == choice
            )
            point = ScalingPoint(
                choice.samples,
                trial.number,
                quality,
                None if known is None else known.low,
                None if known is None else known.high,
                alike,
            )
            seen = found.setdefault((choice.stage, choice.model), {})
            before = seen.get(choice.samples)
            if before is None or (alike, quality) > (before[0].alike, before[1]):
                seen[choice.samples] = point, quality
    return tuple(
        ScalingCurve(stage, model, tuple(point for _, (point, _) in sorted(points.items())))
        for stage, settings in options.stages.items()
        for model in settings.models
        if (points := found.get((stage, model)))
    )
