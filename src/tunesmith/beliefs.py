"""What a run believes at one moment: where the optimum is, what matters, how sure that is.

Values only, computed by `tunesmith.agent.beliefs` from a task and a history, with or without a language
model and whatever method proposes the trials. Drawn by the terminal, the report and `tunesmith beliefs`.
Texts are clean and plain; positions in a hyperparameter's range are in [0, 1], as `Space.encode` has them.
"""

from __future__ import annotations

from tunesmith.trial import Frozen, Value

BINS = 32
"""Cells of the range of a float or int in `ParameterBelief`; other kinds have one for each value."""
HONEST = (0.68, 0.86)
"""Shares of results within 1 and 2 spreads of honest predictions.

A spread is half of the central 68 % band, and errors have heavier tails than a normal distribution
(`agent/methods/gp/calibration.py`), so within 2 it is less than the 95 % of a normal one.
"""


class Source(Frozen):
    """One source of the belief about where a hyperparameter's best value is."""

    name: str
    """`results` (of this run), `none` (uniform), `person`, or a source of `StatedPrior`."""
    weight: float
    """Share of the belief now, in [0, 1]; those of a hyperparameter sum to 1, `none` (uniform) included."""
    text: str = ""
    """What it says, such as `near 0.003 (0.001 to 0.01)`; empty where it says nothing by itself."""


class Slice(Frozen):
    """The predicted metric along one hyperparameter, the others as in the predicted best configuration."""

    positions: tuple[float, ...]
    """In [0, 1]; of choices: 0, 1, 2 ..."""
    values: tuple[Value, ...]
    """The values there."""
    mean: tuple[float, ...]
    """Metric units."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    """Ends of the central 68 % band."""


class ParameterBelief(Frozen):
    """What is believed of one hyperparameter."""

    name: str
    kind: str
    """`float`, `int`, `categorical`, `bool`, `ordinal`."""
    ticks: tuple[str, ...]
    """Low end, middle and high end of a float's or int's range in words; of another kind its values."""
    prior: tuple[float, ...]
    """Probability that the best value is in each cell before any trial; sums to 1.

    Cells are equal parts of the range: BINS of a float or int, one for each value of another kind."""
    posterior: tuple[float, ...]
    """The same now."""
    expected: str
    """The best value now, in words, such as `0.0021`: that of the predicted best configuration where it lies
    in the range, else the middle of the belief in it; of a categorical one or a bool the likeliest."""
    low: str
    high: str
    """The shortest range with at least 80 % of the belief; both empty for a categorical one and a bool."""
    probability: float
    """Of [low, high]; of a categorical one or a bool that of the likeliest choice."""
    unsure: bool = False
    """Whether [low, high] is more than half of the range, so that `expected` is little more than a guess."""
    sources: tuple[Source, ...]
    moved: str
    """How the belief moved from the prior, in a sentence; empty where it did not."""
    importance: float | None
    """Share of the variance that the surrogate explains, in [0, 1]; None while it knows nothing."""
    importance_low: float | None = None
    importance_high: float | None = None
    """Ends of an 80 % interval; None where it has none."""
    flat: bool = False
    """Whether the metric hardly changes along it, as far as can be told."""
    slice: Slice | None = None
    active: float = 1.0
    """Probability that the best configuration uses it at all; below 1 for a conditional one only."""


class Calibration(Frozen):
    """How the predictions of trials have held.

    Of honest ones the shares `HONEST` come within 1 and 2 spreads.
    """

    predicted: int
    """Completed trials that had a prediction."""
    within_1: int
    within_2: int
    """Of those, how many came within 1 and 2 of the spreads that were stated."""
    text: str
    """Whether that is as it should be, in a sentence; `too few to tell` for few."""


class Incumbent(Frozen):
    """What is expected of a configuration, beside what was measured."""

    number: int | None
    """Trial; None for a configuration that was not run."""
    configuration: dict[str, Value]
    text: str
    """The configuration in words."""
    measured: float | None
    mean: float
    """Expected mean over seeds, metric units: a measured best value is partly luck."""
    spread: float
    """Half of the central 68 % band."""


class Next(Frozen):
    """What a running trial is meant to teach."""

    number: int | None
    text: str


class Progress(Frozen):
    """Whether further trials are likely to help."""

    trials: int
    """How many further ones the figures are for: those that the budget has left, 10 at most."""
    probability: float
    """That one of them is better than the incumbent on average, in [0, 1], by at least 1 % of the distance
    between the median and the best result."""
    gain: float
    """Expected improvement of the mean over seeds by them, metric units, at least 0."""
    text: str


class Beliefs(Frozen):
    """Everything above at one history."""

    finished: int
    """Trials that had ended."""
    used: int
    """Trials that the surrogate is fitted to."""
    basis: str
    """What the beliefs stand on, in a sentence: which model and trials, or that there are only priors."""
    metric: str
    parameters: tuple[ParameterBelief, ...]
    """The most important first; those that nothing is known of last, in the space's order."""
    best: Incumbent | None = None
    """The incumbent as the surrogate sees it."""
    predicted: Incumbent | None = None
    """Where the surrogate expects the best mean, tried or not."""
    calibration: Calibration | None = None
    next: tuple[Next, ...] = ()
    progress: Progress | None = None
    faults: tuple[str, ...] = ()
    """What is not believed for a reason, such as a surrogate that is flat, in sentences."""
