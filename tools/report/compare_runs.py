"""Runs side by side, from their reports: what differs, how good, at equal trials and at equal time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tunesmith.history import Direction
from tunesmith.text.numbers import readable
from tunesmith.tools.report.data import ReportData, TrialLine
from tunesmith.tools.report.part import ReportPart
from tunesmith.tools.report.shapes import Grid, Label, Picture, Shape, joined, scale_of


class RunColumn(ReportPart):
    """One run."""

    name: str
    status: str
    seed: int
    strategy: str
    model: str
    version: str
    """Of Tunesmith in its last session; empty where it was not recorded."""
    trials: int
    completed: int
    seconds: float
    trials_limit: int
    cost: float | None
    best: float | None
    best_trial: int | None
    default: float | None
    best_at_trials: float | None
    """Best within as many trials as the shortest of the runs has."""
    best_at_seconds: float | None
    """Best of the trials that ended within the time of the quickest run; None where times are unknown."""
    verdict: str
    """Against its own default on fresh seeds; empty where that was not compared."""
    configuration: dict[str, Any]
    curve: tuple[tuple[int, float], ...]
    """(trial, best so far) wherever it changed."""


class RunsCompared(ReportPart):
    """Some runs, in the order they were named."""

    metric: str
    direction: Direction
    comparable: bool
    """False where the values of the runs do not mean the same."""
    warnings: tuple[str, ...]
    differences: tuple[str, ...]
    equal_trials: int
    equal_seconds: float | None
    runs: tuple[RunColumn, ...]
    sentence: str


def compare_runs(reports: Sequence[ReportData]) -> RunsCompared:
    """Side by side; at least two reports."""
    first = reports[0]
    faults = _faults(reports)
    counts = min(len(report.trials) for report in reports)
    ends = [_ends(report) for report in reports]
    seconds = min(max(found.values()) for found in ends) if all(ends) else None
    runs = tuple(_column(r, counts, seconds, found) for r, found in zip(reports, ends, strict=True))
    warnings = [*faults, _seeds(reports)]
    return RunsCompared(
        metric=first.metric,
        direction=first.direction,
        comparable=not faults,
        warnings=tuple(line for line in warnings if line),
        differences=tuple(_differences(reports)),
        equal_trials=counts,
        equal_seconds=seconds,
        runs=runs,
        sentence=_sentence(first, runs, counts, comparable=not faults),
    )


def best_curves(found: RunsCompared) -> Picture | None:
    """Best so far of each run by trial, one over another."""
    curves = [run for run in found.runs if run.curve]
    if not curves or not found.comparable:
        return None
    left, right, top, bottom = 70.0, 620.0, 14.0, 256.0
    last = max(run.trials for run in curves)
    x = scale_of([0.0, float(max(last, 1))], left, right)
    y = scale_of([value for run in curves for _, value in run.curve], bottom, top)
    shapes, labels = [], []
    for place, run in enumerate(curves):
        points = [(x.at(run.curve[0][0]), y.at(run.curve[0][1]))]
        for (_, before), (number, value) in pairwise(run.curve):
            points += [(x.at(number), y.at(before)), (x.at(number), y.at(value))]
        points.append((x.at(run.trials), points[-1][1]))
        title = f"{run.name}: {readable(run.best, 6)}"
        shapes.append(Shape("line", f"curve s{place % 8}", points=joined(points), title=title))
        labels.append(Label(right + 8, 24.0 + 16 * place, run.name[:18], "start", f"name c{place % 8}"))
    return Picture(
        key="best",
        title="Best so far",
        summary=found.sentence,
        shapes=tuple(shapes),
        labels=tuple(
            labels
            + [Label(at, bottom + 20, text) for at, text in x.ticks()]
            + [Label(left - 8, at + 4, text, "end") for at, text in y.ticks()]
            + [Label((left + right) / 2, bottom + 38, "trial")]
        ),
        grid=tuple(Grid(left, at, right, at) for at, _ in y.ticks()),
        trials=False,
        note=f"Best {found.metric} so far, by trial.",
    )


def rows(found: RunsCompared) -> list[tuple[str, ...]]:
    """The table as texts, a tuple a row: what it is, then a cell a run."""
    runs = found.runs
    seconds = "" if found.equal_seconds is None else f" in the first {readable(found.equal_seconds, 3)} s"
    names = list(dict.fromkeys(name for run in runs for name in run.configuration))
    return [
        ("", *(run.name for run in runs)),
        ("best", *(readable(run.best, 6) for run in runs)),
        (f"best of the first {found.equal_trials} trials", *(readable(r.best_at_trials, 6) for r in runs)),
        *([(f"best{seconds}", *(readable(r.best_at_seconds, 6) for r in runs))] if seconds else []),
        ("default", *(readable(run.default, 6) for run in runs)),
        ("fresh seeds", *(run.verdict or "not compared" for run in runs)),
        ("trials", *(f"{run.trials} of {run.trials_limit}, {run.completed} completed" for run in runs)),
        ("seconds", *(readable(run.seconds, 4) for run in runs)),
        ("cost", *(readable(run.cost, 4) for run in runs)),
        ("status", *(run.status for run in runs)),
        ("seed", *(str(run.seed) for run in runs)),
        ("method", *(run.strategy for run in runs)),
        ("language model", *(run.model or "none" for run in runs)),
        *((f"best: {name}", *(str(run.configuration.get(name, "–")) for run in runs)) for name in names),
    ]


def _faults(reports: Sequence[ReportData]) -> list[str]:
    """Why values of the runs cannot be compared."""
    first, faults = reports[0], []
    for other in reports[1:]:
        if (other.metric, other.direction) != (first.metric, first.direction):
            faults.append(
                f"{other.name} measures {other.metric} ({other.direction}) and {first.name} {first.metric} "
                f"({first.direction}): their values cannot be compared."
            )
    return faults


def _seeds(reports: Sequence[ReportData]) -> str:
    several = len({r.reproduce.seed for r in reports}) >= 3
    many = "Whether one way of searching is better than another takes the mean over several seeds of each"
    if several:
        return f"These are single runs of different seeds. {many}: `tunesmith bench` does that."
    return f"One run of each proves nothing: another seed may turn the order round. {many}."


def _differences(reports: Sequence[ReportData]) -> list[str]:
    first, found = reports[0], []
    space = _space(first)
    for other in reports[1:]:
        theirs = _space(other)
        pair = f"{other.name} against {first.name}"
        if space != theirs:
            changed = sorted(name for name in {*space, *theirs} if space.get(name) != theirs.get(name))
            found.append(f"{pair}: another search space ({', '.join(changed)}); the best is of another set.")
        if other.description != first.description:
            found.append(f"{pair}: another description, so perhaps other data or another training.")
        if other.default != first.default:
            found.append(f"{pair}: another default configuration.")
        if [x.text for x in other.limits] != [x.text for x in first.limits]:
            found.append(f"{pair}: other limits.")
        same = other.default == first.default and other.default_value is not None
        if same and first.default_value is not None and other.default_value != first.default_value:
            values = f"{readable(other.default_value, 6)} against {readable(first.default_value, 6)}"
            found.append(f"{pair}: the same default had {values}: other data, another seed, or noise.")
    return found


def _space(report: ReportData) -> dict[str, Any]:
    return {} if report.pictures is None else {axis.name: axis.ticks for axis in report.pictures.axes}


def _ends(report: ReportData) -> dict[int, float]:
    """When each trial ended, seconds of the run's own time."""
    found = None if report.pictures is None else report.pictures.timeline
    return {} if found is None else {work.number: work.end_s for work in found.works}


