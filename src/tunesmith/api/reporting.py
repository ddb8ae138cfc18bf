"""Reports of runs that are on disk: found by name, folder or task file, with what the run believes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.api.choosing import chosen_run
from tunesmith.errors import RunError, TunesmithError, short

if TYPE_CHECKING:
    from tunesmith.beliefs import Beliefs
    from tunesmith.tools.report import ReportPaths
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

    return build_report(folder, believed(folder))


def write_report_of(folder: Path) -> ReportPaths:
    """Write the three files of the report of the run in a folder, with its beliefs; see `report_of`."""
    from tunesmith.tools.report import write_report

    return write_report(folder, believed(folder))


def believed(folder: Path) -> Beliefs | None:
    """What the run believes; None where that cannot be worked out, which is logged: a report does without.

    Raises:
        RunError: As `report_of`.
    """
    from tunesmith.api.beliefs import beliefs_of

    try:
        return beliefs_of(folder)
    except TunesmithError:
        raise
    except Exception:  # a fault of the surrogate on odd results must not cost the report
        log.exception("no beliefs for the report of %s", folder.name)
        return None
