"""Pictures of the run itself: what its workers did when, and what matters among the hyperparameters."""

from __future__ import annotations

from tunesmith.text.durations import spelled_duration
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.pictures import WORKS
from tunesmith.tools.report.shapes import Grid, Label, Picture, Scale, Shape, told

LEFT, RIGHT = 90.0, 745.0
ROW = 26.0
"""Height of a worker, pixels."""
SLOTS = 32
"""Workers that are drawn."""
_DRAWN = ("completed", "pruned", "running", "interrupted")


def importance(data: ReportData) -> Picture | None:
    """Bars of importance with their intervals; None where the surrogate knows nothing."""
    beliefs = None if data.pictures is None else data.pictures.beliefs
    known = [] if beliefs is None else [p for p in beliefs.parameters if p.importance is not None][:20]
    if beliefs is None or not known:
        return None
    left = 190.0
    x = Scale(0.0, 1.0, left, RIGHT)
    shapes, labels = [], []
    for place, each in enumerate(known):
        share, top = each.importance or 0.0, 10.0 + ROW * place
        title = f"{each.name}: {share:.0%} of what the surrogate explains"
        low, high = each.importance_low, each.importance_high
        if low is not None and high is not None:
            title += f", probably {low:.0%} to {high:.0%}"
        if each.flat:
            title += "; flat, as far as can be told"
        shapes.append(Shape("bar", "share", left, top, max(1.0, x.at(share) - left), ROW - 8, title=title))
        if low is not None and high is not None:
            middle = top + (ROW - 8) / 2
            ends = f"{x.at(low):g},{middle:g} {x.at(high):g},{middle:g}"
            shapes.append(Shape("line", "whisker", points=ends, title=title))
        name = each.name if len(each.name) <= 24 else each.name[:23] + "…"
        labels.append(Label(left - 8, top + 14, name, "end", "name"))
    bottom = 10.0 + ROW * len(known)
    labels += [Label(x.at(at), bottom + 16, f"{at:.0%}") for at in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return Picture(
        key="importance",
        title="What matters",
        summary="; ".join(f"{p.name} {p.importance or 0.0:.0%}" for p in known[:8]),
        shapes=tuple(shapes),
        labels=tuple(labels),
        grid=(Grid(left, 4.0, left, bottom, "axis"),),
        height=bottom + 26,
        trials=False,
        note=f"Share of the variance that the surrogate explains; thin: an 80 % interval. {beliefs.basis}",
    )


def workers(data: ReportData) -> Picture | None:
    """The workers' timeline; None where no trial was seen to start."""
    found = None if data.pictures is None else data.pictures.timeline
    if found is None or found.total_s <= 0:
        return None
    lines = {line.number: line for line in data.trials}
    start = found.works[0].start_s if len(found.works) >= WORKS else 0.0
    x = Scale(start, max(found.total_s, start + 1e-3), LEFT, RIGHT)
    slots = min(found.slots, SLOTS)
    bottom = 10.0 + ROW * slots
    shapes = []
    for gap in found.gaps:
        if gap.slot < slots and gap.end_s > start:
            begin = x.at(gap.start_s)
            seconds = spelled_duration(gap.end_s - gap.start_s)
            title = f"Worker {gap.slot + 1} free for {seconds}: {gap.reason}"
            y = 10.0 + ROW * gap.slot + 8
            shapes.append(Shape("bar", "gap", begin, y, max(0.5, x.at(gap.end_s) - begin), 6.0, title=title))
    for work in found.works:
        if work.slot < slots:
            begin, line = x.at(work.start_s), lines.get(work.number)
            seconds = spelled_duration(work.end_s - work.start_s)
            title = f"Trial {work.number}, {work.state}" if line is None else told(line, data.metric)
            kind = work.state if work.state in _DRAWN else "failed"
            y, width = 10.0 + ROW * work.slot, max(1.0, x.at(work.end_s) - begin)
            shape = Shape("bar", f"work {kind}", begin, y, width, ROW - 6)
            shapes.append(shape._replace(number=work.number, title=f"{title}; {seconds}"))
    labels = [Label(LEFT - 8, 10.0 + ROW * slot + 14, f"worker {slot + 1}", "end") for slot in range(slots)]
    spans = [start + share * (x.high - start) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    labels += [Label(x.at(at), bottom + 16, spelled_duration(at)) for at in spans]
    waits = "; ".join(f"{reason}: {spelled_duration(s)}" for reason, s in list(found.waited.items())[:6])
    note = f"Workers ran trials for {found.busy:.0%} of their time." if found.slots else ""
    if waits:
        note += f" Free, over all workers: {waits}."
    if len(found.works) >= WORKS:
        note += f" Only the last {WORKS} trials are drawn."
    if found.slots > slots:
        note += f" {found.slots - slots} further workers are not drawn."
    return Picture(
        key="workers",
        title="Workers",
        summary=note,
        shapes=tuple(shapes),
        labels=tuple(labels),
        grid=tuple(Grid(x.at(at), 4.0, x.at(at), bottom) for at in found.sessions[1:] if at >= start),
        height=bottom + 26,
        note=note + " Vertical lines: the run went on in a new session." * (len(found.sessions) > 1),
    )
