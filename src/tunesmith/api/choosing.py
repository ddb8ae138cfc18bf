"""Which run a command or a call is about: the newest under its name, a new one, or one with prior results."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tunesmith.task import Task
from tunesmith.tools.records.run_names import newest_run, unused_name


class Chosen(NamedTuple):
    task: Task
    """With the name of the run folder."""
    source: str | None
    """What a new run takes its first results from."""
    begun_as: str | None
    """The name it was asked for by; None where it has that."""

    @property
    def source_shown(self) -> str | None:
        """The source without a password."""
        from tunesmith.tools.records.sources import identity

        return None if self.source is None else identity(self.source)


def chosen_run(
    task: Task,
    runs: Path,
    *,
    fresh: bool = False,
    start_from: str | Path | None = None,
    newest: bool = True,
) -> Chosen:
    """The run that is meant; nothing is written.

    Raises:
        RunError: The source of prior results cannot be used.
    """
    asked, source = task.name, None
    if start_from is not None:
        from tunesmith.tools.records.sources import identity, named
        from tunesmith.tools.records.taken import fitting_source

        source = named(str(start_from), runs)
        known = None if fresh else newest_run(runs, asked, source=identity(source))
        if known is None:
            fitting_source(source, task)  # before anything is made
            known = unused_name(runs, asked)
    elif fresh:
        known = unused_name(runs, asked)
    else:
        known = (newest_run(runs, asked) if newest else None) or asked
    if known != asked:
        task = task.model_copy(update={"name": known})
    return Chosen(_continued(task, runs / known), source, None if known == asked else asked)


def _continued(task: Task, folder: Path) -> Task:
    """The task with what its kind of problem keeps of the run in a folder, where there is one."""
    from tunesmith.errors import RunError
    from tunesmith.task.costs import kind_of, restrict
    from tunesmith.tools.records.run_folder import RunFolder

    if task.problem is None or not folder.is_dir():
        return task
    try:
        before = RunFolder.open(folder).task.problem
    except RunError:
        return task  # no run yet, or one whose fault is told when it is opened
    if before is None or before.name != task.problem.name:
        return task
    settings = kind_of(task.problem).continued(before.settings, task.problem.settings)
    if settings is task.problem.settings:
        return task
    fields = {"space": task.space, "problem": task.problem.model_copy(update={"settings": settings})}
    restrict(fields)
    return task.model_copy(update=fields)
