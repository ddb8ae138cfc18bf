"""`steering.json` and `task-given.yaml`: what people changed by commands, and the task that they changed.

Neither is there while nothing was changed so. `task.yaml` is the task as run, with the changes.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tunesmith.errors import RunError
from tunesmith.steering.record import Record
from tunesmith.task import Task, load_task
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.plain_files import read_plain

NAME = "steering.json"
GIVEN = "task-given.yaml"
"""The task as its author's file said it when the run was last started or changed."""
LARGEST_FILE = 16 << 20
"""Bytes."""


def read_record(folder: Path) -> Record:
    """The changes of the run in `folder`; an empty record where there are none.

    Raises:
        RunError: The file is there and cannot be read.
    """
    path = folder / NAME
    try:
        return Record.model_validate_json(read_plain(path, LARGEST_FILE))
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, ValidationError) as error:
        cause = str(error).splitlines()[0]
        raise RunError(
            f"{path} cannot be read ({cause}). Restore it, or delete it: what was changed by commands counts "
            "no more then."
        ) from error


def read_given(folder: Path) -> Task | None:
    """The task before the changes; None where nothing was changed."""
    if not (folder / NAME).exists() or not (folder / GIVEN).exists():
        return None
    return load_task(folder / GIVEN, as_run=True)


def write_record(folder: Path, record: Record, given: Task) -> None:
    """Record both durably, the task first: what is changed is never without what it was changed from."""
    text = given.to_yaml().encode()
    if not (folder / GIVEN).exists() or (folder / GIVEN).read_bytes() != text:
        write_atomic(folder / GIVEN, text)
    write_atomic(folder / NAME, record.model_dump_json(indent=1).encode())
