"""What a run believes, as lines of spans: for the pane, for one hyperparameter, and for `tunesmith beliefs`.

Bars are probabilities by cell of a range, drawn in eighths of a character; the highest one is full.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from tunesmith.beliefs import Beliefs, Incumbent, ParameterBelief, Slice, Source
from tunesmith.stated_prior import label_of
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import DASH, counted, metric, prediction
from tunesmith.tui.spans import Role, Span, Spans

BLOCKS = " ▁▂▃▄▅▆▇█"
NAME_MOST, BAR_MOST = 22, 32
"""Cells of a name and of a histogram in a row, at most."""
SHARE = 5
"""Cells of the importance."""
LEAST_SHOWN = 0.005
"""Share of a source below which it is not named."""
MOST_NEXT = 4
LABELS = {"results": "results of this run", "none": "nothing: all values alike", "person": "a person"}


def histogram(cells: Sequence[float], width: int) -> str:
    """Probabilities by cell as one row of blocks, `width` cells at most; a cell is never drawn in two."""
    return "".join(BLOCKS[level] for level in _levels(_resampled(cells, width), 1)[0])


def tall_histogram(cells: Sequence[float], width: int, height: int) -> list[str]:
    """The same in `height` rows, top row first."""
    rows = _levels(_resampled(cells, width), height)
    return ["".join(BLOCKS[level] for level in row) for row in rows]


def _resampled(cells: Sequence[float], width: int) -> list[float]:
    """Sums over neighbouring cells, so that they fit; each cell as wide as there is room for."""
    width, n = max(width, 1), len(cells)
    if n > width:
        edges = [round(i * n / width) for i in range(width + 1)]
        return [sum(cells[a:b]) / (b - a) for a, b in zip(edges, edges[1:], strict=False)]
    times = width // n
    return [value for value in cells for _ in range(times)]


def _levels(values: Sequence[float], height: int) -> list[list[int]]:
    """Eighths filled of each character, (height, n), top row first."""
    top = max(values, default=0.0)
    filled = [round(8 * height * value / top) if top > 0 else 0 for value in values]
    return [[min(max(f - 8 * row, 0), 8) for f in filled] for row in reversed(range(height))]


def report_lines(beliefs: Beliefs, width: int) -> list[Spans]:
    """Everything for a person who reads it once, such as the output of a command."""
    after = f"After {counted(beliefs.finished, 'trial')}, by {one_line(beliefs.basis, 200)}."
    lines: list[Spans] = [
        *_wrapped("", after, width, ""),
        *head_lines(beliefs, width),
        (),
    ]
    for parameter in beliefs.parameters:
        lines.append(parameter_row(parameter, beliefs, width))
        told = [_sources(parameter.sources)]
        if parameter.moved:
            told.insert(0, one_line(parameter.moved, 200))
        lines += _wrapped("  ", "; ".join(told), width, "dim")
    return [_fitted(line, width) for line in lines]


def head_lines(beliefs: Beliefs, width: int) -> list[Spans]:
    """Faults, the best, what is expected, whether to go on: a line each, wrapped."""
    lines: list[Spans] = []
    for fault in beliefs.faults:
        lines += _wrapped("! ", one_line(fault, 300), width, "warn")
    for label, said, role in _said(beliefs):
        lines += _wrapped(f"{label:12}", said, width, role, (12, "dim"))
    return lines


def _said(beliefs: Beliefs) -> list[tuple[str, str, Role]]:
    said: list[tuple[str, str, Role]] = []
    if (best := beliefs.best) is not None and best.measured is not None:
        text = f"trial {best.number}: {metric(best.measured)}, expected over seeds {_expected(best)}"
        said.append(("best so far", text, "strong"))
    if (found := beliefs.predicted) is not None:
        where = one_line(found.text, 200)
        if found.number is not None and best is not None and found.number == best.number:
            said.append(("predicted", "no other configuration is expected to be better", ""))
        else:
            tried = "" if found.number is None else f" (trial {found.number})"
            said.append(("predicted", f"{_expected(found)} at {where}{tried}", ""))
    if beliefs.progress is not None:
        said.append(("progress", one_line(beliefs.progress.text, 200), ""))
    if beliefs.calibration is not None:
        said.append(("calibration", one_line(beliefs.calibration.text, 200), ""))
    for each in beliefs.next[:MOST_NEXT]:
        said.append(("running", f"trial {each.number}: {one_line(each.text, 200)}", ""))
    return said


def _expected(one: Incumbent) -> str:
    return prediction(one.mean, one.spread)


def parameter_row(parameter: ParameterBelief, beliefs: Beliefs, width: int, chosen: bool = False) -> Spans:
    """Name, how much it matters, where the best value is: one line."""
    names = max((min(cell_len(one_line(p.name)), NAME_MOST) for p in beliefs.parameters), default=1)
    name = set_cell_size(one_line(parameter.name), names)
    bar = min(BAR_MOST, max(8, (width - names - SHARE - 30) // 2 * 2))
    shown = width >= names + SHARE + 8 + 20
    spans: list[Span] = [
        ("› " if chosen else "  ", "accent"),
        (name, "strong" if chosen else ""),
        (" ", ""),
        *_matters(parameter),
        ("  ", ""),
    ]
    if shown:
        spans += [(histogram(parameter.posterior, bar).ljust(bar), "accent"), ("  ", "")]
    spans += _where(parameter)
    if parameter.active < 0.995:
        spans.append((f" if used ({parameter.active:.0%})", "dim"))
    return _fitted(tuple(spans), width)


def _matters(parameter: ParameterBelief) -> list[Span]:
    if parameter.importance is None:
        return [(DASH.rjust(SHARE - 1) + " ", "dim")]
    if parameter.flat:
        return [("flat".rjust(SHARE), "dim")]
    return [(f"{parameter.importance:.0%}".rjust(SHARE), "strong" if parameter.importance >= 0.2 else "")]


def _where(parameter: ParameterBelief) -> list[Span]:
    expected = one_line(parameter.expected, 40)
    if not parameter.low:
        return [(expected, "strong"), (f" ({parameter.probability:.0%})", "dim")]
    low, high = one_line(parameter.low, 40), one_line(parameter.high, 40)
    if parameter.unsure:
        return [(f"unsure: {low} to {high}", ""), (f", perhaps {expected}", "dim")]
    return [(expected, "strong"), (f" ({low} to {high})", "dim")]


def _sources(sources: Sequence[Source]) -> str:
    shown = [source for source in sources if source.weight >= LEAST_SHOWN]
    return "by " + ", ".join(f"{_short(source.name)} {source.weight:.0%}" for source in shown)


def _short(name: str) -> str:
    """A source in a word or two."""
    if name in ("results", "none", "person"):
        return "no source" if name == "none" else name
    return one_line(label_of(name).removeprefix("the "), 40)


def pane_lines(beliefs: Beliefs | None, width: int, height: int, chosen: int = 0) -> list[Spans]:
    """As many lines as fit: what is doubtful first, then a row for each hyperparameter, then the rest.

    Args:
        chosen: Which hyperparameter the cursor is on; rows around it are shown where not all fit.
    """
    if beliefs is None:
        waiting: Spans = (("being computed from the records …", "dim"),)
        return [waiting][:height]
    if width < 1 or height < 1:
        return []
    head = head_lines(beliefs, width)
    count = len(beliefs.parameters)
    rows = max(min(count, height - min(len(head), height // 2)), min(count, 1))
    first = min(max(chosen - rows // 2, 0), max(count - rows, 0))
    lines = [
        parameter_row(parameter, beliefs, width, chosen=first + i == chosen)
        for i, parameter in enumerate(beliefs.parameters[first : first + rows])
    ]
    room = height - len(lines)
    basis: list[Spans] = [_fitted(((one_line(f"by {beliefs.basis}", 200), "dim"),), width)]
    return [_fitted(line, width) for line in [*lines, *head[:room], *basis][:height]]


def detail_lines(parameter: ParameterBelief, beliefs: Beliefs, width: int) -> list[Spans]:
    """One hyperparameter: before and now, sources, how it moved, importance, the metric along it."""
    lines: list[Spans] = [
        ((one_line(parameter.name, 60), "strong"), (f"  {parameter.kind}", "dim")),
        (("best value  ", "dim"), *_where(parameter)),
    ]
    if parameter.active < 0.995:
        lines.append(((f"the best configuration uses it with {parameter.active:.0%} probability", "dim"),))
    lines += _importance(parameter, width)
    if parameter.moved:
        lines += _wrapped("moved       ", one_line(parameter.moved, 200), width, "", (12, "dim"))
    listed = len(parameter.ticks) == len(parameter.posterior)
    lines.append(())
    if listed:
        lines += _choices(parameter, width)
    else:
        bar = min(max(width - 10, 8), 64)
        for label, cells, role in (
            ("before", parameter.prior, "dim"),
            ("now", parameter.posterior, "accent"),
        ):
            for i, row in enumerate(tall_histogram(cells, bar, 3)):
                lines.append(((f"{label if i == 2 else '':8}", "dim"), (row, role)))  # type: ignore[arg-type]
        drawn = len(_resampled(parameter.posterior, bar))
        lines.append(((" " * 8 + _axis(parameter.ticks, drawn), "dim"),))
    lines += [(), (("where this comes from", "dim"),)]
    for source in parameter.sources:
        if source.weight >= LEAST_SHOWN or source.text:
            label = LABELS.get(source.name) or label_of(source.name)
            text = f": {one_line(source.text, 120)}" if source.text else ""
            lines += _wrapped(
                f"{source.weight:5.0%}  ", f"{one_line(label, 60)}{text}", width, "", (7, "strong")
            )
    if parameter.slice is not None:
        lines += [(), *_slice(parameter.slice, parameter, beliefs, width)]
    return [_fitted(line, width) for line in lines]


def _importance(parameter: ParameterBelief, width: int) -> list[Spans]:
    if parameter.importance is None:
        return []
    text = f"{parameter.importance:.0%} of the variance"
    if parameter.importance_low is not None and parameter.importance_high is not None:
        text += f" ({parameter.importance_low:.0%} to {parameter.importance_high:.0%})"
    if parameter.flat:
        text += "; the metric hardly changes along it, as far as can be told"
    return _wrapped("matters     ", text, width, "", (12, "dim"))


def _choices(parameter: ParameterBelief, width: int) -> list[Spans]:
    names = [one_line(tick, 30) for tick in parameter.ticks]
    longest = max(map(cell_len, names))
    bar = max(min(width - longest - 22, 30), 4)
    lines: list[Spans] = []
    for name, before, now in zip(names, parameter.prior, parameter.posterior, strict=True):
        filled = "█" * round(bar * now)
        lines.append(
            (
                (f"  {set_cell_size(name, longest)}  ", ""),
                (filled.ljust(bar), "accent"),
                (f" {now:4.0%}", "strong"),
                (f"  before {before:.0%}", "dim"),
            )
        )
    return lines


def _slice(found: Slice, parameter: ParameterBelief, beliefs: Beliefs, width: int) -> list[Spans]:
    """Predicted metric along it: a column each, low to high, and the ends in words."""
    lines: list[Spans] = [
        ((f"predicted {one_line(beliefs.metric, 40)} along it, the others as in the predicted best", "dim"),)
    ]
    if isinstance(found.values[0], str | bool) or len(found.values) <= 4:
        for value, mean, low, high in zip(found.values, found.mean, found.low, found.high, strict=True):
            lines.append(
                (
                    (f"  {one_line(value, 30):12} ", ""),
                    (metric(mean), "strong"),
                    (f" ({metric(low)} to {metric(high)})", "dim"),
                )
            )
        return lines
    bottom, top = min(found.mean), max(found.mean)
    span = top - bottom
    height = [0.05 + 0.95 * (mean - bottom) / span if span > 0 else 0.5 for mean in found.mean]
    times = max(min((width - 10) // len(height), 2), 1)
    stretched = [value for value in height for _ in range(times)]
    for i, row in enumerate(_levels([*stretched, 1.0], 3)):
        label = metric(top) if i == 0 else metric(bottom) if i == 2 else ""
        lines.append(((f"{label:>8} ", "dim"), ("".join(BLOCKS[level] for level in row[:-1]), "good")))
    lines.append(((" " * 9 + _axis(parameter.ticks, len(stretched)), "dim"),))
    return lines


def _axis(ticks: Sequence[str], width: int) -> str:
    """Low end to the left, high end to the right, the middle between where there is room."""
    low, *middle, high = (one_line(tick, 20) for tick in ticks)
    room = width - len(low) - len(high)
    if not middle or room < len(middle[0]) + 2:
        return low + " " * max(room, 1) + high
    left = max((width - len(middle[0])) // 2 - len(low), 1)
    return low + " " * left + middle[0] + " " * max(room - left - len(middle[0]), 1) + high


def _wrapped(
    head: str, text: str, width: int, role: Role, label: tuple[int, Role] | None = None
) -> list[Spans]:
    """`head` and the text, broken at blanks; further lines are indented as far as the head is wide."""
    room = max(width - len(head), 12)
    lines: list[str] = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= room or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    of_head: Role = role if label is None else label[1]
    return [((head if i == 0 else " " * len(head), of_head), (line, role)) for i, line in enumerate(lines)]


def _fitted(line: Spans, width: int) -> Spans:
    """The line cut at the margin, in cells: a character may be two wide."""
    room, kept = width, list[Span]()
    for text, role in line:
        if room <= 0:
            break
        shown = text if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"
        kept.append((shown, role))
        room -= cell_len(shown)
    return tuple(kept)
