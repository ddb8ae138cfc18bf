"""A kind of problem: fills in the search space, the objective and the metric of a task.

A class registered by name in `registry.PROBLEMS`; another package registers its own by an entry point in the
group `tunesmith.problems`. A task names it in its key `problem`, beside the settings of the kind:

    problem: {name: rosenbrock, dimensions: 3}

`Task` calls `compile` while it is validated, and then validates the result as it does the keys of a file. So
engine, methods, history, report and terminal read the task's fields, and know no kinds.

A kind may also know, before a configuration is run, what it costs (`cost`) and whether it can be run at all
(`feasible`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from tunesmith.trial import Frozen, Value

STATED_FAULT = "stated_fault"
"""Pydantic's type of the errors that `settings_faults` makes."""


class SettingsFault(NamedTuple):
    """What is wrong with the settings of a kind of problem."""

    key: tuple[str, ...]
    """Its place below the value that is validated."""
    problem: str
    """A sentence with the value found."""
    fix: str
    """What to write instead, as sentences."""


def settings_faults(faults: Sequence[SettingsFault]) -> ValidationError:
    """What a validator of settings raises for faults with their fix: a task tells each at its own line."""
    return ValidationError.from_exception_data(
        "settings",
        [
            InitErrorDetails(
                type=PydanticCustomError(STATED_FAULT, "{problem}", {"problem": one.problem, "fix": one.fix}),
                loc=one.key,
                input=None,
            )
            for one in faults
        ],
    )


class ProblemKind(ABC):
    """Made and asked whenever a task of this kind is read, also from a run's own folder."""

    settings: ClassVar[type[BaseModel]] = Frozen
    """What a task says beside the name; `Frozen` itself: nothing."""

    @abstractmethod
    def compile(self, options: Any, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        """All keys of the task, with those that this kind fills in.

        The same arguments give the same keys: a run that is continued compiles its problem again.

        Args:
            options: What the key `problem` says beside the name, as an instance of `settings`.
            stated: The keys of the task by name, not validated yet. In a run's own task file they include
                what `compile` filled in before.
        Returns:
            `stated` with `space`, `metric`, `direction` and `objective`, and what else the kind decides,
            each as a task file or Python states it.
        Raises:
            TaskError: The keys are of no use for this kind.
        """

    def cost(self, options: Any, configuration: Mapping[str, Value]) -> float | None:
        """What running a configuration costs, in units of the problem; None: the task's key `cost` says.

        Pure and quick: it is asked for every candidate of the search, in the engine's process. Faults that a
        sample of the space shows are told before a run. Where it raises later, or gives no such number, the
        cost is unknown, and a budget of costs does not pay for the trial.

        Args:
            configuration: Legal values by name, as training code gets them: None and lists instead of labels.
        Returns:
            A finite number above 0, or None.
        """
        return None

    def why_not(self, options: Any, configuration: Mapping[str, Value]) -> str:
        """Why `feasible` says that a configuration cannot be run, as a clause; empty: it says so."""
        return ""

    def code(self, options: Any) -> Sequence[str]:
        """Files of code that the training function loads by itself, relative to the task's folder.

        They say which Python trains, and what is worth importing once for all trials.
        """
        return ()

    def given(self, options: Any) -> Mapping[str, Any] | None:
        """What the training function reads as `trial.given`, as JSON's types; None: nothing.

        The same settings give the same; it goes to the worker with every trial, so it is at most some 100 kB.
        Where the function has an attribute `prepare`, that is called with it before the first trial, and by
        `tunesmith check`: it loads what trials need, and raises for what is missing.
        """
        return None

    def breaking(self, before: Any, now: Any) -> Sequence[str]:
        """Which changes of the settings make values of earlier trials mean something else, as clauses.

        They are told as `score was a.py:score and is now b.py:score`; a run with such trials does not go on.
        """
        return ()

    def continued(self, before: Any, now: Any) -> Any:
        """The settings with which a run goes on that was begun with `before` and whose task says `now`.

        What a kind looked up when it was begun, such as prices, stays as it was; any other change counts.
        """
        return now

    def summary(self, options: Any, default: Mapping[str, Value] | None) -> Iterable[str]:
        """Lines in which `tunesmith check` tells what was compiled; none: the task's keys say it.

        Args:
            default: The configuration that is tried first, as `cost` gets one; None: there is none.
        """
        return ()

    def feasible(self, options: Any, configuration: Mapping[str, Value]) -> bool:
        """Whether a legal configuration can be run at all; what cannot is never proposed. As pure as `cost`.

        Where it raises, the configuration counts as one that cannot. A trial that was run stays a trial of
        its run, whatever is said later. What only a trial can show is a limit on a metric (`limits`).
        """
        return True


class Training(ProblemKind):
    """Training code that reports metrics: the keys of the task say everything."""

    def compile(self, options: Any, stated: Mapping[str, Any]) -> Mapping[str, Any]:
        return stated
