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
    return Chosen(task, source, None if known == asked else asked)
