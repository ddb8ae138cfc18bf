"""The status line: what of it fits, most important first."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from tunesmith.text import numbers
from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
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


@dataclass(frozen=True)
class Segment:
    """A piece of the line; where the line is too long the highest `rank` goes first."""

    spans: Spans
    rank: int


def segments(view: RunView, now: float, quitting: bool = False) -> list[Segment]:
    """Every segment, in the order they stand. `now` is Unix time."""
    word, role = _STATES["stopping" if quitting and not view.over else view.state]
    found = [Segment((("● ", role), (word, role)), 0)]
    if view.started is None:
        return found
    of = f"/{view.facts.trials}" if view.facts.trials is not None else ""
    found.append(Segment((("trials ", "dim"), (f"{view.finished}{of}", "")), 1))
    workers = f"{view.running}/{view.started.workers}"
    found.append(Segment((("workers ", "dim"), (workers, "")), 4))
    if view.best is not None:
        best = view.trials[view.best]
        assert best.value is not None, "an incumbent has a value"
        said: list[Span] = [("best ", "dim"), (numbers.metric(best.value), "best"), (f" #{view.best}", "dim")]
        found.append(Segment(tuple(said), 2))
    found.append(Segment((("elapsed ", "dim"), (elapsed(view, now), "")), 3))
    found.extend(_model(view))
    return found


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
        Segment(((dollars, ""),), 6),
    ]


def fit(found: list[Segment], width: int) -> Spans:
    """The segments that fit into `width` cells, in their order, with separators between them."""
    kept, gap = list(found), GAPS[0]
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


def _length(found: list[Segment], gap: str) -> int:
    return sum(cell_len(plain(segment.spans)) for segment in found) + len(gap) * (len(found) - 1)
