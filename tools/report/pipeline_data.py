"""The data of a report's part on a pipeline of model calls."""

from __future__ import annotations

from tunesmith.tools.report.part import ReportPart, unless_empty


class StageLine(ReportPart):
    """One stage of an allocation."""

    stage: str
    text: str
    """What is chosen, such as `large x 4, majority`."""
    known_cost: float
    """For one item, units of the cost model, known before the run."""
    cost: float | None
    """As measured."""
    calls: float | None
    """Mean calls of the model for one item."""
    share: float | None
    """Share of the items that the stage ran on."""
    score: float | None
    """The stage's own score, in [0, 1]."""


class AllocationLine(ReportPart):
    """An allocation of the front, the best, or the default."""

    trial: int
    best: bool
    default: bool
    cost: float
    quality: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval of quality over items."""
    on_front: bool
    stages: tuple[StageLine, ...]


class CurvePoint(ReportPart):
    """The best quality seen with so many samples."""

    samples: int
    trial: int
    quality: float
    low: float | None
    high: float | None
    stopped: bool
    """Whether the trial was stopped early: by its difference to the best on the items of both."""
    alike: bool
    """Whether the other stages are as in the best allocation."""


class CurveLine(ReportPart):
    """Scaling of one model at one stage."""

    stage: str
    model: str
    points: tuple[CurvePoint, ...]


class CostPointLine(ReportPart):
    """Cost and quality of a completed trial."""

    trial: int
    cost: float
    quality: float
    low: float | None
    high: float | None
    on_front: bool


class BeliefInPipeline(ReportPart):
    """An expectation of the method, such as that a larger model is better at a stage."""

    name: str
    at_first: float
    at_last: float
    """Its confidence when the first and the last trial was chosen, in [0, 1]."""


class SpendLine(ReportPart):
    """What the search itself spent on one model of one stage."""

    part: str
    """`search`, or `confirm` for what ran at the end."""
    stage: str
    model: str
    calls: int
    """Calls that were made."""
    reused: int
    """Calls that were spared, because their samples were there."""
    failed: int
    """Calls that failed, among those made."""
    tokens: float
    """Prompt and completion, as far as samples say; 0 where none does."""
    cost: float
    """In units of the cost model."""
    seconds: float


class PipelinePart(ReportPart):
    """What a run said of where its pipeline should spend."""

    units: str
    """What costs are counted in."""
    item_budget: float | None
    best: int | None
    """Trial of the allocation that is delivered."""
    allocations: tuple[AllocationLine, ...]
    """The best, the default and the front, cheapest first."""
    curves: tuple[CurveLine, ...]
    points: tuple[CostPointLine, ...]
    """All completed trials, cheapest first."""
    why: tuple[str, ...]
    """Trials that differ from the best at one stage, compared with it."""
    untried: tuple[str, ...]
    guidelines: tuple[str, ...] = unless_empty(())
    """What a language model concluded, and what the trials since say of it."""
    beliefs: tuple[BeliefInPipeline, ...] = unless_empty(())
    """The method's own expectations."""
    spend: tuple[SpendLine, ...] = unless_empty(())
    items_run: int
    """Evaluations of one item under one allocation, those from the store counted."""
    items_whole: int
    """The same if no trial had been stopped early."""
