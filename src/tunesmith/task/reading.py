"""`load_task`: a task from its file, or an error that names file, line, key and fix."""

from __future__ import annotations

from pathlib import Path

from tunesmith.errors import TaskError
from tunesmith.task import faults
from tunesmith.task.document import Document, read_document
from tunesmith.task.task import Task, slug

_OTHER_KINDS = {
    ".py": "a Python script",
    ".ipynb": "a notebook",
    ".toml": "TOML",
    ".sh": "a shell script",
    ".csv": "a table of data",
    ".jsonl": "a log",
}

_INNER = {"path": "Remove it.", "metric_spec": "Remove it.", "further": "Write `metrics`."}
"""Fields of a task that are no keys of a file."""


def load_task(path: str | Path, *, as_run: bool = False) -> Task:
    """Read and check a task file. Nothing is imported or run.

    Args:
        as_run: Whether it is a run's own, in which what its kind of problem filled in then is left as it is.
    Raises:
        TaskError: With the first fault's file, line, key and fix; all of the file's faults are in the
            message, and the further ones in `also`.
    """
    path = Path(path)
    if path.is_dir():
        raise TaskError(
            "is a folder.", path=path, fix=f"Name the task file in it, such as {path / 'task.yaml'}."
        )
    if (kind := _OTHER_KINDS.get(path.suffix.casefold())) is not None and path.is_file():
        fix = f"Name the task file; `tunesmith init {path}` writes one." if path.suffix == ".py" else ""
        raise TaskError(f"is {kind}, not a task file.", path=path, fix=fix or "A task file is YAML.")
    document = read_document(path)
    fields = dict(document.data)
    fields.setdefault("name", default_name(path))
    problems: list[TaskError] = []
    for key, fix in _INNER.items():
        if key in fields:
            fields.pop(key)
            problems.append(faults.fault((key,), "is not a key of a task file.", fix))
    # An explicit null is what a run of a Python function leaves behind; a kind of problem may fill it in.
    if "objective" not in fields and "problem" not in fields:
        problems.append(faults.from_missing("objective"))
    try:
        task = Task.model_validate({**fields, "path": path}, context={"as_run": as_run})
    except TaskError as error:
        problems += _each(error)
    if problems:
        raise faults.joined(sorted((_placed(f, document, path) for f in problems), key=_line)) from None
    return task


def default_name(path: Path) -> str:
    """The file's stem, or its folder's name for a file called task.yaml."""
    path = path.absolute()
    return slug(path.parent.name if path.stem == "task" else path.stem)


def _each(error: TaskError) -> list[TaskError]:
    return [TaskError(error.problem, key=error.key, fix=error.fix), *error.also]


def _placed(error: TaskError, document: Document, path: Path) -> TaskError:
    line = document.line_of(tuple(error.key.split("."))) if error.key else None
    return TaskError(error.problem, path=path, line=line, key=error.key, fix=error.fix)


def _line(error: TaskError) -> int:
    return error.line or 0
