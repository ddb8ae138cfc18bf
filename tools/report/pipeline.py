"""A report's part on a pipeline of model calls: allocations, scaling, cost against quality, spend."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from tunesmith.errors import ItemsError
from tunesmith.events import Event
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.pipeline.kind import QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.task import Task
from tunesmith.tools.analysis.guidelines import guidelines, merged
from tunesmith.tools.analysis.pareto import default_trial
from tunesmith.tools.analysis.pipelines.cost_front import CostPoint, cost_front
from tunesmith.tools.analysis.pipelines.neighbours import cheaper_alike, neighbours
from tunesmith.tools.analysis.pipelines.scaling import scaling
from tunesmith.tools.analysis.pipelines.stage_rows import StageRow, stage_rows
from tunesmith.tools.analysis.pipelines.untried import untried
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.pipeline_data import (
    AllocationLine,
    BeliefInPipeline,
    CostPointLine,
    CurveLine,
    CurvePoint,
    PipelinePart,
    SpendLine,
    StageLine,
)
from tunesmith.trial import Trial, TrialState

BELIEF = "belief "
"""How the names of details begin that are confidences of a method's expectations."""
MOST_ALLOCATIONS = 12
"""Rows of the allocation chart beside the best and the default."""


def pipeline_part(
    task: Task,
    history: History,
    best: Trial | None,
    text: Anonymous,
    *,
    events: Sequence[Event] = (),
    spend: tuple[SpendLine, ...] = (),
) -> PipelinePart | None:
    """None for a task that is no pipeline.

    Args:
        best: The trial of the allocation that the run delivers.
        events: The run's log.
        spend: What the run really spent, by stage and model.
    """
    options = None if task.problem is None else task.problem.settings
    if not isinstance(options, PipelineSettings):
        return None
    points = [p for p in cost_front(options, history) if isfinite(p.cost) and isfinite(p.quality)]
    default = default_trial(history)
    run, whole = _item_counts(history)
    return PipelinePart(
        units=options.basis.unit,
        item_budget=options.item_budget,
        best=None if best is None else best.number,
        allocations=_allocations(options, history, points, best, default, text),
        curves=tuple(
            CurveLine(
                stage=text(curve.stage, 100),
                model=text(curve.model, 100),
                points=tuple(
                    CurvePoint(
                        samples=p.samples,
                        trial=p.trial,
                        quality=p.mean,
                        low=p.low,
                        high=p.high,
                        stopped=p.stopped,
                        alike=p.alike,
                    )
                    for p in curve.points
                ),
            )
            for curve in scaling(options, history, best)
        ),
        points=tuple(
            CostPointLine(
                trial=p.trial, cost=p.cost, quality=p.quality, low=p.low, high=p.high, on_front=p.on_front
            )
            for p in points
        ),
        why=()
        if best is None
        else tuple(
            text(line, 400)
            for line in (
                *filter(None, [cheaper_alike(options, history, best)]),
                *(one.sentence for one in neighbours(options, history, best)),
            )
        ),
        untried=tuple(text(line, 400) for line in untried(options, history)),
        guidelines=tuple(
            text(f"{one.rounds.capitalize()}: {one.text}", 700) for one in merged(guidelines(history, events))
        ),
        beliefs=_beliefs(history, text),
        spend=spend,
        items_run=run,
        items_whole=whole,
    )


def _allocations(
    options: PipelineSettings,
    history: History,
    points: list[CostPoint],
    best: Trial | None,
    default: Trial | None,
    text: Anonymous,
) -> tuple[AllocationLine, ...]:
    always = {trial.number for trial in (best, default) if trial is not None}
    front = [p.trial for p in points if p.on_front]
    step = max(1, -(-len(front) // MOST_ALLOCATIONS))
    shown = always | set(front[::-step])
    lines = []
    for point in points:
        trial = history.get(point.trial)
        if point.trial not in shown or trial is None:
            continue
        lines.append(
            AllocationLine(
                trial=point.trial,
                best=best is not None and point.trial == best.number,
                default=default is not None and point.trial == default.number,
                cost=point.cost,
                quality=point.quality,
                low=point.low,
                high=point.high,
                on_front=point.on_front,
                stages=tuple(_stage_line(row, text) for row in stage_rows(options, trial)),
            )
        )
    return tuple(lines)


def _stage_line(row: StageRow, text: Anonymous) -> StageLine:
    return StageLine(
        stage=text(row.choice.stage, 100),
        text=text(row.text, 200),
        known_cost=row.known_cost,
        cost=row.cost,
        calls=row.calls,
        share=row.share,
        score=row.score,
    )


def _beliefs(history: History, text: Anonymous) -> tuple[BeliefInPipeline, ...]:
    """From what the method noted beside its proposals; those that never took part have no confidence."""
    noted = [
        found
        for trial in history.trials
        if (found := {k: v for k, v in trial.proposal.details.items() if k.startswith(BELIEF)})
    ]
    if not noted:
        return ()
    return tuple(
        BeliefInPipeline(name=text(_expectation(name), 160), at_first=value, at_last=noted[-1][name])
        for name, value in noted[0].items()
        if name in noted[-1] and (value > 0 or noted[-1][name] > 0)
    )


def _expectation(name: str) -> str:
    """The name of a detail, such as `belief capability answer`, in words."""
    insight, _, stage = name.removeprefix(BELIEF).partition(" ")
    words = {
        "capability": "a larger model is better",
        "saturation": "more samples bring less and less",
        "interaction": "what a stage gains depends on the others",
    }.get(insight, insight)
    return f"{words} at {stage}" if stage else words


def _item_counts(history: History) -> tuple[int, int]:
    """Item evaluations of all trials, and what they would have been had none been stopped early."""
    sizes = [(trial.state, _items(trial)) for trial in history.trials]
    most = max((n for state, n in sizes if state is TrialState.COMPLETED), default=0)
    judged = [n for state, n in sizes if n and state in (TrialState.COMPLETED, TrialState.PRUNED)]
    return sum(judged), most * len(judged)


def _items(trial: Trial) -> int:
    packed = trial.items.get(QUALITY)
    if packed is None:
        return 0
    try:
        return len(Items.unpack(packed))
    except ItemsError:
        return 0
