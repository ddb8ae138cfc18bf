"""One contender on one task: the trace of its evaluations."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import Protocol

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
    """

    values: tuple[float, ...]
    evaluation_s: float
    proposal_s: float
    proposals: int
    fault: str = ""


class Steps(Protocol):
    """An ask-and-tell optimiser; one configuration at a time."""

    def ask(self) -> Values | None:
        """The next configuration; None when nothing new is left."""

    def tell(self, value: float, ended: TrialState) -> None:
        """The value of what was asked for last, NaN where its evaluation failed, and how it ended."""


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
    ended: TrialState = TrialState.COMPLETED
    """How the latest evaluation ended."""
    _known: dict[str, tuple[float, float, str, TrialState]] = field(default_factory=dict)

    def begin(self) -> None:
        """Start a new run: no seconds, no fault."""
        self.seconds, self.fault = 0.0, ""

    def __call__(self, configuration: Values) -> float:
        """The value; NaN where the evaluation failed."""
        key = json.dumps(dict(configuration), sort_keys=True)
        if key not in self._known:
            began, fault, ended = self.task.clock(), "", TrialState.COMPLETED
            try:
                if self.task.space.constraints and (faults := self.task.space.problems(configuration)):
                    raise ValueError(f"{faults[0]}")
                value = float(self.task.evaluate(configuration))
            except TrialFailed as failure:
                value, ended = NAN, failure.state
            except MemoryError as error:
                value, fault, ended = NAN, error_line(error, 300), TrialState.OUT_OF_MEMORY
            except Exception as error:  # noqa: BLE001 - whatever an objective raises is a failed evaluation
                value, fault, ended = NAN, error_line(error, 300), TrialState.CRASHED
            if not math.isfinite(value):
                value, ended = NAN, ended if ended.failed else TrialState.DIVERGED
            self._known[key] = (value, self.task.clock() - began, fault, ended)
        value, seconds, fault, self.ended = self._known[key]
        self.seconds += seconds
        self.fault = self.fault or fault
        return value


def optimise(steps: Steps, shared: int, evaluations: int, evaluate: Evaluator) -> Trace:
    """Ask, evaluate, tell, `evaluations` times. The first `shared` ones are not its own choice."""
    values: list[float] = []
    proposal_s, proposals = 0.0, 0
    while len(values) < evaluations:
        began = time.process_time()
        configuration = steps.ask()
        proposal_s += time.process_time() - began
        if configuration is None:  # a small space is exhausted
            values += [NAN] * (evaluations - len(values))
            break
        proposals += len(values) >= shared
        values.append(evaluate(configuration))
        if evaluate.task.reached(values[-1]):
            values += [values[-1]] * (evaluations - len(values))
            break
        began = time.process_time()
        steps.tell(values[-1], evaluate.ended)
        proposal_s += time.process_time() - began
    return Trace(tuple(values), evaluate.seconds, proposal_s, proposals, evaluate.fault)
