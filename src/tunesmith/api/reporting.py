"""Reports of runs that are on disk: found by name, folder or task file, with what the run believes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.api.choosing import chosen_run
from tunesmith.errors import RunError, short
from tunesmith.events import Degraded, Event
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.task import Task
from tunesmith.text.cleaning import error_line

if TYPE_CHECKING:
    from tunesmith.beliefs import Beliefs
    from tunesmith.tools.report import ReportPaths
    from tunesmith.tools.report.build import Believe
    from tunesmith.tools.report.data import ReportData

log = logging.getLogger(__name__)


def found_run(run: Path, runs: Path = Path("runs")) -> Path:
    """The folder of a run.

    Args:
        run: Its folder, its name under `runs`, or a task file: the newest run of that task.
    Raises:
        RunError, TaskError: There is no run there, or the task cannot be read.
    """
    from tunesmith.task import load_task
    from tunesmith.tools.records.run_folder import RunFolder

    if run.is_file():
        folder = runs / chosen_run(load_task(run), runs).task.name
        if not folder.is_dir():
            raise RunError(f"{folder}: no run of this task has begun there. Name its folder, or give --runs.")
        return RunFolder.open(folder).path
    if not run.is_dir() and len(run.parts) == 1 and (runs / run).is_dir():
        run = runs / run
    if not run.is_dir():
        raise RunError(f"there is no run {short(str(run))}. `tunesmith ls` lists those in runs/; see --runs.")
    return RunFolder.open(run).path


def report_of(folder: Path) -> ReportData:
    """The report of the run in a folder, as far as it has come, with its beliefs; nothing is written.

    Raises:
        RunError: `folder` is no run folder, or a record in it cannot be read.
    """
    from tunesmith.tools.report.build import build_report

    return build_report(folder, _as_it_stands(folder))


def write_report_of(folder: Path) -> ReportPaths:
    """Write the three files of the report of the run in a folder, with its beliefs; see `report_of`."""
    from tunesmith.tools.report import write_report

    return write_report(folder, _as_it_stands(folder))


def believing(emit: Emit | None = None, *, going_on: bool = False) -> Believe:
    """Says what a run believes, for its report: a fault costs that part of the report alone.

    Args:
        emit: Takes the event about a fault; without it the fault is only logged.
        going_on: Whether a process runs it. Of an ended run, what was cut off is not running.
    """

    def believe(task: Task, history: History, events: Sequence[Event]) -> Beliefs | None:
        try:
            from tunesmith.agent.beliefs import beliefs_at
            from tunesmith.tools.records.log_reading import elicited_priors, priors_of_people

            now = history if going_on else replace(history, trials=history.finished)
            return beliefs_at(task, now, elicited_priors(events) or (), priors_of_people(events))
        except Exception as error:  # a fault of the surrogate on odd results must not cost the report
            log.exception("no beliefs for the report of %s", task.name)
            if emit is not None:
                cause, how = error_line(error)[:500], "the report is written without what the run believes"
                emit(Degraded(what="warning", where="sink.report", cause=cause, continuation=how))
            return None

    return believe


def _as_it_stands(folder: Path) -> Believe:
    from tunesmith.tools.records.lock import holder_of

    holder = holder_of(folder / "lock")
    return believing(going_on=holder is not None and holder.alive is not False)
