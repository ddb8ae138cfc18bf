"""One trial as the terminal shows it: a row of cells, a line of the log, a page of details."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from tunesmith.events import TrialFinished, TrialStarted
from tunesmith.goal_words import Measured, measured, primary
from tunesmith.goals import Goals
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text import numbers
from tunesmith.text.charts import sparkline, thin
from tunesmith.text.durations import duration
from tunesmith.text.literal import literal, one_line
from tunesmith.trial import Proposal, TrialState, Value
from tunesmith.tui.allocation_view import stage_lines
from tunesmith.tui.curve_points import ended_curve
from tunesmith.tui.spans import Role, Span, Spans

STATES: dict[TrialState, tuple[str, str, Role]] = {
    TrialState.RUNNING: ("›", "running", "accent"),
    TrialState.COMPLETED: ("✓", "done", "good"),
    TrialState.PRUNED: ("-", "pruned", "dim"),
    TrialState.DIVERGED: ("✗", "diverged", "bad"),
    TrialState.OUT_OF_MEMORY: ("✗", "memory", "bad"),
    TrialState.TIMED_OUT: ("✗", "timeout", "bad"),
    TrialState.CRASHED: ("✗", "crashed", "bad"),
    TrialState.LOST: ("?", "lost", "warn"),
}
"""Mark, word (at most 8 letters) and role of each state."""

MOST_POINTS = 2_000
"""Of the curve of a trial that runs; more than any screen has columns."""
Formatter = Callable[[Mapping[str, Value]], str]
"""Writes a configuration on one line."""


def plain_configuration(configuration: Mapping[str, Value]) -> str:
    """`lr=0.0012, optimizer=adam`, without knowing the space."""
    return long_configuration(configuration, lambda _, value: numbers.plain_value(value))


def long_configuration(configuration: Mapping[str, Value], write_value: Callable[[str, Value], str]) -> str:
    """`lr=0.0012, optimizer=adam`."""
    return ", ".join(f"{name}={write_value(name, value)}" for name, value in configuration.items())


def short_configuration(
    configuration: Mapping[str, Value], write_value: Callable[[str, Value], str], names: Mapping[str, str]
) -> str:
    """`adamw lr 0.0012 wd 0.01`, for a narrow column: choices without their names, names in few letters."""
    return " ".join(
        str(value) if isinstance(value, str) else f"{names.get(name, name)} {write_value(name, value)}"
        for name, value in configuration.items()
    )


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Few letters for each name, no two alike: initials of its words, else the first letters."""
    chosen: dict[str, str] = {}
    taken = set(names)
    for name in names:
        parts = [part for part in name.replace("-", "_").replace(".", "_").split("_") if part]
        tries = ["".join(part[0] for part in parts)] if len(parts) > 1 else []
        tries += [name[:length] for length in range(min(3, len(name)), len(name))]
        chosen[name] = next((short for short in tries if short not in taken), name)
        taken.add(chosen[name])
    return chosen


@dataclass
class TrialView:
    """A trial as far as its events go."""

    number: int
    proposal: Proposal | None = None
    """None when the log has its end only."""
    state: TrialState = TrialState.RUNNING
    value: float | None = None
    values: dict[str, float] = field(default_factory=dict)
    """Every metric, once it has completed."""
    cost: float | None = None
    """What it costs, in units of the problem; None where none is stated."""
    curve: Sequence[tuple[int, float]] = field(default_factory=list)
    """As reported, while it runs; after that at most `MOST_ENDED` points."""
    message: str = ""
    traceback: str = ""
    seed: int | None = None
    started_at: float = 0.0
    seconds: float = 0.0
    surprise: float | None = None
    best: bool = False
    """Whether it is the incumbent now."""
    infeasible: bool = False
    """Whether it completed and breaks a limit."""
    front: bool = False
    """Whether several metrics are optimised and it is on their Pareto front now."""
    left: bool = False
    """Whether its configuration is not in the run's search space any more: it is history only."""

    @classmethod
    def started(cls, event: TrialStarted) -> TrialView:
        return cls(event.number, event.proposal, seed=event.seed, started_at=event.at, cost=event.cost)

    def finish(self, event: TrialFinished) -> None:
        outcome = event.outcome
        self.state, self.value, self.surprise = outcome.state, event.value, event.surprise
        self.message, self.traceback, self.seconds = outcome.message, outcome.traceback, outcome.seconds
        self.values = dict(outcome.values) if event.value is not None else {}
        self.curve = ended_curve(outcome.curve or self.curve)

    def report(self, step: int, value: float) -> None:
        """Take a point of the curve; of a long one every second point is kept, again and again."""
        curve = self.curve
        if not isinstance(curve, list):  # a report after its end
            self.curve = curve = list(curve)
        curve.append((step, value))
        if len(curve) > MOST_POINTS:
            self.curve = [*curve[:-1:2], curve[-1]]

    def measured(self, goals: Goals | None) -> list[Measured]:
        """Its metrics, the primary one first; nothing unless it completed."""
        return [] if goals is None or not self.values else measured(goals, self.values)

    @property
    def origin(self) -> str:
        return self.proposal.origin.value if self.proposal else "?"

    def configuration(self, write: Formatter) -> str:
        return one_line(write(self.proposal.configuration), 400) if self.proposal else "?"


