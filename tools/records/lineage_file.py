"""`lineage.json`: the search spaces that a run has had. There is none while its task never changed."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tunesmith.errors import RunError, SpaceError
from tunesmith.task import Task
from tunesmith.task.lineage import Epoch, Lineage
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.plain_files import read_plain

NAME = "lineage.json"
LARGEST_FILE = 16 << 20
"""Bytes."""
_EPOCHS = TypeAdapter(tuple[Epoch, ...])


def read_lineage(folder: Path, task: Task) -> Lineage:
    """The lineage of the run in `folder`, with `task` as what its task file says.

    Raises:
        RunError: The file is there and cannot be read.
    """
    path = folder / NAME
    try:
        epochs = _EPOCHS.validate_json(read_plain(path, LARGEST_FILE))
        if not epochs:
            raise ValueError("it is empty")
    except FileNotFoundError:
        return Lineage.begun(task)
    except (OSError, ValueError, SpaceError, ValidationError) as error:
        cause = str(error).splitlines()[0]
        raise RunError(
            f"{path} cannot be read ({cause}). Restore it, or delete it: trials that are not of the present "
            "search space cannot be read then."
        ) from error
    return Lineage(epochs)


def write_lineage(folder: Path, lineage: Lineage) -> None:
    """Record it durably. Called before the task file is written, so that no space of a run is forgotten."""
    write_atomic(folder / NAME, _EPOCHS.dump_json(lineage.epochs, indent=1))