def _best(report: ReportData, lines: Sequence[TrialLine]) -> float | None:
    values = [line.value for line in lines if line.value is not None and line.counts and not line.broken]
    better = max if report.direction == "maximize" else min
    return better(values) if values else None


def _column(report: ReportData, counts: int, seconds: float | None, ends: dict[int, float]) -> RunColumn:
    best, trials = report.best, report.trials
    within = None if seconds is None else [t for t in trials if ends.get(t.number, seconds + 1) <= seconds]
    chosen = report.recommended or best
    return RunColumn(
        name=report.name,
        status=report.status,
        seed=report.reproduce.seed,
        strategy=report.strategy,
        model=", ".join(report.model.names),
        version=report.ran_with,
        trials=len(trials),
        completed=report.states.get("completed", 0),
        seconds=report.used.seconds,
        trials_limit=report.used.trials_limit,
        cost=report.used.cost,
        best=None if best is None else best.value,
        best_trial=None if best is None else best.trial,
        default=report.default_value,
        best_at_trials=_best(report, trials[:counts]),
        best_at_seconds=None if within is None else _best(report, within),
        verdict="" if report.comparison is None else report.comparison.verdict,
        configuration={} if chosen is None else chosen.configuration,
        curve=tuple((t.number, t.value) for t in trials if t.best_so_far and t.value is not None),
    )


def _sentence(first: ReportData, runs: Sequence[RunColumn], counts: int, *, comparable: bool) -> str:
    if not comparable:
        return "These runs do not measure the same, so none is said to be better."
    valued = [(run.best_at_trials, run.name) for run in runs if run.best_at_trials is not None]
    if not valued:
        return f"No run has a value among its first {counts} trials."
    value, name = (max if first.direction == "maximize" else min)(valued)
    equal = [other for found, other in valued if found == value]
    if len(equal) > 1:
        return (
            f"At {counts} trials each, {' and '.join(equal)} are equal: {first.metric} {readable(value, 6)}."
        )
    return f"At {counts} trials each, {name} has the best {first.metric} seen: {readable(value, 6)}."