def cells(
    trial: TrialView,
    write: Formatter,
    goals: Goals | None = None,
    others: int = 0,
    counts: Set[str] = frozenset(),
) -> tuple[Span, ...]:
    """Number, state, value, best marker, origin, configuration: one cell each.

    Args:
        goals: Where there are further metrics or limits: what breaks a limit is marked.
        others: How many further metrics have a cell, in place of the origin.
        counts: Metrics that have only had whole numbers, and so are shown as such.
    """
    _, word, role = STATES[trial.state]
    found = trial.measured(goals)
    if trial.infeasible:
        word, role = "infeas.", "warn"
    if trial.value is not None:
        value = found[0].number(as_whole=found[0].metric in counts) if found else numbers.metric(trial.value)
        shown: Span = (value, "best" if trial.best else "dim" if trial.left else "")
    elif trial.curve:
        shown = (numbers.metric(trial.curve[-1][1]), "dim")
    else:
        shown = ("", "dim")
    if found and found[0].broken:
        shown = (f"{shown[0]}!", "warn")
    further: list[Span] = [_number(each, counts) for each in found[1 : 1 + others]]
    further += [("", "dim")] * (others - len(further))
    return (
        (str(trial.number), "dim"),
        (word, "dim" if trial.left else role),
        shown,
        ("★" if trial.best else "◇" if trial.front else "", "best"),
        *(further or [("history" if trial.left else trial.origin, "dim")]),
        (trial.configuration(write), "best" if trial.best else "dim" if trial.left else ""),
    )


def _number(found: Measured, counts: Set[str]) -> Span:
    shown = found.number(as_whole=found.metric in counts)
    return (f"{shown}!", "warn") if found.broken else (shown, "")


def _further(found: Sequence[Measured]) -> Spans:
    """Further metrics, and limits that are broken, with commas between them."""
    spans: list[Span] = []
    for number, each in enumerate(found):
        if number == 0 and not each.broken:
            continue  # the value itself stands before
        spans.append((", " if spans else "", "dim"))
        spans.append((each.text, "warn" if each.broken else ""))
    return tuple(spans)


def result_line(trial: TrialView, improved: bool, goals: Goals | None = None) -> Spans:
    """How a trial ended, for the log."""
    _, word, role = STATES[trial.state]
    head: list[Span] = [(f"#{trial.number} ", "strong")]
    if trial.value is not None:
        head.append((primary(goals, trial.value), "best" if improved else ""))
        if improved:
            limited = goals is not None and bool(goals.limits)
            head.append((" ★ new best feasible" if limited else " ★ new best", "best"))
        if further := _further(trial.measured(goals)):
            head += [(" · ", "dim"), *further]
        if trial.front:
            head.append((" · on the front", "best"))
    else:
        head.append((word, role))
        if trial.state is TrialState.PRUNED and trial.curve:
            step, value = trial.curve[-1]
            head.append((f" at step {step}, {numbers.metric(value)}", "dim"))
        if trial.message:
            head.append((f": {one_line(trial.message)}", "dim"))
    expected = expectation(trial, goals)
    if expected and trial.value is not None:
        head.append((f" · expected {expected}", "dim"))
    head.append((f" · {duration(trial.seconds)}", "dim"))
    return tuple(head)


def expectation(trial: TrialView, goals: Goals | None = None) -> str:
    """`0.921 ± 0.012`, of several metrics `val_accuracy 0.921 ± 0.012`; empty without a prediction."""
    if trial.proposal is None or trial.proposal.expected is None:
        return ""
    several = goals is not None and len(goals.names) > 1
    name = f"{one_line(goals.primary.metric, 40)} " if goals is not None and several else ""
    return name + numbers.prediction(trial.proposal.expected, trial.proposal.spread)


