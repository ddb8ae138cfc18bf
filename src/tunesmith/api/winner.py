"""The configuration that a run found, and how its training is started: read from the run's records alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.api.checking import code_to_run
from tunesmith.api.choosing import chosen_run
from tunesmith.argv import as_text
from tunesmith.errors import NoWinner, ObjectiveError, RunError
from tunesmith.history import History
from tunesmith.objective import Objective
from tunesmith.plain_data import to_json
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.task import Task
from tunesmith.trial import Configuration

if TYPE_CHECKING:
    from tunesmith.tools.records.run_folder import RunFolder


@dataclass(frozen=True)
class Winner:
    """The recommended configuration of a run, or that of its best value."""

    folder: RunFolder
    history: History
    recommendation: Recommendation
    trial: int
    """The first completed trial of the configuration."""
    configuration: Configuration

    @property
    def task(self) -> Task:
        return self.folder.task

    @property
    def value(self) -> float:
        """The trial's metric in the search, metric units."""
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


def find_winner(path: Path, *, runs: Path = Path("runs"), seen: bool = False) -> Winner:
    """The winner of a run.

    Args:
        path: The run's folder, or the task file whose newest run lies under `runs`: the one that
            `tunesmith run` with this file goes on with.
        seen: The configuration of the best value seen instead of the recommended one.
    Raises:
        NoWinner: No trial has completed.
        RunError, TaskError: There is no run there, or its records or the task cannot be read.
    """
    from tunesmith.task import load_task
    from tunesmith.tools.records.event_store import EventStore
    from tunesmith.tools.records.log_reading import recommended, standing_recommendation
    from tunesmith.tools.records.run_folder import RunFolder
    from tunesmith.tools.report.build import recorded_history

    if path.is_file():
        path = runs / chosen_run(load_task(path), runs).task.name  # the newest, as `run` goes on with
        if not path.is_dir():
            raise RunError(f"{path}: no run of this task has begun there. Name its folder, or give --runs.")
    folder = RunFolder.open(path)
    history = recorded_history(folder)
    best = by_best_value(history)
    if best is None:
        raise NoWinner(folder.path, len(history))
    store = EventStore(folder.db, create=False)
    try:
        events = store.events()
    finally:
        store.close()
    found = None if seen or standing_recommendation(events) is None else recommended(events, history)
    found = found or best
    return Winner(folder, history, found, found.trial, found.configuration)


def _without_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_tuples(item) for key, item in value.items()}
    return [_without_tuples(item) for item in value] if isinstance(value, list | tuple) else value
