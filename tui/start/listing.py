"""What the first screen lists, as plain data: runs, tasks and the example, and what one may do with each."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunesmith.text.literal import one_line
from tunesmith.text.numbers import metric
from tunesmith.time_left import about
from tunesmith.tools.records.run_list import ListedRun
from tunesmith.tui.spans import Role, Spans

Act = Literal["look", "go on", "start", "example"]
RESUMABLE = ("interrupted", "stopped", "waiting", "failed")
"""States of a run that can go on by itself."""
LEFT: dict[str, int] = {
    "running": 0,
    "interrupted": 1,
    "stopped": 1,
    "waiting": 1,
    "failed": 2,
    "finished": 3,
}
"""Order of the states in the list."""
ROLES: dict[str, Role] = {"running": "good", "interrupted": "warn", "stopped": "warn", "failed": "bad"}
WIDEST = 32
"""Characters of a name."""


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    id: str
    """Stays the same while the list is read anew; unique."""
    spans: Spans
    acts: tuple[Act, ...]
    """What one may do with it, the first by enter."""
    path: Path | None = None
    """The run's folder, or the task file."""


@dataclass(frozen=True)
class Section:
    title: str
    rows: tuple[Row, ...]


def in_order(runs: Sequence[ListedRun]) -> list[ListedRun]:
    """Running ones, those that can go on, the finished ones; the newest first among each."""
    return sorted(runs, key=lambda run: (LEFT.get(run.state, 4), -(run.began or 0.0)))


def acts_of(run: ListedRun) -> tuple[Act, ...]:
    return ("go on", "look") if run.state in RESUMABLE else ("look",)


def command_for(act: Act, path: Path) -> str:
    """The command that does the same, for a shell."""
    shown = str(path)
    if act in ("look", "go on") and path.parent == Path("runs"):
        shown = path.name
    shown = shlex.quote(shown if not shown.startswith("-") else f"./{shown}")
    return {
        "look": f"tunesmith attach {shown}",
        "go on": f"tunesmith attach {shown} --resume",
        "start": f"tunesmith chat {shown}",
        "example": "",
    }[act]


def sections(
    runs: Sequence[ListedRun], tasks: Sequence[Path], now: float, *, here: Path = Path(), most: int = 200
) -> list[Section]:
    """The parts of the list that have something in them; the example is always the last.

    Args:
        now: Unix time, for how long ago a run began.
        here: The folder; tasks below it are named without it.
        most: Runs and tasks that are shown, each.
    """
    shown = in_order(runs)[:most]
    cells = [_cells(run, now) for run in shown]
    wide = [max((len(row[i][0]) for row in cells), default=0) for i in range(5)]
    found = []
    if shown:
        lines = (
            Row(f"run {run.path}", _padded(row, wide), acts_of(run), run.path)
            for run, row in zip(shown, cells, strict=True)
        )
        more = f", the first {most} of {len(runs)}" if len(runs) > most else ""
        found.append(Section(f"Runs{more}", tuple(lines)))
    if tasks:
        lines = (
            Row(f"task {task}", ((one_line(str(beside(task, here)), 100), ""),), ("start",), task)
            for task in tasks[:most]
        )
        more = f", the first {most} of {len(tasks)}" if len(tasks) > most else ""
        found.append(Section(f"Tasks{more}", tuple(lines)))
    text: Spans = (
        ("the example", ""),
        ("  two spirals and a small network; 30 trials of about a second", "dim"),
    )
    return [*found, Section("Try it", (Row("example", text, ("example",)),))]


def _cells(run: ListedRun, now: float) -> list[tuple[str, Role]]:
    of = "" if run.total is None else f" of {run.total}"
    age = "" if run.began is None else f"{about(max(now - run.began, 0.0))} ago"
    best = "" if run.best is None else f"best {metric(run.best)}"
    return [
        (one_line(run.name, WIDEST), ""),
        (run.state, ROLES.get(run.state, "dim")),
        (best, "best"),
        (f"{run.trials}{of} trials", ""),
        (age, "dim"),
    ]


def _padded(cells: list[tuple[str, Role]], wide: list[int]) -> Spans:
    return tuple((text.ljust(width) + "  ", role) for (text, role), width in zip(cells, wide, strict=True))


def beside(path: Path, here: Path) -> Path:
    """The path as seen from `here`, where it is below."""
    return path.relative_to(here) if path.is_relative_to(here) else path
