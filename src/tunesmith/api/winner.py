"""The configuration that a run found, and how its training is started: read from the run's records alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.api.checking import code_to_run
from tunesmith.api.choosing import chosen_run
from tunesmith.argv import as_text
from tunesmith.errors import NoWinner, ObjectiveError, RunError, UsageError, short
from tunesmith.history import History
from tunesmith.objective import Objective
from tunesmith.plain_data import to_json
from tunesmith.recommendation import by_best_value, none_recommended
from tunesmith.task import Task
from tunesmith.tools.analysis.limits import closest, none_feasible
from tunesmith.trial import Configuration, Trial

if TYPE_CHECKING:
    from tunesmith.events import Event
    from tunesmith.tools.records.run_folder import RunFolder


@dataclass(frozen=True)
class Winner:
    """A configuration of a run: the recommended one, that of its best value, or another trial's."""

    folder: RunFolder
    history: History
    trial: int
    """The first completed trial of the configuration, or the one that was asked for."""
    configuration: Configuration
    why: str
    """What it is, such as `recommended`."""

    @property
    def task(self) -> Task:
        return self.folder.task

    @property
    def values(self) -> dict[str, float]:
        """Every metric of the trial in the search, metric units."""
        return dict(next(t.values for t in self.history.completed if t.number == self.trial))

    @property
    def value(self) -> float:
        """The trial's primary metric in the search, metric units."""
        value = next(t.value for t in self.history.completed if t.number == self.trial)
        assert value is not None
        return value

    @property
    def received(self) -> dict[str, Any]:
        """The configuration as its training receives it."""
        return self.history.space.originals(self.configuration)

    def as_json(self) -> dict[str, Any]:
        """The configuration in JSON's types: tuples as lists, NaN as text."""
        data: dict[str, Any] = to_json(self.received)[0]
        return data

    def as_yaml(self) -> str:
        """The configuration as YAML, a key a line."""
        import io

        from ruamel.yaml import YAML

        stream, writer = io.StringIO(), YAML(typ="safe", pure=True)
        writer.default_flow_style = False
        text = repr(self.received)  # which escapes what is not printable
        writer.allow_unicode = "\\u" not in text and "\\x" not in text
        writer.width = 2**20
        writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        writer.dump(_without_tuples(self.received), stream)
        return stream.getvalue()

    def argv(self) -> list[str]:
        """The arguments that the trial was started with; for a training function `--name value` for each."""
        from tunesmith.tools.execution.job import Job
        from tunesmith.tools.execution.launch import command_launch
        from tunesmith.tools.records.trial_folder import CHECKPOINTS

        if self.task.objective is None or self.task.objective_ref().command is None:
            data = self.as_json()
            return [word for name, value in data.items() for word in (f"--{name}", as_text(value))]
        folder = self.folder.trial_folder(self.trial)
        started = next(t for t in self.history.completed if t.number == self.trial)
        job = Job(
            number=self.trial,
            folder=folder,
            configuration=self.received,
            seed=started.seed,
            metric=self.task.metric,
            further=self.task.readings[1:],
            objective=self.objective(),
        )
        return list(command_launch(job, folder / CHECKPOINTS).argv)

    def objective(self) -> Objective:
        """What the trial trained.

        Raises:
            ObjectiveError: A function given from Python that the run did not keep.
        """
        if self.task.objective is not None:
            return code_to_run(self.task)[0]
        kept = self.folder.path / "objective.pkl"
        if not kept.is_file():
            raise ObjectiveError(
                f"{kept} is missing, and the training function was given from Python. "
                "Call tunesmith.tune() with it and the run's name again."
            )
        return self.task.surrounded(Objective(pickle=kept, workdir=Path.cwd()))


