"""Everything Tunesmith raises, as one tree.

TunesmithError                     the base; `except TunesmithError` catches all
├── UsageError                     wrong input: exit code 2, no traceback
│   ├── TaskError                  a task file: names file, line, key, fix
│   ├── DataError                  a data file: names file, line, column or array, fix
│   ├── SpaceError                 a search space with a contradiction
│   ├── InvalidConfiguration       a configuration outside its space: one `Problem` per fault
│   ├── UnknownName                no member of a registry has that name
│   ├── MissingExtra               an optional package is needed and not installed
│   ├── ObjectiveError             the training function or command cannot be loaded
│   ├── PipelineError              stages, items or samples of a pipeline that cannot be used
│   │   └── BankMiss               a replay needs a sample that its bank lacks
│   └── RunError                   a run folder that cannot be used (locked, another task's, damaged)
│       └── NoWinner               the run has no feasible trial
├── RetrainFailed                  `tunesmith retrain`: no training completed
├── RunFailed                      `tunesmith.tune`: no trial completed; its `result` has what there is
├── MissingMetric                  a trial ended without one of the task's metrics
├── ItemsError                     scores per item that cannot be kept, read or compared
├── CommandFailed                  a trial's command ended by itself, and not well
├── ModelError                     anything about a language model; never ends a run
│   ├── ModelUnavailable           network, authentication, server fault, timeout
│   ├── ModelRefused               the model declined to answer
│   ├── InvalidAnswer              an answer that stays invalid after its repair question
│   ├── ModelBudgetReached         a cap on calls, tokens or dollars; checked before the call
│   └── ReplayMiss                 replaying, and no recording fits the request
├── ToolError                      a tool was used wrongly: the text goes back to the model
├── ExecutorError                  a job that could not be started, or a worker that does not answer
│   └── UnsupportedVerdict         a verdict that the executor cannot carry out
└── PromptError                    a template with an undeclared or missing variable
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.text.literal import cut, literal

MOST_FAULTS = 20
"""Faults of one task file that its message shows; `also` has them all."""
MESSAGE_LIMIT = 8_000
"""Characters of a message, about."""
_LINE_LIMIT = 2_000
_KEY_LIMIT, _PATH_LIMIT, _PART_LIMIT = 120, 400, 700


class TunesmithError(Exception):
    """Base of every error raised on purpose.

    `str()` of one is safe to show: no terminal escapes, no characters that are not drawn, of bounded length.
    """

    exit_code = 1
    one_line = False
    """Whether the message is a single line whatever is in it; some quote tracebacks."""

    def __str__(self) -> str:
        text = super().__str__()
        return _flat(text, _LINE_LIMIT) if self.one_line else literal(text, limit=MESSAGE_LIMIT)


class UsageError(TunesmithError):
    """Wrong input from a person; the message says what to change."""

    exit_code = 2


class TaskError(UsageError):
    """A task file that cannot be used.

    Attributes:
        path: The file, or None for a task built in Python.
        line: 1-based line of the offending key, or None where unknown.
        key: Dotted path of the key, such as `space.lr.low`, or None.
        problem: What is wrong, with the value found.
        fix: What to write instead, or an empty string.
        also: Further faults found in the same file, each on a line of its own in the message.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        key: str | None = None,
        fix: str = "",
        also: tuple[TaskError, ...] = (),
    ) -> None:
        self.path, self.line, self.key, self.problem, self.fix = path, line, key, problem, fix
        self.also = also
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        where = _located(self.path, self.line)
        problem, fix = _flat(self.problem, _PART_LIMIT), _flat(self.fix, _PART_LIMIT)
        yield ": ".join(
            filter(None, [where, shown_key(self.key or ""), " ".join(filter(None, [problem, fix]))])
        )
        yield from (line for fault in self.also[: MOST_FAULTS - 1] for line in fault._lines())
        if len(self.also) >= MOST_FAULTS:
            yield f"... and {len(self.also) - MOST_FAULTS + 1:,} faults more."


class DataError(UsageError):
    """A data file that no data card can be made of.

    Attributes:
        path: The file, or None where unknown.
        line: 1-based line, or None where unknown.
        place: The column or array it is about, or None.
        problem: What is wrong.
        fix: What to do, or an empty string.
    """

    one_line = True

    def __init__(
        self,
        problem: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        place: str | None = None,
        fix: str = "",
    ) -> None:
        self.path, self.line, self.place, self.problem, self.fix = path, line, place, problem, fix
        text = " ".join(filter(None, [problem, fix]))
        super().__init__(": ".join(filter(None, [_located(path, line), shown_key(place or ""), text])))


class SpaceError(UsageError):
    """A search space that cannot be: empty range, unknown parent in `when`, unparsable constraint.

    Attributes:
        key: Where in the space it is, such as `("lr", "low")` or `("constraints", "0")`; may be empty.
    """

    one_line = True

    def __init__(self, message: str, *, key: tuple[str, ...] = ()) -> None:
        self.key = key
        super().__init__(message)


def shown_key(key: str) -> str:
    """A key as the file has it; in quotes and with escapes where it holds what is not drawn."""
    return cut(key if key.isprintable() else short(key), _KEY_LIMIT)


def _located(path: Path | None, line: int | None) -> str:
    """`task.yaml:7`; of a very long path the end."""
    name = "" if path is None else _flat(path, 10 * _PATH_LIMIT)
    name = name if len(name) <= _PATH_LIMIT else f"…{name[-_PATH_LIMIT:]}"
    return ":".join(part for part in (name, "" if line is None else str(line)) if part)


