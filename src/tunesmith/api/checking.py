"""What a run makes sure of before it spends anything: that its training code is there and can be called.

`check`, `run`, `chat` and `tune` all come through here, so that each refuses the same with the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ObjectiveError, TaskError
from tunesmith.objective import Objective

if TYPE_CHECKING:
    from tunesmith.history import History
    from tunesmith.task import Task
    from tunesmith.tools.execution.base import Executor
    from tunesmith.tools.execution.interpreter import Interpreter
    from tunesmith.trial import Configuration


@dataclass(frozen=True)
class Code:
    """Training code of a task."""

    key: str
    """The task's key that names it: `objective` or `confirm`."""
    objective: Objective
    metric: str


def codes(task: Task, objective: Objective | None = None) -> Iterator[Code]:
    """The search's training code, and the comparison's where it has its own.

    Args:
        objective: The search's, where it was given from Python; None: what the task names.
    """
    from tunesmith.tools.execution.interpreter import interpreter_of

    objective = objective or code_to_run(task)[0]
    yield Code("objective", objective, task.metric)
    confirm = task.confirm_ref()
    if confirm is not None and task.confirm is not None:
        confirm = replace(confirm, python=objective.python)
        if confirm.function is not None and confirm.python is not None:
            interpreter_of(task, confirm)  # a Python that may run a command may be too old for a function
        yield Code("confirm", confirm, task.confirm.metric or task.metric)


def code_to_run(task: Task, objective: Objective | None = None) -> tuple[Objective, Interpreter | None]:
    """The search's training code as its trials run it, and the Python that was chosen for it.

    Args:
        objective: Given from Python; it stays in the caller's own, and None is returned for it.
    Raises:
        TaskError: The task's `python` is none, or cannot call a function.
    """
    from tunesmith.text.secrets import remember
    from tunesmith.tools.execution.interpreter import interpreter_of

    remember(task.env.given)
    if objective is not None:
        return task.surrounded(objective), None
    objective = task.objective_ref()
    interpreter = interpreter_of(task, objective)
    return replace(objective, python=interpreter.path), interpreter


def check_code(task: Task, train: Callable[..., Any] | None = None) -> None:
    """Look for files, functions, parameters, programs and scripts; nothing is run.

    Args:
        train: The training function of a task built in Python.
    Raises:
        ObjectiveError: With a line for each of `objective` and `confirm` that cannot be used.
    """
    from tunesmith.tools.execution.checks import check_callable, check_exists

    faults = []
    if train is not None:
        check_callable(train, task.space.names)
    for code in codes(task, Objective() if train is not None else None):
        if code.key == "objective" and train is not None:
            continue
        try:
            check_exists(code.objective, task.space.names)
        except ObjectiveError as error:
            faults.append(f"{place(task, code.key)}: {error}")
    if faults:
        raise ObjectiveError("\n".join(faults))


def hints(task: Task) -> list[str]:
    """What is legal and probably not meant: in metrics and limits, and in the script of a function.

    There it is hyperparameters that are never mentioned and, of several metrics, those visibly not returned.
    """
    from tunesmith.task.goal_hints import goal_hints
    from tunesmith.tools.execution.returned_names import never_returned
    from tunesmith.tools.execution.signatures import unused_names

    found = goal_hints(task)
    function = task.objective_ref().function
    if function is None:
        return found  # a command's placeholders are checked with the task
    file, _, name = function.rpartition(":")
    path = Path(file)
    returned = [metric for metric, reading in task.readings if reading.file is None]
    found += [
        f"regex of {metric!r}: it reads what a command prints, and {path.name} {name} is a function, of "
        "which only what it returns or reports counts; return the value, or run the script by a `command`"
        for metric, reading in task.readings
        if reading.regex is not None
    ]
    try:
        source = path.read_bytes()
        unused = unused_names(source, task.space.names)
        lacking = never_returned(source, name, returned) if len(task.readings) > 1 else ()
    except (OSError, SyntaxError, ValueError, RecursionError):
        return found  # it has loaded all the same: by another Python, or it changed meanwhile
    if lacking:
        found.append(
            f"{path.name}: what {name} returns has no {' and no '.join(map(repr, lacking[:10]))}: a trial "
            "that lacks a metric fails; return a dict with all of them"
        )
    return found + [
        f"{path.name} never mentions {name!r}: tuning it changes nothing, unless another file reads it"
        for name in unused[:10]
    ]


def check_loading(
    task: Task,
    executor: Executor,
    objective: Objective,
    *,
    history: History | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Have a worker load the training code, as a trial does, and start no training.

    Commands are not run, and a file that was loaded for `objective` is not loaded again for `confirm`.

    Args:
        executor: One that has room; its libraries are loaded once, for this and for the trials.
        objective: The search's training code.
        history: The trials so far; what some of them have completed with is not tried again.
        should_stop: Asked meanwhile; True ends it without a verdict.
    Raises:
        ObjectiveError: It does not load; says why, with the last lines of the code's own traceback.
        ExecutorError: No process could be started.
    """
    from tunesmith.tools.engine.requeue import changed_since
    from tunesmith.tools.execution.checks import check_loads

    if history is not None and history.completed and not changed_since(objective, history):
        return
    configuration = any_configuration(task)
    loaded: set[str | None] = {None}
    for code in codes(task, objective):
        function = code.objective.function
        file = function and function.rpartition(":")[0]
        if file in loaded and code.objective.pickle is None:
            continue
        loaded.add(file)
        try:
            check_loads(
                executor,
                code.objective,
                code.metric,
                configuration,
                threads=task.threads,
                time_limit_s=task.budget.trial_time_s,
                should_stop=should_stop,
            )
        except ObjectiveError as error:
            raise ObjectiveError(f"{place(task, code.key)}: {error}") from error


def any_configuration(task: Task) -> Configuration:
    """The default, else one drawn with the task's seed."""
    import numpy as np

    return task.default or task.space.sample(np.random.default_rng(task.seed))[0]


def place(task: Task, key: str) -> str:
    """`task.yaml:7: objective`, as far as it came from a file; `problem` where that filled the key in."""
    if task.path is None:
        return key
    from tunesmith.task.document import read_document

    try:
        document = read_document(task.path)
        if key not in document.data and "problem" in document.data:
            key = "problem"  # which filled it in
        line = document.line_of((key,))
    except TaskError:  # edited meanwhile
        line = None
    return ": ".join([":".join(str(part) for part in (task.path, line) if part is not None), key])
