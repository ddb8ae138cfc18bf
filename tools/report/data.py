"""The data of a report: `report.json` is exactly this, and the pages are rendered from it.

Every number is finite or None, every text is cleaned and of limited length, and nothing names the machine,
its paths or its users.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tunesmith.history import Direction
from tunesmith.tools.analysis.compare import Verdict
from tunesmith.tools.report.goal_data import (
    AgainstDefault,
    FrontLine,
    ItemsLine,
    LimitLine,
    LimitOnSeeds,
    MetricLine,
    MetricPairs,
    Named,
)
from tunesmith.tools.report.model_data import BeliefLine, ModelSay, ModelUse, PriorLine
from tunesmith.tools.report.part import ReportPart, unless_empty
from tunesmith.tools.report.picture_data import Pictures
from tunesmith.tools.report.pipeline_data import PipelinePart
from tunesmith.trial import Provenance, Value

Status = Literal["finished", "stopped", "failed", "unfinished"]


class Best(ReportPart):
    """The best completed trial that keeps every limit; of several metrics the best by the primary one."""

    trial: int
    value: float
    """In the search, metric units. The best of many, so optimistic; see `Comparison`."""
    configuration: dict[str, Any]
    """As training code receives it, in JSON's types: null and lists, not their labels."""
    """At full precision: training with exactly these repeats the trial, given its seed."""
    seed: int
    reason: str
    checkpoint: str | None
    """Newest file the trial left in its checkpoint folder, relative to the run folder; None for none."""
    values: Named = unless_empty({})
    """Every metric; empty with one metric and no limit."""
    cost: float | None = unless_empty(None)
    """Known before it was run, in units of the problem."""


class Recommended(ReportPart):
    """The configuration to use: of the best expected value."""

    trial: int
    """A trial of this configuration."""
    configuration: dict[str, Any]
    """As in `Best`."""
    expected: float
    """On another seed, metric units."""
    spread: float | None
    """Standard deviation of `expected`; None where no model predicts."""
    runs: int
    """Completed trials of this configuration."""
    differs: bool
    """Whether the best value seen belongs to another configuration."""
    seed: int
    checkpoint: str | None
    sentence: str


class Pair(ReportPart):
    """Both configurations trained on one fresh seed; None for a run that failed."""

    seed: int
    best: float | None
    default: float | None
    gain: float | None
    """How much better the best did, metric units: positive is better whatever the direction."""


class Comparison(ReportPart):
    """Best against default, on seeds that the search never used."""

    metric: str
    direction: Direction
    trial: int | None
    pairs: tuple[Pair, ...]
    unit: Literal["seeds", "items"] = unless_empty("seeds")
    """Of `n`; with items the pairs are those of the scores of one training each."""
    n: int
    mean_gain: float | None
    """Mean of the pairs' gains, positive where the best is better; None without a pair."""
    low: float | None
    high: float | None
    """Ends of the interval of the mean gain; None with fewer than two pairs."""
    confidence: float
    verdict: Verdict
    sentence: str
    note: str
    further: tuple[MetricPairs, ...] = unless_empty(())
    """All other metrics, on the same seeds."""
    limits: tuple[LimitOnSeeds, ...] = unless_empty(())
    items: tuple[ItemsLine, ...] = unless_empty(())
    """Over the items of all seeds, where the trainings give scores by item."""
    beside: str = unless_empty("")
    """What these three say, in words."""
    breaks_limit: bool = unless_empty(False)
    """Whether the best breaks a limit on one of the seeds."""


class TrialLine(ReportPart):
    """One trial."""

    number: int
    state: str
    value: float | None
    expected: float | None
    spread: float | None
    origin: str
    reason: str
    evidence: tuple[int, ...]
    prompt_id: str | None
    provenance: Provenance = Provenance()
    """How it was chosen; only the fields that apply are written."""
    details: dict[str, float] = Field(default_factory=dict)
    """Further numbers behind the choice, such as `trust` in the priors."""
    configuration: dict[str, Value]
    shown: str
    """The configuration in one line, at the precision its space deserves."""
    seed: int
    seconds: float
    steps: int
    last_reported: float | None
    """The last of them; for a trial stopped early, all there is."""
    best_so_far: bool
    space: int = 1
    """Which of the run's search spaces it was made for; see `Lineage`."""
    counts: bool = True
    """False for a trial of an earlier search space that has no place in the last: it is history only."""
    why_not: str = ""
    """Why it does not count."""
    message: str
    traceback: str
    values: Named = unless_empty({})
    """Every metric of a completed trial; empty with one metric and no limit."""
    broken: tuple[str, ...] = unless_empty(())
    """Metrics of the limits that a completed trial does not keep; it is feasible where there are none."""
    cost: float | None = unless_empty(None)
    """As of `Best`."""


class SpaceLine(ReportPart):
    """A search space of the run, from one trial on."""

    space: int
    """From 1, in order of their first use; a space that comes back has its number again."""
    first_trial: int
    parameters: str
    changes: tuple[str, ...]
    """Against the one before; empty for the first."""
    by: Literal["task file", "person"] = "task file"
    at: str | None = unless_empty(None)
    """When a person's command made it, as all times."""
    trials: int = 0
    """Started in it."""
    legal: int = 0
    """Of those, how many are legal in the last space, so that they count."""


