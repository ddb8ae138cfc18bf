"""What drawing a run needs to know of its task, read once from the task file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.budget import ConversationCaps, ModelCaps
from tunesmith.errors import TunesmithError
from tunesmith.goals import Goals
from tunesmith.history import Direction, History
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.space import Space
from tunesmith.task import Task, load_task
from tunesmith.text.literal import literal, one_line
from tunesmith.text.numbers import plain_value
from tunesmith.tools.records.trial_folder import LOG, recorded_outcome
from tunesmith.trial import Value
from tunesmith.tui.allocation_view import short_allocation
from tunesmith.tui.trial_view import (
    Formatter,
    long_configuration,
    plain_configuration,
    short_configuration,
    short_names,
)

LOG_BYTES, LOG_LINES = 16_000, 30
MOST_OTHERS = 3
"""Further metrics that have a column of their own; a trial's details have all of them."""


@dataclass(frozen=True)
class Facts:
    """The constants of a run; one whose task file cannot be read is shown with these defaults."""

    metric: str = "value"
    direction: Direction | None = None
    trials: int | None = None
    """Budget: trials to start; None when unknown."""
    wall_time_s: float | None = None
    study: History | None = None
    """Of the task before its first trial; None when unknown."""
    task: Task | None = None
    """None when unknown."""
    cost: float | None = None
    """Budget: what all trials may cost together; None for no such budget."""
    model: ModelCaps = ModelCaps(calls=None, tokens=None, dollars=None)
    conversation: ModelCaps = ConversationCaps(calls=None, tokens=None, dollars=None)
    """Of questions and instructions of people."""
    write: Formatter = plain_configuration
    """Writes a configuration with the precision its space deserves."""
    short: Formatter = plain_configuration
    """Writes it for a narrow column."""
    value: Callable[[str, Value], str] = lambda name, value: plain_value(value)
    """Writes one hyperparameter's value; takes its name too."""
    pipeline: PipelineSettings | None = None
    """Where the task is a pipeline of model calls: its stages."""
    items: Callable[[int], Mapping[str, str]] = lambda number: {}
    """Reads a trial's scores per item, packed, from its folder: the log has none."""
    log: Callable[[int], str] = lambda number: ""
    """Reads the last lines of a trial's log, clean."""
    problem: str = ""
    """Why the task file could not be read; empty when it could."""

    @property
    def goals(self) -> Goals | None:
        """Metrics and limits where there is more than one metric without limits, else None."""
        return None if self.study is None or self.study.goals.plain else self.study.goals

    @property
    def others(self) -> tuple[str, ...]:
        """Further metrics that have a column."""
        return () if self.goals is None else self.goals.names[1 : 1 + MOST_OTHERS]


def read_facts(folder: Path) -> Facts:
    """Facts of the run in `folder`, from its `task.yaml`. Never raises: see `Facts.problem`."""
    try:
        task = load_task(folder / "task.yaml")
    except (OSError, ValueError, TunesmithError) as error:
        return Facts(problem=one_line(f"the run's task.yaml cannot be read: {error}", 400))
    write_value, names = _value_writer(task.space), short_names(task.space.names)
    options = None if task.problem is None else task.problem.settings
    pipeline = options if isinstance(options, PipelineSettings) else None
    return Facts(
        metric=one_line(task.metric, 40),
        direction=task.direction,
        trials=task.budget.trials,
        wall_time_s=task.budget.wall_time_s,
        study=task.empty_history(),
        task=task,
        cost=task.budget.cost,
        model=task.budget.model,
        conversation=task.budget.conversation,
        write=lambda configuration: long_configuration(configuration, write_value),
        short=lambda configuration: (
            short_configuration(configuration, write_value, names)
            if pipeline is None
            else short_allocation(pipeline, configuration)
        ),
        value=write_value,
        pipeline=pipeline,
        items=lambda number: _items(folder / "trials" / f"{number:05d}"),
        log=lambda number: _log_end(folder / "trials" / f"{number:05d}" / LOG),
    )


def _log_end(file: Path) -> str:
    try:
        with file.open("rb") as read:
            read.seek(max(file.stat().st_size - LOG_BYTES, 0))
            text = read.read(LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(literal(text).rstrip().split("\n")[-LOG_LINES:])


def _items(trial: Path) -> Mapping[str, str]:
    outcome = recorded_outcome(trial)
    return {} if outcome is None else outcome.items


def _value_writer(space: Space) -> Callable[[str, Value], str]:
    """Writes a value as its space does; one that the task file does not know, as it is."""

    def write(name: str, value: Value) -> str:
        parameter = space.parameters.get(name)
        try:
            return plain_value(value) if parameter is None else parameter.format(value)
        except (TypeError, ValueError):  # the log may be older than the task file
            return plain_value(value)

    return write
