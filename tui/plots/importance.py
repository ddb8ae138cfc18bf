"""How much of the metric's variance each hyperparameter explains, as bars with their intervals."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tunesmith.beliefs import Beliefs, ParameterBelief
from tunesmith.text.literal import one_line
from tunesmith.tui.canvas.chart import fitted
from tunesmith.tui.plots.empty import empty
from tunesmith.tui.spans import Span, Spans

_EIGHTHS = " ▏▎▍▌▋▊▉"
WIDEST_NAME = 24
NUMBER_WIDTH = 20
"""Of `62 % (48 to 75)` and the space before it."""


def importance_plot(beliefs: Beliefs | None, size: tuple[int, int]) -> list[Spans]:
    """A bar a hyperparameter, the most important first; full width is all of the variance."""
    if beliefs is None or all(each.importance is None for each in beliefs.parameters):
        why = "the surrogate explains nothing yet" if beliefs is None else one_line(beliefs.basis, 200)
        return empty(size, "what matters is not known yet", why)
    width, height = size
    known = [each for each in beliefs.parameters if each.importance is not None]
    widest = min(max(cell_len(one_line(each.name, WIDEST_NAME)) for each in known), WIDEST_NAME, width // 3)
    room = max(width - widest - 1 - NUMBER_WIDTH, 1)
    shown = known[: max(height - 1, 1)]
    lines: list[Spans] = [_head(beliefs, len(known) - len(shown))]
    lines += [_bar(each, widest, room) for each in shown]
    return fitted(lines, max(width, 1), max(height, 1))


def _head(beliefs: Beliefs, hidden: int) -> Spans:
    head: list[Span] = [(f"share of the variance of {one_line(beliefs.metric, 40)}", "strong")]
    head.append((f"  from {beliefs.used} trials; ━ 80 % interval", "dim"))
    if hidden:
        head.append((f"  {hidden} more below the edge", "dim"))
    return tuple(head)


def _bar(each: ParameterBelief, widest: int, room: int) -> Spans:
    share = min(max(each.importance or 0.0, 0.0), 1.0)
    name = one_line(each.name, widest)
    eighths = round(share * room * 8)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[rest] if rest else "")
    bar = bar or "▏"
    low, high = each.importance_low, each.importance_high
    interval, numbers = "", f" {share:.0%}"
    if low is not None and high is not None:
        reach = round(min(max(high, 0.0), 1.0) * room)
        interval = "━" * max(reach - len(bar), 0)
        numbers += f" ({low:.0%} to {high:.0%})"
    return (
        (set_cell_size(name, widest) + " ", "dim" if each.flat else ""),
        (bar, "dim" if each.flat else "accent"),
        (interval, "dim"),
        (numbers, ""),
        (" flat", "dim") if each.flat else ("", ""),
    )
