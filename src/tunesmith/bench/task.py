"""What a benchmark is made of: tasks, and suites of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tunesmith.bench.aims import Aims, Metrics
from tunesmith.goals import Goal, Goals
from tunesmith.history import Array, Direction
from tunesmith.space import Space
from tunesmith.trial import TrialState, Value

REFERENCE = "gp+default"
"""The contender that the others are compared with, unless a suite names another."""
Values = Mapping[str, Value]
"""A configuration as plain values by name; only the active parameters."""


class TrialFailed(Exception):
    """Raised by a task whose evaluation fails in a way of its own: out of memory, out of time, a crash."""

    def __init__(self, state: TrialState, message: str) -> None:
        assert state.failed
        super().__init__(message)
        self.state = state


@dataclass(frozen=True)
class Fidelities:
    """How a task can be evaluated in part.

    Attributes:
        steps: Steps (epochs, say) of a whole evaluation.
        curve: Yields the metric after each step, `steps` times; what it yields last is the whole
            evaluation's value. NaN means that training diverged.
    """

    steps: int
    curve: Callable[[Values], Iterator[float]]


def no_initial(seed: int) -> Sequence[Values]:
    """No shared starting points."""
    return ()


def no_preparation() -> None:
    """Nothing to import."""


@dataclass(frozen=True)
class BenchTask:
    """One objective over one space. Deterministic: the same configuration gives the same value.

    Attributes:
        name: Unique in its suite; a slash separates groups, such as `digits/SVM`.
        default: The configuration in use today, legal in `space`; None where there is none.
        words: What a contender that reads words reads about model and data.
        evaluate: The metric of a configuration, in its own units; NaN where the evaluation failed. What it
            raises counts as a failed evaluation.
        initial: Starting points of a seed that every contender evaluates first.
        bounds: (best, worst) value for normalised regret; None: taken from the stored runs.
        family: The group of tasks it is reported with; empty for none.
        make_data_card: Makes the data card; called at most once, when first needed.
        fidelities: How to evaluate in part; None where that cannot be done.
        clock: Seconds, as an evaluation is charged: CPU of this process unless it trains elsewhere.
        goal: A run ends with the first value that is better than this, and all later ones count as that
            value: what is asked is how soon. None: it does not end before its last evaluation.
        evaluation: How a value is measured, as a language model is told.
        fixed: Settings of the model that are not tuned, as a language model is told.
        code: Anything that stands for the objective's code, where that can change without the suite.
        aims: Further metrics and limits; None: `metric` is all there is. With several objectives `metric` is
            what a run is judged by, the share of the hypervolume, and `evaluate` is the primary one's value.
    """

    name: str
    space: Space
    direction: Direction
    metric: str
    default: Values | None
    words: str
    evaluate: Callable[[Values], float]
    initial: Callable[[int], Sequence[Values]] = no_initial
    bounds: tuple[float, float] | None = None
    family: str = ""
    make_data_card: Callable[[], Any] | None = None
    fidelities: Fidelities | None = None
    clock: Callable[[], float] = time.process_time
    goal: float | None = None
    evaluation: str = ""
    fixed: Values = field(default_factory=dict)
    code: str = ""
    aims: Aims | None = None

    @property
    def goals(self) -> Goals:
        """What a contender is told to optimise, and under which limits."""
        if self.aims is not None:
            return self.aims.goals
        return Goals(objectives=(Goal(metric=self.metric, direction=self.direction),))

    def measured(self, configuration: Values) -> Metrics:
        """Every metric of a configuration; what `evaluate` raises is raised."""
        if self.aims is not None:
            return self.aims.measure(configuration)
        return {self.metric: float(self.evaluate(configuration))}

    def reached(self, value: float) -> bool:
        """Whether a value is better than the goal."""
        if self.goal is None:
            return False
        return value > self.goal if self.direction == "maximize" else value < self.goal

    @cached_property
    def data_card(self) -> Any:
        """Facts about the data, made when first asked for; None where the task has none."""
        return None if self.make_data_card is None else self.make_data_card()


@dataclass(frozen=True)
class SuiteOptions:
    """What a suite that is made for its data is told (`tables`); None where nothing was said.

    Attributes:
        path: The data: a folder, or a CSV file.
        split: Which part of a folder's tasks.
        metric, direction: Of a CSV file: the column to optimise, and where to.
        task: Of a CSV file: a task file with space, metric, direction, default and words.
    """

    path: str | None = None
    split: str | None = None
    metric: str | None = None
    direction: str | None = None
    task: str | None = None


@dataclass(frozen=True)
class Given:
    """A row of the table that is known as numbers only.

    Attributes:
        label: What it is, and that it was recorded or measured elsewhere.
        window, end: Mean normalised regret over all tasks in the suite's window, and at the end.
        family_end: The same at the end for the suite's `shown_family`; None where unknown.
    """

    label: str
    window: float
    end: float
    family_end: float | None = None


@dataclass(frozen=True)
class Suite:
    """Tasks with the protocol they are run by.

    Attributes:
        name: Its folder's name in the results.
        about: The protocol in a sentence.
        tasks: All tasks, cheap ones first.
        contenders: Who takes part unless others are named.
        evaluations, seeds: Of a full run.
        window_from: The first evaluation, counted from 1, of the window that regret is averaged over.
        checkpoints: Evaluations at which ours is compared with each other contender.
        quick: Names of the tasks of a quick run.
        shown_family: The family that has a column of its own in the table; empty for none.
        reference: The contender that the others are compared with.
        needs: Optional packages that its tasks import, by importable name (see `tunesmith.extras`).
        prepare: Imports what evaluations need, so that the first one is not charged for it.
        given: Rows known as numbers only.
        recorded: Rows computed from recorded runs: label -> values (n,) by task and seed, or None.
    """

    name: str
    about: str
    tasks: Callable[[], Sequence[BenchTask]]
    contenders: tuple[str, ...]
    evaluations: int = 30
    seeds: int = 5
    window_from: int = 6
    checkpoints: tuple[int, ...] = ()
    quick: tuple[str, ...] = ()
    shown_family: str = ""
    reference: str = REFERENCE
    needs: tuple[str, ...] = ()
    prepare: Callable[[], object] = no_preparation
    given: tuple[Given, ...] = ()
    recorded: Mapping[str, Callable[[str, int], Array | None]] = field(default_factory=dict)
