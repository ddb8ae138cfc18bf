"""What each worker ran when, and why one was free: a row a worker over the run's time."""

from __future__ import annotations

from math import ceil

from rich.cells import set_cell_size

from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
from tunesmith.tools.analysis.timeline import Gap, Timeline, Work
from tunesmith.tui.canvas.chart import fitted
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Role, Span, Spans

FILL: dict[str, tuple[str, Role]] = {
    "completed": ("█", "accent"),
    "pruned": ("▓", "dim"),
    "running": ("▒", "good"),
    "interrupted": ("?", "warn"),
    "lost": ("?", "warn"),
}
FAILED: tuple[str, Role] = ("x", "bad")
MANY: tuple[str, Role] = ("≡", "accent")
"""Several trials in one column."""
FREE = "·"
LETTERS = "abcdefghij"
"""Of the reasons to wait, the longest one first."""
STEPS = (*(1.0, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800), *(3600.0 * h for h in (1, 2, 3, 6, 12, 24)))
"""Seconds between two times on the axis."""
LEAST_COLUMNS = 10
WINDOWS = (0.0, 3600.0, 600.0, 120.0)
"""Seconds up to the end that may be shown; 0: all."""


def timeline_plot(data: Timeline, size: tuple[int, int], window: int = 0) -> list[Spans]:
    """Rows of the workers, then how busy they were and what they waited for, the longest first.

    Args:
        window: Place in WINDOWS, counted around.
    """
    width, height = max(size[0], 1), max(size[1], 1)
    if not data.works and not data.gaps:
        return empty(size, "no trial has started yet")
    gutter = min(len(f"worker {data.slots}") + 1, width // 3)
    columns = max(width - gutter, LEAST_COLUMNS)
    last = WINDOWS[window % len(WINDOWS)]
    start = max(data.total_s - last, 0.0) if last else 0.0
    span = max(data.total_s - start, 1e-9)
    # Reasons first get half of what is left below the head and the axis.
    marks = {reason: LETTERS[k] for k, reason in enumerate(data.waited) if k < len(LETTERS)}
    reasons = _reasons(data, marks, width)
    tail = min(len(reasons), max(height - 4, 0) // 2)
    room = max(height - 3 - tail, 1)
    rows = min(data.slots, room)
    lines: list[Spans] = [_head(data, start, last, data.slots - rows)]
    by_slot: dict[int, list[Work]] = {}
    for work in data.works:
        if work.end_s >= start:
            by_slot.setdefault(work.slot, []).append(work)
    least = span / columns / 2  # a shorter one has no column of its own
    gaps: dict[int, list[Gap]] = {}
    for gap in data.gaps:
        if gap.end_s > start and gap.end_s - gap.start_s >= least:
            gaps.setdefault(gap.slot, []).append(gap)
    for slot in range(rows):
        works = by_slot.get(slot, [])
        name = set_cell_size(f"worker {slot + 1}", gutter)
        free = [gap for gap in gaps.get(slot, []) if gap.reason in marks]
        waits = [(*_columns(gap.start_s, gap.end_s, start, span, columns), marks[gap.reason]) for gap in free]
        lines.append(((name, "dim"), *_row(works, waits, data, start, span, columns)))
    lines.append(_axis(start, span, columns, gutter))
    lines.append(_legend(data))
    return fitted([*lines, *reasons[:tail]], width, height)


def _head(data: Timeline, start: float, last: float, hidden: int) -> Spans:
    shown = f"the last {duration(last)}" if last and start > 0 else f"all {duration(data.total_s)}"
    head: list[Span] = [("workers", "strong"), (f"  busy {data.busy:.0%} of their time", "")]
    head.append((f"  showing {shown} (up, down)", "dim"))
    if hidden:
        head.append((f"  {hidden} more workers do not fit", "warn"))
    return tuple(head)


def _row(
    works: list[Work],
    waits: list[tuple[int, int, str]],
    data: Timeline,
    start: float,
    span: float,
    columns: int,
) -> list[Span]:
    cells: list[Span] = [(FREE, "dim")] * columns
    for first, stop, mark_of_reason in waits:
        cells[first:stop] = [(mark_of_reason, "warn")] * (stop - first)
    counts = [0] * columns
    placed: list[tuple[int, int, Work]] = []
    for work in works:
        first, stop = _columns(work.start_s, work.end_s, start, span, columns)
        if stop - first == 1 and counts[first] > 1:
            continue  # of very many trials most are in such a column
        mark = FILL.get(work.state, FAILED)
        for column in range(first, stop):
            counts[column] += 1
            cells[column] = mark if counts[column] == 1 else MANY
        if stop - first > 1:
            placed.append((first, stop, work))
    for first, stop, work in placed:
        text = f" {work.number} "
        if stop - first >= len(text) + 2 and max(counts[first:stop]) == 1:
            middle = first + (stop - first - len(text)) // 2
            for k, letter in enumerate(text):
                cells[middle + k] = (letter, "strong")
        elif counts[first] == 1 and first > 0 and cells[first - 1][0] == cells[first][0]:
            cells[first] = ("▌", cells[first][1])  # a seam between neighbours
    for session in data.sessions[1:]:
        if session > start:
            cells[min(int((session - start) / span * columns), columns - 1)] = ("┃", "warn")
    return _merged(cells)


def _columns(begin: float, end: float, start: float, span: float, columns: int) -> tuple[int, int]:
    first = int(max(begin - start, 0.0) / span * columns)
    stop = int(max(end - start, 0.0) / span * columns + 0.5)
    first = min(first, columns - 1)
    return first, min(max(stop, first + 1), columns)


def _merged(cells: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for text, role in cells:
        if merged and merged[-1][1] == role:
            merged[-1] = (merged[-1][0] + text, role)
        else:
            merged.append((text, role))
    return merged


def _axis(start: float, span: float, columns: int, gutter: int) -> Spans:
    texts = [" "] * columns
    used = -1
    name = "  run time" if columns >= 40 else ""
    step = next((s for s in STEPS if span / s <= max(columns // 12, 1)), span)
    first = ceil(start / step)
    for k in range(first, first + columns // 12 + 1):
        text = duration(k * step)
        at = max(round((k * step - start) / span * columns) - (len(text) // 2 if k else 0), 0)
        if at > used and at + len(text) <= columns - len(name):
            texts[at : at + len(text)] = text
            used = at + len(text)
    texts[columns - len(name) :] = name
    return ((" " * gutter + "".join(texts), "dim"),)


def _legend(data: Timeline) -> Spans:
    legend: list[Span] = []
    states = {work.state for work in data.works}
    failed = states - FILL.keys()
    for state, (mark, role) in FILL.items():
        if state in states:
            legend += [(mark, role), (f" {state}  ", "dim")]
    if failed:
        legend += [FAILED, (" failed  ", "dim")]
    legend += [(FREE, "dim"), (" free; letters: why, below  ", "dim")]
    if len(data.sessions) > 1:
        legend += [("┃", "warn"), (" continued  ", "dim")]
    return tuple(legend)


def _reasons(data: Timeline, marks: dict[str, str], width: int) -> list[Spans]:
    lines: list[Spans] = []
    for gap in data.free_now:
        lines.append(((f"worker {gap.slot + 1} is free now: ", "warn"), (one_line(gap.reason, 200), "")))
    for reason, seconds in data.waited.items():
        mark = marks.get(reason, FREE)
        text = one_line(reason, max(width - 11, 10))
        lines.append(((mark, "warn"), (f" {duration(seconds):>8} ", ""), (text, "dim")))
    return lines
