"""Incidents as lines of the terminal: the groups, or one of them in full."""

from __future__ import annotations

import time
from collections.abc import Sequence
from textwrap import wrap

from rich.cells import cell_len, set_cell_size

from tunesmith.text.literal import literal
from tunesmith.text.numbers import counted
from tunesmith.tui.incidents import FURTHER, KINDS, MOST_KEPT, Group, Incident, Incidents
from tunesmith.tui.spans import Role, Span, Spans

TRACEBACK_LINES = 12


def clock(at: float) -> str:
    """`14:03:22`, local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def counts_line(incidents: Incidents) -> Spans:
    """`3 crashed · 12 pruned`, the worst kind first."""
    line: list[Span] = []
    for kind, (word, role) in KINDS.items():
        number = incidents.counts.get(kind, 0)
        if number:
            line += [(" · ", "dim")] * bool(line)
            line += [(f"{number:,} ", "strong"), (word, role)]
    return tuple(line)


def group_lines(incidents: Incidents, width: int, height: int, cursor: int = 0) -> list[Spans]:
    """How many of each kind, then a line for each group, the one with the latest incident first.

    Args:
        width: Cells.
        height: Lines; the groups are scrolled so that the one under the cursor is among them.
        cursor: Place of that group.
    """
    if not incidents.total:
        return [fit((("Nothing failed, was pruned or left out so far.", "dim"),), width)][:height]
    lines = _wrapped(counts_line(incidents), width)[: max(1, height // 3)]
    groups = incidents.groups
    room = max(height - len(lines), 1)
    top = _top(cursor, len(groups), room)
    several = max(len(f"{group.count:,}") for group in groups)
    longest = max(len(KINDS[group.kind][0]) for group in groups) if width >= 70 else 0
    for place, group in enumerate(groups[top : top + room], top):
        lines.append(_group_line(group, width, several, longest, place == cursor))
    return lines[:height]


def _group_line(group: Group, width: int, several: int, longest: int, chosen: bool) -> Spans:
    word, role = KINDS[group.kind]
    latest = group.latest
    head: list[Span] = [
        ("❯ " if chosen else "  ", "accent"),
        (f"{group.count:{several},}× ", "strong"),
        (f"{word:<{longest}} ", role),
    ]
    if width >= 50:
        head.insert(1, (f"{clock(latest.at)} ", "dim"))
    if latest.trial is not None:
        head.append((f"#{latest.trial} ", "strong"))
    cause = f"{FURTHER}, the latest: {latest.cause}" if group.key == FURTHER else latest.cause
    return fit((*head, (cause, "strong" if chosen else "")), width)


def detail_lines(group: Group, width: int, height: int, cursor: int = 0, top: int = 0) -> list[Spans]:
    """One group: its latest incidents, newest first, the one under the cursor in full.

    Args:
        width: Cells.
        height: Lines.
        cursor: Place of the incident that is shown in full.
        top: How far the incident that is shown in full was scrolled, in lines.
    """
    word, role = KINDS[group.kind]
    kept = list(reversed(group.kept))
    head: list[Span] = [(f"{group.count:,}× ", "strong"), (word, role)]
    if group.count > len(kept):
        head.append((f"  the latest {min(MOST_KEPT, len(kept))} of them", "dim"))
    full = incident_lines(kept[cursor], width)
    room = max(height - 1 - min(len(full), max(height // 2, 3)), 1)
    first = _top(cursor, len(kept), room)
    lines = [fit(tuple(head), width)]
    for place, incident in enumerate(kept[first : first + room], first):
        lines.append(_incident_line(incident, width, place == cursor))
    left = max(height - len(lines), 0)
    top = max(0, min(top, len(full) - left))
    return (lines + full[top : top + left])[:height]


def _incident_line(incident: Incident, width: int, chosen: bool) -> Spans:
    where = "" if incident.trial is None else f"#{incident.trial} "
    return fit(
        (
            ("❯ " if chosen else "  ", "accent"),
            (f"{clock(incident.at)} ", "dim"),
            (where, "strong"),
            (incident.cause, "strong" if chosen else ""),
        ),
        width,
    )


def incident_lines(incident: Incident, width: int) -> list[Spans]:
    """The cause in full, what was done, where the log is, and the end of the traceback."""
    lines: list[Spans] = [()]
    lines += _paragraph("cause", incident.cause, "", width)
    if incident.done:
        lines += _paragraph("then", incident.done, "", width)
    if incident.trial is not None:
        lines += _paragraph("trial", f"{incident.trial}  (⏎ its details, l its log)", "", width)
        lines += _paragraph("log", f"trials/{incident.trial:05d}/log.txt in the run's folder", "", width)
    traceback = literal(incident.traceback).strip().split("\n") if incident.traceback.strip() else []
    if len(traceback) > TRACEBACK_LINES:
        lines.append(((f"… {counted(len(traceback) - TRACEBACK_LINES, 'line')} before, in the log", "dim"),))
    for text in traceback[-TRACEBACK_LINES:]:
        lines += [((part, "dim"),) for part in _cut_up(f"  {text}", width)]
    return lines


def shown_incidents(group: Group) -> Sequence[Incident]:
    """Those that `detail_lines` lists, in its order."""
    return tuple(reversed(group.kept))


def _paragraph(name: str, text: str, role: Role, width: int) -> list[Spans]:
    lines: list[Spans] = []
    for number, part in enumerate(wrap(text, max(width - 7, 10)) or [""]):
        lines += [fit(((f"{'' if number else name:<7}", "dim"), (part, role)), width)]
    return lines


def _cut_up(text: str, width: int) -> list[str]:
    return wrap(text, max(width, 10), drop_whitespace=False, subsequent_indent="    ")[:4] or [""]


def _wrapped(spans: Spans, width: int) -> list[Spans]:
    """Broken before a separator where a line is full."""
    lines: list[list[Span]] = [[]]
    used = 0
    parts: list[list[Span]] = []
    for span in spans:
        if span[0] == " · " or not parts:
            parts.append([])
        parts[-1].append(span)
    for part in parts:
        long = sum(cell_len(text) for text, _ in part)
        if used and used + long > width:
            part, used = part[1:], 0
            lines.append([])
        lines[-1] += part
        used += long
    return [fit(tuple(line), width) for line in lines]


def fit(spans: Spans, width: int) -> Spans:
    """At most `width` cells, the last one an ellipsis where some are left out."""
    if sum(cell_len(text) for text, _ in spans) <= width:
        return spans
    kept: list[Span] = []
    room = max(width - 1, 0)
    for text, role in spans:
        long = cell_len(text)
        if long > room:
            kept.append((set_cell_size(text, room).rstrip() + "…" * (width > 0), role))
            break
        kept.append((text, role))
        room -= long
    return tuple(kept)


def _top(cursor: int, total: int, room: int) -> int:
    """The first row that is shown, so that the cursor's is among `room` of them."""
    return max(0, min(cursor - room // 2, total - room))