def _flat(text: object, limit: int) -> str:
    """Literal text on one line; of a longer one head and tail are kept, for the fix stands at the end."""
    line = literal(text, limit=4 * limit).replace("\n", " ")
    return line if len(line) <= limit else f"{line[: limit * 2 // 3]} […] {line[-limit // 3 :]}"


def short(value: object) -> str:
    """`repr` of a value from anywhere, at most about 80 characters, whatever it is."""
    if isinstance(value, int) and abs(value) > 10**30:
        return f"an integer of {value.bit_length()} bits"  # Python refuses to print one of 4,300 digits
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2


@dataclass(frozen=True)
class Problem:
    """One fault of a configuration.

    Attributes:
        kind: unknown, missing, wrong_type, not_finite, out_of_range, off_step, inactive, constraint or
            cannot_run.
        key: The parameter's name, or the constraint's text.
        value: The value (None for a missing key).
        allowed: The legal range or choices, as text.
        nearest: The nearest legal value, or None where there is none to name.
    """

    kind: str
    key: str
    value: object
    allowed: str
    nearest: object = None

    def __str__(self) -> str:
        key, value = short(self.key), short(self.value)
        text = {
            "unknown": f"{key} is not a parameter of this space; {self.allowed}",
            "missing": f"{key} is missing; {self.allowed}",
            "inactive": f"{key} = {value} is given but inactive here; {self.allowed}",
            "constraint": f"constraint {self.key!r} does not hold; {self.allowed}",
            "cannot_run": f"it cannot be run: {self.allowed}",
        }.get(self.kind, f"{key} = {value}: {self.kind.replace('_', ' ')}; {self.allowed}")
        return text + (f" (nearest legal value: {self.nearest!r})" if self.nearest is not None else "")


class InvalidConfiguration(UsageError):
    """A configuration that is not in its space; `problems` lists every fault, not only the first."""

    one_line = True

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


class UnknownName(UsageError):
    """A name that no member of a registry has; the message lists what there is."""

    one_line = True


class MissingExtra(UsageError):
    """A package is needed that is installed only with an extra; the message names both."""

    one_line = True


class ObjectiveError(UsageError):
    """The training function or command cannot be loaded: no such file, no such name, import fault."""


class PipelineError(UsageError):
    """Stages, items, samples or a sample bank of a pipeline of model calls that cannot be used."""

    one_line = True


class BankMiss(PipelineError):
    """A replay needs a sample that its bank lacks; nothing near it is taken instead."""


class RunError(UsageError):
    """A run folder that cannot be used: held by another process, of another task, or damaged."""


class NoWinner(RunError):
    """A run without a best configuration: no trial has completed, or none that did keeps the task's limits.

    Attributes:
        folder: The run's folder.
        trials: How many trials it has.
        closest: The trial that breaks the limits by least; None where no trial has completed, or one keeps
            them.
        seen: The best trial, where it is feasible and its configuration is not by the mean of its runs.
    """

    exit_code = 1

    def __init__(
        self,
        folder: Path,
        trials: int,
        *,
        infeasible: str = "",
        closest: int | None = None,
        seen: int | None = None,
    ) -> None:
        self.folder, self.trials, self.closest, self.seen = folder, trials, closest, seen
        if seen is not None:
            super().__init__(
                f"{folder} recommends nothing: {infeasible}. Run the task on; or take trial {seen} "
                f"all the same, as `tunesmith best {folder} --seen` does."
            )
            return
        if infeasible:
            super().__init__(
                f"{folder} has no best configuration: {infeasible}. Loosen the limit in the task and run it "
                f"on; or take the closest by its number, as `tunesmith best {folder} --trial {closest}` does."
            )
            return
        begun = "no trial has begun" if not trials else f"none of its {trials} trials has completed"
        super().__init__(f"{folder} has no best configuration: {begun}. Run the task on, or see its report.")


class RetrainFailed(TunesmithError):
    """None of the trainings of the best configuration completed."""


class RunFailed(TunesmithError):
    """A run in which no trial completed, such as one whose training function cannot work.

    Attributes:
        result: The `tunesmith.Result` of the run.
    """

    def __init__(self, message: str, result: Any) -> None:  # Any: errors lie below results
        super().__init__(message)
        self.result = result


class MissingMetric(TunesmithError):
    """A trial ended without one of the task's metrics, or several; the message names them all."""


class ItemsError(TunesmithError):
    """Scores per item that cannot be kept, are damaged, or are of other items than those compared with."""


class CommandFailed(TunesmithError):
    """A command ended by itself, and not well; `code` is its status, or the negated number of a signal."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the command ended with status {code}")


class ModelError(TunesmithError):
    """Anything about a language model. It costs a fallback, never a run."""


class ModelUnavailable(ModelError):
    """The provider cannot be reached or does not serve us: network, key, server fault, timeout."""


class ModelRefused(ModelError):
    """The model declined to answer."""


class InvalidAnswer(ModelError):
    """An answer that stays invalid after its repair question."""


class ModelBudgetReached(ModelError):
    """A cap on model calls, tokens or dollars would be passed; nothing was sent."""


class ReplayMiss(ModelError):
    """Replaying a recorded conversation, and no recording fits this request."""


class ToolError(TunesmithError):
    """A tool was used wrongly. The message is written for the model, which may try again."""


class ExecutorError(TunesmithError):
    """A job could not be started, or what starts jobs does not answer."""


class UnsupportedVerdict(ExecutorError):
    """A verdict that the executor cannot carry out."""


class PromptError(TunesmithError):
    """A prompt template was rendered with an undeclared or a missing variable."""
