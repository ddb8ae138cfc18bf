"""What an answer is made from: the task, the history, the beliefs and the talk so far. Values only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from tunesmith.beliefs import Beliefs, ParameterBelief
from tunesmith.events import Event, PriorsElicited, TaskChanged
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Question
from tunesmith.task import Task
from tunesmith.tools.analysis.excerpt import census
from tunesmith.tools.records.log_reading import priors_of_people

log = logging.getLogger(__name__)
T = TypeVar("T")


def no_log(number: int) -> str:
    """Where logs cannot be read."""
    return ""


@dataclass(frozen=True)
class Records:
    """The run at one moment."""

    briefing: Briefing
    events: tuple[Event, ...] = ()
    """As `tools/records/talk.py` keeps them, oldest first."""
    log_of: Callable[[int], str] = no_log
    """The end of a trial's log, clean."""

    @classmethod
    def of(cls, question: Question, log_of: Callable[[int], str] = no_log) -> Records:
        return cls(question.briefing, question.talk, log_of)

    @property
    def task(self) -> Task:
        return self.briefing.task

    @property
    def history(self) -> History:
        return self.briefing.history

    @cached_property
    def left(self) -> frozenset[int]:
        """Trials of earlier search spaces that do not count in the one of now: they are history only."""
        gone = {number for event in self.of_kind(TaskChanged) for number in event.left}
        gone |= {trial.number for trial in self.history.earlier}
        return frozenset(gone - {trial.number for trial in self.history})

    def missing(self, number: int) -> str:
        """Why nothing can be said of a trial that the history does not have."""
        if number in self.left:
            return (
                f"Trial {number} was run in an earlier search space and does not count in that of now; the "
                f"report shows it, and its records are in trials/{number:05d}."
            )
        return f"There is no trial {number}; {census(self.history)}."

    @cached_property
    def beliefs(self) -> Beliefs | None:
        """What the run believes; None where that cannot be worked out. Costs a fit of the surrogate."""
        return believed(self)

    def belief(self, name: str) -> ParameterBelief | None:
        """What is believed of one hyperparameter."""
        found = () if self.beliefs is None else self.beliefs.parameters
        return next((belief for belief in found if belief.name == name), None)

    def of_kind(self, kind: type[T]) -> list[T]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def believed(records: Records) -> Beliefs | None:
    """The beliefs at the records' history; None where they cannot be worked out, which is logged."""
    from tunesmith.agent.beliefs import beliefs_at

    stated = [belief for event in records.of_kind(PriorsElicited) for belief in event.beliefs]
    try:
        return beliefs_at(records.task, records.history, stated, priors_of_people(records.events))
    except (ValueError, ArithmeticError):  # a question is answered without them
        log.exception("the beliefs of a run could not be worked out")
        return None