def find_winner(
    path: Path,
    *,
    runs: Path = Path("runs"),
    seen: bool = False,
    metric: str | None = None,
    trial: int | None = None,
) -> Winner:
    """The winner of a run, which is feasible, or the trial that is asked for.

    Args:
        path: The run's folder, or the task file whose newest run lies under `runs`: the one that
            `tunesmith run` with this file goes on with.
        seen: The configuration of the best value seen instead of the recommended one.
        metric: The trial of the Pareto front that is best by this metric, instead.
        trial: The completed trial of this number instead, feasible or not.
    Raises:
        NoWinner: No trial has completed, none is feasible, or no configuration is by the mean of its runs.
        UsageError: There is no such metric or trial.
        RunError, TaskError: There is no run there, or its records or the task cannot be read.
    """
    from tunesmith.tools.records.log_reading import recommended, standing_recommendation

    folder, history = _recorded(path, runs)
    if trial is not None:
        return _winner(folder, history, _completed(history, trial), "as asked for")
    best = history.incumbent
    if best is None:
        nearest = closest(history)
        number = None if nearest is None else nearest.number
        raise NoWinner(folder.path, len(history), infeasible=none_feasible(history), closest=number)
    if metric is not None:
        return _winner(folder, history, _best_by(history, metric), f"best {metric} on the Pareto front")
    seen_best = "best feasible value seen" if history.limits else "best value seen"
    if seen:
        return _winner(folder, history, best, seen_best)
    events = _events(folder)
    standing = None if standing_recommendation(events) is None else recommended(events, history)
    found = standing or by_best_value(history)
    if found is None:
        raise NoWinner(folder.path, len(history), infeasible=none_recommended(history), seen=best.number)
    why = "recommended" if found.differs else seen_best
    return Winner(folder, history, found.trial, found.configuration, why + _certified(folder, found.trial))


def _certified(folder: RunFolder, trial: int) -> str:
    """What the run's certificate says of a trial; empty where the task asks for none."""
    from tunesmith.tools.records.certificate_file import certificate_now

    certify = folder.task.certify
    if certify is None:
        return ""
    found = certificate_now(folder.path, folder.task)
    if found is None or found.certified != trial:
        return f", not certified to keep {certify.limit.text}"
    return f", certified to keep {certify.limit.text} with {100 * certify.confidence:.4g} % confidence"


def find_front(path: Path, *, runs: Path = Path("runs")) -> list[Winner]:
    """Every trial on the Pareto front of a run, the best primary value first; see `find_winner`.

    Raises:
        NoWinner, RunError, TaskError: As `find_winner`.
    """
    best = find_winner(path, runs=runs, seen=True)
    return [_winner(best.folder, best.history, t, "on the Pareto front") for t in best.history.front]


def _recorded(path: Path, runs: Path) -> tuple[RunFolder, History]:
    from tunesmith.task import load_task
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.report.build import recorded_history

    if path.is_file():
        path = runs / chosen_run(load_task(path), runs).task.name  # the newest, as `run` goes on with
        if not path.is_dir():
            raise RunError(f"{path}: no run of this task has begun there. Name its folder, or give --runs.")
    folder = RunFolder.open(path)
    return folder, recorded_history(folder)


def _events(folder: RunFolder) -> list[Event]:
    from tunesmith.tools.records.event_store import EventStore

    store = EventStore(folder.db, create=False)
    try:
        return store.events()
    finally:
        store.close()


def _winner(folder: RunFolder, history: History, trial: Trial, why: str) -> Winner:
    return Winner(folder, history, trial.number, trial.configuration, why)


def _completed(history: History, number: int) -> Trial:
    found = history.get(number)
    if found is None and any(trial.number == number for trial in history.earlier):
        raise UsageError(f"trial {number} is of a search space that the run had before: it is history only.")
    if found is None:
        numbers = [trial.number for trial in history.every]
        which = f"they are {numbers[0]} to {numbers[-1]}" if numbers else "none has begun"
        raise UsageError(f"the run has no trial {number}; {which}.")
    if found.value is None:
        raise UsageError(
            f"trial {number} has not completed ({found.state}), so it has no configuration to use."
        )
    return found


def _best_by(history: History, name: str) -> Trial:
    goals = {goal.metric: goal for goal in history.goals.objectives}
    if name not in goals:
        raise UsageError(
            f"{short(name)} is no metric that the task optimises; it optimises {', '.join(goals)}."
        )
    sign = goals[name].sign
    return max(history.front, key=lambda t: (sign * t.values[name], -t.number))


def _without_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_tuples(item) for key, item in value.items()}
    return [_without_tuples(item) for item in value] if isinstance(value, list | tuple) else value