def details(
    trial: TrialView,
    write: Formatter,
    *,
    goals: Goals | None = None,
    curve_width: int = 24,
    traceback: bool = True,
    pipeline: PipelineSettings | None = None,
) -> list[Spans]:
    """Everything known about one trial, a line each; what `/why N` and the details pane show.

    Args:
        pipeline: Of a task that is one: the configuration is shown stage by stage.
    """
    mark, word, role = STATES[trial.state]
    head: list[Span] = [(f"trial {trial.number} ", "strong"), (f"{mark} {word}", role)]
    if trial.value is not None:
        head.append((f"  {primary(goals, trial.value)}", "best" if trial.best else "strong"))
    if trial.best:
        head.append((" ★ best feasible" if goals is not None and goals.limits else " ★ best", "best"))
    if trial.infeasible:
        head.append((" not feasible", "warn"))
    elif trial.front:
        head.append((" on the Pareto front", "best"))
    if trial.state is not TrialState.RUNNING:
        head.append((f"  {duration(trial.seconds)}", "dim"))
    if trial.cost is not None:
        head.append(
            (f"  {'cost' if pipeline is None else 'trial cost'} {numbers.significant(trial.cost, 4)}", "dim")
        )
    lines: list[Spans] = [tuple(head)]
    if trial.left:
        lines.append((("of an earlier search space: history only", "warn"),))
    for each in trial.measured(goals):
        lines.append(_judged(each, goals))
    if pipeline is None and goals is not None and (rest := sorted(set(trial.values) - set(goals.names))):
        told = ", ".join(f"{one_line(name, 40)} {numbers.readable(trial.values[name])}" for name in rest[:8])
        lines.append((("also ", "dim"), (told, "dim")))
    if trial.proposal is not None and pipeline is not None:
        lines += stage_lines(pipeline, trial.proposal.configuration, trial.values)
    elif trial.proposal is not None:
        lines.append(((trial.configuration(write), ""),))
    expected = expectation(trial, goals)
    if expected:
        lines.append((("expected ", "dim"), (expected, ""), *_against(trial)))
    if trial.curve:
        first, last = trial.curve[0], trial.curve[-1]
        ends = f"  {numbers.metric(first[1])} → {numbers.metric(last[1])}, step {last[0]}"
        drawn = sparkline([value for _, value in thin(trial.curve, curve_width)])
        lines.append((("curve ", "dim"), (drawn, "accent"), (ends, "dim")))
    if trial.proposal is not None:
        proposal = trial.proposal
        by = proposal.origin.value + (f", {one_line(proposal.prompt_id)}" if proposal.prompt_id else "")
        if proposal.evidence:
            by += ", resting on " + ", ".join(f"#{number}" for number in proposal.evidence[:12])
        lines.append(((one_line(proposal.reason, 600), ""), (f"  ({by})", "dim")))
    if trial.message:
        lines.append((("cause ", "dim"), (one_line(trial.message, 600), "bad" if role == "bad" else role)))
    if traceback and trial.traceback:
        lines.extend(((f"  {line}", "dim"),) for line in literal(trial.traceback).splitlines())
    return lines


def _judged(found: Measured, goals: Goals | None) -> Spans:
    """A metric with the limits on it: `latency_ms 9.2 keeps <= 14`."""
    limits = [] if goals is None else [x for x in goals.limits if x.metric == found.metric]
    kept = " and ".join(limit.comparison for limit in limits if limit not in found.broken)
    line: list[Span] = [(f"{found.name} ", "dim"), (found.exact, "")]
    line += [(f"  {found.mark}", "warn")] * bool(found.broken)
    line += [(f"  keeps {kept}", "good")] * bool(kept)
    return tuple(line)


def _against(trial: TrialView) -> Spans:
    if trial.value is None:
        return ()
    outcome: Spans = ((", got ", "dim"), (numbers.metric(trial.value), "strong"))
    if trial.surprise is None:
        return outcome
    if abs(trial.surprise) < 1:
        return (*outcome, (", as expected", "dim"))
    side: Span = ("better", "good") if trial.surprise >= 0 else ("worse", "warn")
    return (*outcome, (f" ({abs(trial.surprise):.1f} spreads ", "dim"), side, (")", "dim"))
