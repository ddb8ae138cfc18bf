"""Whether training code can be run, found out before anything is spent on it.

`check_exists` reads files and runs nothing. `check_loads` has a worker load the code, started as every trial
is started, so that whatever a trial would meet before its training begins is met here.
"""

from __future__ import annotations

import ast
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import BankMiss, ObjectiveError, PipelineError
from tunesmith.text.cleaning import log_line, log_tail
from tunesmith.tools.execution.base import Executor, Job, Resources
from tunesmith.tools.execution.interpreter import choose, with_interpreter
from tunesmith.tools.execution.loading import split_reference
from tunesmith.tools.execution.programs import command_fault, script_of
from tunesmith.tools.execution.signatures import call_fault, source_fault
from tunesmith.tools.execution.starting import search_path, started
from tunesmith.tools.execution.trying import try_job
from tunesmith.trial import Outcome, TrialState, Value

if TYPE_CHECKING:
    from tunesmith.objective import Objective

LOAD_LIMIT_S = 600.0
"""How long `check_loads` lets the code import what it needs, where a task sets no limit to a trial."""


def check_exists(objective: Objective, hyperparameters: Sequence[str] = ()) -> None:
    """Whether file, function and parameters, or program and script, are there. A pickle needs no check.

    Args:
        hyperparameters: Names of the space; a function that takes one of them takes no `config`.
    Raises:
        ObjectiveError: Something is missing or cannot be called; names the place and what to write.
    """
    if objective.command is not None:
        place = Path(objective.workdir or ".")
        python = with_interpreter(objective).python
        words = started(objective.command, place, python)
        text = command_fault(words, place, search_path(os.environ, python))
        if text is not None:
            raise ObjectiveError(text)
        if (script := script_of(words, place)) is not None:
            _check_syntax(script, objective)
    elif objective.function is not None:
        _, path, name = split_reference(objective.function)
        try:
            fault = source_fault(path.read_bytes(), name, path.name, hyperparameters)
        except OSError as error:
            raise ObjectiveError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (SyntaxError, ValueError, RecursionError) as error:
            _not_python(path, error, objective)
            return
        if fault is not None:
            where = f"{path}:{fault.line}" if fault.line else str(path)
            joint = " " if fault.line is None else ": "
            raise ObjectiveError(f"{where}{joint}{fault.text}")


def _check_syntax(script: Path, objective: Objective) -> None:
    try:
        ast.parse(script.read_bytes())
    except OSError:
        return  # whether it may be read is the program's to say
    except (SyntaxError, ValueError, RecursionError) as error:
        _not_python(script, error, objective)


def _not_python(path: Path, error: Exception, objective: Objective) -> None:
    """Raise for a file that is not Python; not where another Python than ours is to read it."""
    if isinstance(error, SyntaxError) and not choose(objective).own:
        return  # it says so itself when it loads the file
    line = getattr(error, "lineno", None)
    where = f"{path}:{line}" if line else str(path)
    text = str(getattr(error, "msg", error))
    raise ObjectiveError(f"{where}: not Python {_version()}: {text}.") from error


def check_callable(train: Callable[..., Any], hyperparameters: Sequence[str] = ()) -> None:
    """Whether a function given from Python can be called as `train(config, trial)`.

    Raises:
        ObjectiveError: It cannot.
    """
    if not callable(train):
        raise ObjectiveError(f"the training function is {type(train).__name__}, which cannot be called.")
    fault = call_fault(train, getattr(train, "__name__", "train"), "", hyperparameters)
    if fault is not None:
        raise ObjectiveError(fault)


def check_loads(
    executor: Executor,
    objective: Objective,
    metric: str,
    configuration: Mapping[str, Value],
    *,
    threads: int = 1,
    time_limit_s: float | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Have a worker load the training code and start no training. The executor must have room for a job.

    Args:
        should_stop: Asked meanwhile; True ends it without a verdict.
    Raises:
        ObjectiveError: It could not; says why, with the last lines of the code's own traceback.
        ExecutorError: No process could be started.
    """
    limit = time_limit_s or LOAD_LIMIT_S
    with tempfile.TemporaryDirectory(prefix="tunesmith-check-") as home:
        job = Job(
            number=-1,
            folder=Path(home).resolve() / "trial",
            configuration=dict(configuration),
            seed=0,
            metric=metric,
            objective=objective,
            resources=Resources(cpus=threads),
            time_limit_s=limit,
            load_only=True,
        )
        tried = try_job(executor, job, reports=None, should_stop=should_stop)
    if tried.outcome.state is not TrialState.COMPLETED and not should_stop():
        raise ObjectiveError(_why(objective, tried.outcome, tried.log, limit))


def _why(objective: Objective, outcome: Outcome, log: str, limit: float) -> str:
    what = objective.description
    if outcome.state is TrialState.TIMED_OUT:
        return (
            f"{what} took more than {limit:g} s to load. Does it train when it is imported? Put that below "
            f"`if __name__ == '__main__':`."
        )
    last = outcome.traceback.rpartition("\n")[2]
    ours = not last or any(kind.__name__ in last for kind in (ObjectiveError, PipelineError, BankMiss))
    if ours and objective.given:
        return outcome.message  # of what the kind of problem names, not of the function that is called
    if ours:  # found by us: its text is whole
        return outcome.message if what in outcome.message else f"{what}: {outcome.message}"
    said = log.partition("Traceback (most recent call last)")[0] if "sys.exit" in outcome.message else ""
    shown = "\n".join(filter(None, [log_tail(said, 1000), outcome.traceback]))
    what = "the code of the problem" if objective.given else what
    return f"{what} cannot be loaded: {log_line(outcome.message)}\n{shown}"


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
