"""What else is known of one trial: its values beside those of the best and the default, and its timings."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len

from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
from tunesmith.trial import Value
from tunesmith.tui.incident_view import clock
from tunesmith.tui.spans import Role, Span, Spans
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import TrialView

NAME_WIDTH, VALUE_WIDTH = 28, 18
NONE = "–"


def further_lines(trial: TrialView, view: RunView) -> list[Spans]:
    """Differences to the best and the default, when and where it ran, which attempt it was."""
    return [*_differences(trial, view), *_timings(trial, view), *_provenance(trial)]


def _differences(trial: TrialView, view: RunView) -> list[Spans]:
    """A row for each hyperparameter; a value that is the same as the trial's is not repeated."""
    if trial.proposal is None or view.facts.pipeline is not None:
        return []
    own = trial.proposal.configuration
    others: list[tuple[str, Mapping[str, Value]]] = []
    best = None if view.best is None else view.trials[view.best].proposal
    if best is not None and view.best != trial.number:
        others.append((f"best #{view.best}", best.configuration))
    study = view.facts.study
    if study is not None and study.default is not None:
        others.append(("default", study.default))
    names = list(dict.fromkeys([*own, *(name for _, other in others for name in other)]))
    wide = min(NAME_WIDTH, max((cell_len(one_line(name, NAME_WIDTH)) for name in names), default=0))
    lines: list[Spans] = [(), (_cell("", wide), _cell("this", VALUE_WIDTH), *(_cell(n) for n, _ in others))]
    for name in names:
        row: list[Span] = [_cell(name, wide, "dim"), _cell(_value(view, own, name), VALUE_WIDTH)]
        for _, other in others:
            same = name in own and name in other and own[name] == other[name]
            row.append(_cell("same" if same else _value(view, other, name), role="dim" if same else "accent"))
        lines.append(tuple(row))
    return lines


def _value(view: RunView, values: Mapping[str, Value], name: str) -> str:
    return view.facts.value(name, values[name]) if name in values else NONE


def _cell(text: str, width: int = VALUE_WIDTH, role: Role = "dim") -> Span:
    shown = one_line(text, width)
    return (shown + " " * (width - cell_len(shown) + 2), role)


def _timings(trial: TrialView, view: RunView) -> list[Spans]:
    lines: list[Spans] = []
    if trial.started_at > 0:
        spans: list[Span] = [("started ", "dim"), (clock(trial.started_at), "")]
        work = next((w for w in reversed(view.workers.timeline().works) if w.number == trial.number), None)
        if work is not None:
            spans.append((f", {duration(work.start_s)} into the run, on worker {work.slot + 1}", ""))
        if trial.seconds:
            spans.append((f"; took {trial.seconds:.1f} s", ""))
        if trial.seed is not None:
            spans.append((f"; seed {trial.seed}", "dim"))
        lines = [(), tuple(spans)]
    return lines


def _provenance(trial: TrialView) -> list[Spans]:
    if trial.proposal is None:
        return []
    known, parts = trial.proposal.provenance, list[str]()
    if known.attempt > 1:
        parts.append(f"attempt {known.attempt}")
    if known.parent is not None:
        parts.append(f"goes on from trial {known.parent}")
    if known.replicate_of is not None:
        parts.append(f"the configuration of trial {known.replicate_of} on another seed")
    if known.taken_from:
        parts.append(f"taken from {one_line(known.taken_from, 80)}")
    if known.fallback:
        parts.append("chosen without the language model, which had failed")
    return [(("how it came about: ", "dim"), ("; ".join(parts), ""))] if parts else []