class Lineage(ReportPart):
    """The search spaces of a run whose task was changed, and what became of the trials."""

    spaces: tuple[SpaceLine, ...]
    carried: tuple[int, ...]
    """Trials of other spaces that count in the last."""
    left: tuple[int, ...]
    """Trials that are history only."""
    reasons: tuple[str, ...]
    sentence: str


class TakenOver(ReportPart):
    """The results of another run or study that this run began with (`--from`)."""

    source: str
    taken: int
    left: int
    reasons: tuple[str, ...]
    """Why results were left out, each with how many, the most frequent first."""
    notes: tuple[str, ...]
    sentence: str


class Incident(ReportPart):
    """A fallback, repair, rejected proposal, retry or warning, with how often it happened."""

    what: str
    where: str
    cause: str
    continuation: str
    count: int


class DecisionLine(ReportPart):
    """A decision of the policy, with its reason."""

    after_trials: int
    policy: str
    reason: str
    stop: str | None


class Used(ReportPart):
    """What the run spent, and its limits; None: no limit."""

    trials: int
    trials_limit: int
    seconds: float
    seconds_limit: float | None
    model_calls_limit: int | None
    model_tokens_limit: int | None
    model_dollars_limit: float | None
    cost: float | None = unless_empty(None)
    """In units of the problem; None where no trial has a cost."""
    cost_limit: float | None = unless_empty(None)


class Environment(ReportPart):
    """Versions and machine of the process that wrote the report."""

    tunesmith: str
    python: str
    platform: str
    cpus: int | None
    packages: dict[str, str]


class Reproduce(ReportPart):
    """How to repeat the run."""

    seed: int
    workers: int
    exact: bool
    """Whether the same command makes the same decisions bit for bit, given training that repeats."""
    commands: tuple[str, ...]
    note: str


class ReportData(ReportPart):
    """The report of one run; a field keeps its meaning within one `schema_version`."""

    schema_version: Literal[1] = 1
    name: str
    description: str
    metric: str
    direction: Direction
    metrics: tuple[MetricLine, ...] = unless_empty(())
    """All of them, the primary one first; empty with one metric and no limit."""
    limits: tuple[LimitLine, ...] = unless_empty(())
    limits_together: str = unless_empty("")
    """What they cost together, where none of them alone costs as much."""
    status: Status
    ended: str
    started_at: str | None
    """As all times: ISO 8601, UTC."""
    finished_at: str | None
    headline: str
    health: tuple[str, ...] = ()
    """What gives reason to doubt the run, the most serious first; empty while nothing does."""
    best: Best | None
    """Of the best value seen."""
    recommended: Recommended | None = None
    """None in a run that has not ended, or of before there was such a recommendation."""
    default: dict[str, Value] | None
    default_value: float | None
    """Its metric in the search; None when it was not tried or did not complete."""
    against: tuple[AgainstDefault, ...] = unless_empty(())
    """Best and default on every metric, in the search; empty with one metric and no limit."""
    items: tuple[ItemsLine, ...] = unless_empty(())
    """The best against the default and the second best, in the search, where trials have scores by item."""
    front: tuple[FrontLine, ...] = unless_empty(())
    """The Pareto front, best primary value first, and the default's row; empty with one metric."""
    limits_sentence: str = unless_empty("")
    """What the limits cost together; empty where one of them alone costs as much."""
    front_sentence: str = unless_empty("")
    pipeline: PipelinePart | None = unless_empty(None)
    """None for a task that is no pipeline of model calls."""
    certified: str = unless_empty("")
    """What was certified, in words; empty for a task without `certify`, and before it was done."""
    comparison: Comparison | None
    not_compared: str
    states: dict[str, int]
    chosen_by: dict[str, int] = {}
    """Trials by who proposed them, in order of first sight; `model` is a language model."""
    in_the_models_place: int = 0
    """Of them, those that the numeric strategy chose because the language model could not."""
    say: ModelSay | None = None
    """None where no gate stood between the surrogate and a language model."""
    taken: TakenOver | None = None
    """None where the run began with no results."""
    lineage: Lineage | None = None
    """None where the search space of the run was never changed."""
    trials: tuple[TrialLine, ...]
    reading: tuple[str, ...] = ()
    """Sentences on how the values of trials were read, where that was a question; each kind once."""
    decisions: tuple[DecisionLine, ...]
    priors: tuple[BeliefLine, ...] = ()
    """By name, word, data and default; empty in runs of releases up to 0.1."""
    beliefs: tuple[PriorLine, ...] = ()
    """Empty where no language model was asked, or where it gave none."""
    strategy: str
    policy: str
    model: ModelUse
    incidents: tuple[Incident, ...]
    used: Used
    environment: Environment
    reproduce: Reproduce
    ran_with: str = unless_empty("")
    """Version of Tunesmith in the last session; empty where it was not recorded."""
    written_at: str
    pictures: Pictures | None = unless_empty(None)
    """None while no trial has run, and in reports of releases up to 0.2."""
