"""A CSV file of runs as a task: a column a parameter, one for the metric, a line a run.

A configuration has the value of the nearest line, by Euclidean distance in the unit cube; two different
categories are at distance 1. Lines of one configuration count as their mean. A line without a number for the
metric is a failed evaluation. Space, metric, direction, default and words come from a task file; without one,
every other column that is not constant is a parameter: whole numbers are integers, other numbers floats, on a
log scale where they are positive and span two decades, and everything else is a category.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from tunesmith.bench.suites.generated import initial
from tunesmith.bench.task import BenchTask, SuiteOptions, Values
from tunesmith.errors import InvalidConfiguration, SpaceError, UsageError
from tunesmith.history import Array, Direction
from tunesmith.space import Bool, Categorical, Float, Int, Parameter, Space

MOST_LINES, MOST_COLUMNS, MOST_CATEGORIES = 100_000, 200, 50
LOG_SPAN = 100.0
"""Positive columns whose largest value is this many times the smallest are on a log scale."""
LEAST_LINES = 10


@dataclass(frozen=True)
class Table:
    """Logged runs as rows of the unit cube.

    Attributes:
        rows: (n, c), one-hot columns divided by sqrt(2).
        values: (n,) metric; NaN for a failed run.
        left_out: Lines that are not in the space.
    """

    space: Space
    rows: Array
    values: Array
    left_out: int

    def nearest(self, configuration: Values) -> float:
        """The value of the nearest row; of several as near, the first."""
        row = _scaled(self.space, self.space.encode(configuration)[0][None])
        return float(self.values[np.argmin(((self.rows - row) ** 2).sum(axis=1))])


def table_task(path: Path, options: SuiteOptions) -> BenchTask:
    """The task of a CSV file.

    Raises:
        UsageError: The file is no such table, or nothing says which column is the metric.
    """
    columns, lines = read_csv(path)
    task = _without_task(path, columns, lines, options) if options.task is None else _from_file(options)
    table = as_table(path, task, columns, lines)
    known = table.values[np.isfinite(table.values)]
    best = float(known.max() if task.direction == "maximize" else known.min())
    return replace(
        task,
        evaluate=table.nearest,
        bounds=(best, float(np.median(known))),
        family=f"{len(table.rows)} rows" + (f", {table.left_out} lines left out" if table.left_out else ""),
        code=hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest(),
    )


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, and the lines as text.

    Raises:
        UsageError: It is no CSV file with a line of names and LEAST_LINES runs, or too large.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            columns = [name.strip() for name in next(reader, [])]
            lines = []
            for line in reader:
                if not line:
                    continue
                if len(line) != len(columns):
                    raise UsageError(
                        f"{path}, line {reader.line_num}: {len(line)} cells for {len(columns)} columns."
                    )
                lines.append([cell.strip() for cell in line])
                if len(lines) > MOST_LINES:
                    raise UsageError(f"{path} has more than {MOST_LINES} lines.")
    except (OSError, UnicodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a CSV file: {error}") from error
    if not 2 <= len(columns) <= MOST_COLUMNS or len(set(columns)) < len(columns):
        raise UsageError(f"{path}: its first line must name 2 to {MOST_COLUMNS} columns, each once.")
    if len(lines) < LEAST_LINES:
        raise UsageError(f"{path} has {len(lines)} runs; a table needs {LEAST_LINES} or more.")
    return columns, lines


def as_table(path: Path, task: BenchTask, columns: list[str], lines: list[list[str]]) -> Table:
    """The lines that are in the task's space, those of one configuration as their mean.

    Raises:
        UsageError: A column is missing, or fewer than LEAST_LINES runs have a value.
    """
    space = task.space
    for name in (task.metric, *space.names):
        if name not in columns:
            raise UsageError(f"{path} has no column {name!r}; there are {', '.join(columns)}.")
    place = {name: columns.index(name) for name in (task.metric, *space.names)}
    found: dict[str, tuple[Array, list[float]]] = {}
    left_out = 0
    for line in lines:
        cells = {
            name: read_cell(parameter, line[place[name]]) for name, parameter in space.parameters.items()
        }
        given = {name: value for name, value in cells.items() if value is not None}
        try:
            configuration = space.validate({n: v for n, v in given.items() if space.is_active(n, given)})
        except (InvalidConfiguration, KeyError):
            left_out += 1
            continue
        number = _number(line[place[task.metric]])
        row = space.encode(configuration)[0]
        found.setdefault(configuration.digest, (row, []))[1].append(math.nan if number is None else number)
    values = np.array([_mean(values) for _, values in found.values()])
    if np.isfinite(values).sum() < LEAST_LINES:
        raise UsageError(
            f"{path}: {int(np.isfinite(values).sum())} configurations of the space have a value for "
            f"{task.metric!r}; a table needs {LEAST_LINES} or more."
        )
    rows = np.stack([row for row, _ in found.values()])
    return Table(space, _scaled(space, rows), values, left_out)


def read_cell(parameter: Parameter, text: str) -> object:
    """A cell as a value of its parameter; None for an empty or unreadable one."""
    if isinstance(parameter, Bool):
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if isinstance(parameter, Float | Int):
        number = _number(text)
        return (
            int(number)
            if number is not None and isinstance(parameter, Int) and number.is_integer()
            else number
        )
    choices = {str(choice): choice for choice in getattr(parameter, "listed", ())}
    return choices.get(text)


def infer_space(columns: Mapping[str, list[str]]) -> Space:
    """A space from columns of text; see the module's words.

    Raises:
        UsageError: Nothing varies, a cell is empty, or a column has too many categories.
    """
    parameters: dict[str, Parameter] = {}
    for name, cells in columns.items():
        distinct = list(dict.fromkeys(cells))
        if len(distinct) < 2:
            continue
        if "" in distinct:
            raise UsageError(
                f"the column {name!r} has empty cells: describe the space in a task file (--task)."
            )
        numbers = [_number(cell) for cell in distinct]
        if any(number is None for number in numbers):
            if len(distinct) > MOST_CATEGORIES:
                raise UsageError(
                    f"the column {name!r} has {len(distinct)} different texts, too many for categories; "
                    f"name the parameters in a task file (--task)."
                )
            parameters[name] = Categorical(distinct)
            continue
        known = [number for number in numbers if number is not None]
        low, high = min(known), max(known)
        scale: Any = "log" if low > 0 and high >= LOG_SPAN * low else "linear"
        whole = all(number.is_integer() for number in known)
        parameters[name] = Int(int(low), int(high), scale=scale) if whole else Float(low, high, scale=scale)
    if not parameters:
        raise UsageError("no column besides the metric varies.")
    try:
        return Space(parameters)
    except SpaceError as error:
        raise UsageError(f"the columns make no space: {error}") from error


def _without_task(path: Path, columns: list[str], lines: list[list[str]], options: SuiteOptions) -> BenchTask:
    if options.metric is None or options.direction is None:
        raise UsageError(
            "a CSV file needs --metric COLUMN and --direction minimize or maximize, or --task with a task "
            f"file; its columns are {', '.join(columns)}."
        )
    if options.metric not in columns:
        raise UsageError(f"{path} has no column {options.metric!r}; there are {', '.join(columns)}.")
    others = {name: [line[i] for line in lines] for i, name in enumerate(columns) if name != options.metric}
    return _task(path.stem, infer_space(others), _direction(options.direction), options.metric)


def _from_file(options: SuiteOptions) -> BenchTask:
    from tunesmith.task import load_task

    assert options.task is not None
    task = load_task(Path(options.task))
    direction = _direction(options.direction or task.direction)
    made = _task(task.name, task.space, direction, options.metric or task.metric)
    return replace(
        made,
        default=None if task.default is None else dict(task.default),
        words=task.words(),
        make_data_card=partial(getattr, task, "data_card", None),
    )


def _task(name: str, space: Space, direction: Direction, metric: str) -> BenchTask:
    return BenchTask(
        name=name,
        space=space,
        direction=direction,
        metric=metric,
        default=None,
        words="",
        evaluate=lambda configuration: math.nan,
        initial=partial(initial, space, name),
    )


def _direction(text: str) -> Direction:
    if text not in ("minimize", "maximize"):
        raise UsageError(f"--direction is minimize or maximize, not {text!r}.")
    return cast(Direction, text)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def _scaled(space: Space, rows: Array) -> Array:
    onehot = np.array([column.kind == "onehot" for column in space.columns], dtype=bool)
    return np.where(onehot, rows / math.sqrt(2.0), rows)
