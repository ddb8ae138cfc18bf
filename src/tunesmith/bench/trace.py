"""One contender on one task: the trace of its evaluations."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from tunesmith.bench.aims import Metrics
from tunesmith.bench.task import BenchTask, TrialFailed, Values
from tunesmith.text.cleaning import error_line
from tunesmith.trial import TrialState

NAN = math.nan


@dataclass(frozen=True)
class Trace:
    """What a run leaves.

    Attributes:
        values: The metric after each evaluation, NaN where one failed or nothing new was known.
        evaluation_s: Seconds all evaluations took, by the task's clock.
        proposal_s: CPU seconds the contender took to choose and to learn.
        proposals: How many configurations it chose itself.
        fault: The cause of the first failed evaluation that raised, in one line; empty if none did.
        metrics: Of a task with further metrics or limits, each metric after each evaluation, NaN where one
            failed; `values` is then what the run is judged by (see `aims.py`).
        winners: Of such a task, the evaluations that the contender itself takes for its best, from 0.
    """

    values: tuple[float, ...]
    evaluation_s: float
    proposal_s: float
    proposals: int
    fault: str = ""
    metrics: dict[str, tuple[float, ...]] = field(default_factory=dict)
    winners: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measured:
    """An evaluation that has ended.

    Attributes:
        value: The primary metric; NaN where the evaluation failed.
        metrics: Every metric; empty where it failed.
        ended: How it ended.
        seconds: What it is charged.
        fault: Why it raised, in one line; empty if it did not.
    """

    value: float
    metrics: Metrics
    ended: TrialState
    seconds: float = 0.0
    fault: str = ""


class Steps(Protocol):
    """An ask-and-tell optimiser; one configuration at a time."""

    def ask(self) -> Values | None:
        """The next configuration; None when nothing new is left."""

    def tell(self, measured: Measured) -> None:
        """What became of the configuration that was asked for last."""

    def winners(self) -> tuple[int, ...]:
        """Its own best evaluations, from 0: the incumbent, or the front; asked of tasks with `aims`."""
        return ()


@dataclass
class Evaluator:
    """Evaluates a task's configurations, and adds up the seconds.

    A configuration that breaks a constraint of the space counts as failed without being evaluated. What was
    evaluated before in this process (the shared starting points, mostly) is not evaluated
    again, but charged the seconds it took then.
    """

    task: BenchTask
    seconds: float = 0.0
    fault: str = ""
    _known: dict[str, Measured] = field(default_factory=dict)

    def begin(self) -> None:
        """Start a new run: no seconds, no fault."""
        self.seconds, self.fault = 0.0, ""

    def __call__(self, configuration: Values) -> Measured:
        key = json.dumps(dict(configuration), sort_keys=True)
        if key not in self._known:
            self._known[key] = self._measure(configuration)
        measured = self._known[key]
        self.seconds += measured.seconds
        self.fault = self.fault or measured.fault
        return measured

    def _measure(self, configuration: Values) -> Measured:
        began, fault, metrics = self.task.clock(), "", dict[str, float]()
        ended = TrialState.COMPLETED
        try:
            if self.task.space.constraints and (faults := self.task.space.problems(configuration)):
                raise ValueError(f"{faults[0]}")
            metrics = {name: float(value) for name, value in self.task.measured(configuration).items()}
        except TrialFailed as failure:
            ended = failure.state
        except MemoryError as error:
            fault, ended = error_line(error, 300), TrialState.OUT_OF_MEMORY
        except Exception as error:  # noqa: BLE001 - whatever an objective raises is a failed evaluation
            fault, ended = error_line(error, 300), TrialState.CRASHED
        if not all(map(math.isfinite, metrics.values())):
            metrics, ended = {}, TrialState.DIVERGED
        value = metrics.get(self.task.goals.primary.metric, NAN)
        return Measured(value, metrics, ended, self.task.clock() - began, fault)


def optimise(steps: Steps, shared: int, evaluations: int, evaluate: Evaluator) -> Trace:
    """Ask, evaluate, tell, `evaluations` times. The first `shared` ones are not its own choice."""
    values: list[float] = []
    seen: list[Metrics] = []
    aims = evaluate.task.aims
    proposal_s, proposals = 0.0, 0
    while len(values) < evaluations:
        began = time.process_time()
        configuration = steps.ask()
        proposal_s += time.process_time() - began
        if configuration is None:  # a small space is exhausted
            values += [NAN] * (evaluations - len(values))
            break
        proposals += len(values) >= shared
        measured = evaluate(configuration)
        values.append(measured.value)
        seen.append(measured.metrics)
        if evaluate.task.reached(measured.value):
            values += [values[-1]] * (evaluations - len(values))
            break
        began = time.process_time()
        steps.tell(measured)
        proposal_s += time.process_time() - began
    trace = Trace(tuple(values), evaluate.seconds, proposal_s, proposals, evaluate.fault)
    if aims is None:
        return trace
    seen += [{}] * (evaluations - len(seen))
    metrics = {name: tuple(m.get(name, NAN) for m in seen) for name in aims.goals.names}
    return replace(trace, values=aims.scores(seen), metrics=metrics, winners=steps.winners())
