"""How the run stands: the status line, and the text printed when the terminal app has closed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len

from tunesmith.goal_words import primary
from tunesmith.text import numbers
from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
from tunesmith.time_left import roughly
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tui.spans import Role, Span, Spans, plain
from tunesmith.tui.state import RunState, RunView

_STATES: dict[RunState, tuple[str, Role]] = {
    "waiting": ("waiting for the run to start", "dim"),
    "running": ("running", "good"),
    "paused": ("paused", "warn"),
    "stopping": ("stopping workers…", "warn"),
    "interrupted": ("interrupted", "warn"),
    "finished": ("finished", "good"),
    "stopped": ("stopped", "warn"),
    "failed": ("failed", "bad"),
}
GAPS = ("  │  ", " │ ")
"""Between segments; the narrow one before anything is left out."""
THINKING_FROM_S = 3.0
"""A decision that takes less is not worth a place in the line."""


@dataclass(frozen=True)
class Segment:
    """A piece of the line; where the line is too long the highest `rank` goes first."""

    spans: Spans
    rank: int


def segments(view: RunView, now: float, quitting: bool = False) -> list[Segment]:
    """Every segment, in the order they stand. `now` is Unix time."""
    word, role = _STATES["stopping" if quitting and not view.over else view.state]
    line = [Segment((("● ", role), (word, role)), 0)]
    if view.started is None:
        return line
    of = f"/{view.facts.trials}" if view.facts.trials is not None else ""
    line.append(Segment((("trials ", "dim"), (f"{view.finished}{of}", "")), 1))
    workers = f"{view.running}/{view.started.workers}"
    line.append(Segment((("workers ", "dim"), (workers, "")), 4))
    if view.best is not None:
        best = view.trials[view.best]
        assert best.value is not None, "an incumbent has a value"
        line.append(
            Segment(
                (
                    ("best ", "dim"),
                    (primary(view.facts.goals, best.value), "best"),
                    (f" #{view.best}", "dim"),
                ),
                8,  # it stands above the panes too
            )
        )
    line += _several(view)
    line.append(Segment((("elapsed ", "dim"), (elapsed(view, now), "")), 3))
    left = view.left(now)
    if left is not None:
        line.append(Segment((("left ", "dim"), (roughly(left), "")), 4))
    line.extend(_model(view))
    if view.thinking_since is not None and now - view.thinking_since >= THINKING_FROM_S:
        thinking = f"thinking {duration(now - view.thinking_since)}"
        line.append(Segment((("the model is ", "dim"), (thinking, "model")), 3))
    return line


def _several(view: RunView) -> list[Segment]:
    """How many trials are feasible and on the front, and the cost; nothing with one metric and no cost."""
    goals, line = view.facts.goals, list[Segment]()
    if goals is not None and goals.limits and view.completed:
        role: Role = "" if view.best is not None else "warn"
        line.append(Segment((("feasible ", "dim"), (f"{view.feasible}/{view.completed}", role)), 3))
    if view.front:
        line.append(Segment((("front ", "dim"), (str(len(view.front)), "")), 5))
    if view.cost is not None:
        of = "" if view.facts.cost is None else f"/{numbers.significant(view.facts.cost)}"
        line.append(Segment((("cost ", "dim"), (f"{numbers.significant(view.cost, 3)}{of}", "")), 4))
    return line


def elapsed(view: RunView, now: float) -> str:
    """`3m12`, or `3m12/10m00` under a time budget."""
    text = duration(view.elapsed(now))
    limit = view.facts.wall_time_s
    return text if limit is None else f"{text}/{duration(limit)}"


def _model(view: RunView) -> list[Segment]:
    if view.model is None:
        return [Segment((("no language model", "dim"),), 5)]
    spend, caps = view.spend, view.facts.model

    def of(cap: int | None) -> str:
        return "" if cap is None else f"/{numbers.count(cap)}"

    calls = f"{numbers.count(spend.calls)}{of(caps.calls)} calls"
    tokens = f"{numbers.count(spend.tokens)}{of(caps.tokens)} tokens"
    dollars = "price unknown" if spend.dollars is None else f"${spend.dollars:.2f}"
    if spend.dollars is not None and caps.dollars is not None:
        dollars += f"/{caps.dollars:.2f}"
    return [
        Segment(((one_line(view.model, 24), "model"), (f" {calls}", "")), 5),
        Segment(((tokens, ""),), 7),
        Segment((("model cost ", "dim"), (dollars, "")), 2),
    ]


def fit(segments: list[Segment], width: int) -> Spans:
    """The segments that fit into `width` cells, in their order, with separators between them."""
    kept, gap = list(segments), GAPS[0]
    if _length(kept, gap) > width:
        gap = GAPS[1]
    while len(kept) > 1 and _length(kept, gap) > width:
        kept.remove(max(kept, key=lambda segment: segment.rank))
    line: list[Span] = []
    for segment in kept:
        if line:
            line.append((gap, "dim"))
        line.extend(segment.spans)
    return tuple(line)


def _length(segments: list[Segment], gap: str) -> int:
    return sum(cell_len(plain(segment.spans)) for segment in segments) + len(gap) * (len(segments) - 1)


def closing_text(view: RunView, folder: Path, how_back: str, *, stopping: bool = False) -> str:
    """One to three lines for the shell: the state of the run, and how to come back to it.

    Args:
        how_back: The command that opens the run again.
        stopping: Whether the run was asked to end.
    """
    where = one_line(folder, 400)
    if view.started is None:
        return f"The run in {where} has not started. Look at it with: {how_back}"
    of = f" of {view.facts.trials}" if view.facts.trials is not None else ""
    lines = [f"{one_line(view.started.name, 60)}: {view.state}, {view.finished}{of} trials done."]
    if view.best is not None:
        best = view.trials[view.best]
        assert best.value is not None, "an incumbent has a value"
        found = best.measured(view.facts.goals)[1:]
        further = "".join(f", {each.text}" for each in found)
        shown = f"{view.facts.metric} {primary(view.facts.goals, best.value)}{further}"
        limited = view.facts.goals is not None and view.facts.goals.limits
        what = "Best feasible" if limited else "Best"
        configuration = best.configuration(view.facts.write)
        lines.append(f"{what} so far: trial {best.number}, {shown} ({configuration}).")
    elif (past := view.history) is not None and (why := none_feasible(past)):
        lines.append(f"{one_line(why, 400)}.")
    if view.state in ("stopped", "interrupted"):
        end = "Nothing is lost: the command that started it continues it."
    elif view.over:
        end = ""
    elif stopping:
        end = "It is still ending; `tunesmith ls` shows when it has."
    else:
        end = f"It goes on in the background. Come back with: {how_back}"
    end += "\n" if end and not view.over else " " if end else ""
    lines.append(f"{end}Everything is in {where}.")
    return "\n".join(lines)
