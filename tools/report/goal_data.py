"""A report's parts on several metrics, limits and items: names and sentences cleaned, numbers finite."""

from __future__ import annotations

from tunesmith.goals import Direction, Operator
from tunesmith.tools.analysis.compare_goals import Word
from tunesmith.tools.report.part import ReportPart

Named = dict[str, float | None]
"""A value for each metric of the task, in its order; None where there is none."""


class MetricLine(ReportPart):
    """A metric of the task."""

    name: str
    direction: Direction | None
    """None: it only has a limit."""
    primary: bool


class StepLine(ReportPart):
    """The best primary value under another bound, all other limits as they are."""

    bound: float
    trial: int
    value: float
    own: bool
    """Whether it is the task's bound."""


class LimitLine(ReportPart):
    """A limit, and what it costs by the trials of the search. Metric units."""

    metric: str
    operator: Operator
    bound: float
    text: str
    kept: int
    """Of the completed trials."""
    completed: int
    best: float | None
    """What the best has of the metric; None where no trial is feasible."""
    slack: float | None
    """How far the best is within the bound."""
    without: int | None
    """The best trial when this limit is ignored."""
    without_value: float | None
    """Its primary value."""
    without_at: float | None
    """What it has of the limited metric."""
    cost: float | None
    """By how much that is better than the best in the primary metric, >= 0."""
    steps: tuple[StepLine, ...]
    sentence: str


class FrontLine(ReportPart):
    """A trial of the Pareto front, or the default's."""

    trial: int
    values: Named
    slack: Named
    """By limited metric: how far within the bound, below 0 where it is broken."""
    configuration: str
    on_front: bool
    default: bool


class AgainstDefault(ReportPart):
    """One metric of the best and of the default, in the search: one training each."""

    metric: str
    direction: Direction | None
    default: float | None
    best: float | None
    difference: float | None
    """Best minus default, metric units."""
    word: Word


class MetricPairs(ReportPart):
    """A metric beside the primary one in the comparison on fresh seeds."""

    metric: str
    direction: Direction | None
    best: tuple[float | None, ...]
    """Seed by seed."""
    default: tuple[float | None, ...]
    n: int
    best_mean: float | None
    default_mean: float | None
    mean_gain: float | None
    """Positive where the best is better; without a direction where it is larger."""
    low: float | None
    high: float | None
    word: Word


class LimitOnSeeds(ReportPart):
    """On how many fresh seeds a limit is kept."""

    text: str
    best: int
    best_of: int
    worst: float | None
    """Of the best's values."""
    default: int
    default_of: int


class ItemsLine(ReportPart):
    """The best against another configuration, item by item."""

    metric: str
    against: str
    n: int
    """Items that both were judged on."""
    difference: float
    """Mean, metric units; positive where the best is better."""
    standard_error: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval over items."""
    verdict: str
    sentence: str
