"""The Pareto front of a search with several metrics as rows, with the default's row beside it."""

from __future__ import annotations

from tunesmith.errors import InvalidConfiguration
from tunesmith.history import History
from tunesmith.text.numbers import counted, readable
from tunesmith.trial import Frozen, Trial


class FrontRow(Frozen):
    """One trial of the front, or the default's."""

    trial: int
    values: tuple[float | None, ...]
    """As `Goals.names`: every metric that is optimised, then those that only have a limit; None where the
    trial did not complete."""
    slack: tuple[float | None, ...]
    """For each limit how far within its bound the trial is, units of its metric; below 0 where broken."""
    configuration: str
    """In one line."""
    on_front: bool
    """False only for the default's row, which is shown for comparison."""
    default: bool
    """Whether it is of the default configuration."""


def front_rows(history: History) -> tuple[FrontRow, ...]:
    """The front, the best primary value first, and at its end the default's trial where it is not on it.

    With one metric the front is the incumbent alone. Empty while no trial is feasible.
    """
    front = history.front
    default = default_trial(history)
    shown = [(trial, True) for trial in front]
    if front and default is not None and not any(trial.number == default.number for trial in front):
        shown.append((default, False))
    return tuple(_row(history, trial, on_front=on_front) for trial, on_front in shown)


def front_text(history: History) -> str:
    """In one sentence, without a full stop; empty with one metric, or while no trial is feasible.

    `4 of 12 feasible trials are on the Pareto front: val_accuracy 0.91 to 0.95, latency_ms 8 to 31`
    """
    front = history.front
    if not front or not history.goals.several:
        return ""
    spans = []
    for goal in history.goals.objectives:
        values = [t.values[goal.metric] for t in front]
        low, high = readable(min(values), 4), readable(max(values), 4)
        spans.append(f"{goal.metric} {low}" + ("" if low == high else f" to {high}"))
    kind = "feasible" if history.limits else "completed"
    verb = "is" if len(front) == 1 else "are"
    return (
        f"{len(front)} of {counted(len(history.feasible), f'{kind} trial')} {verb} on the Pareto front: "
        f"{', '.join(spans)}"
    )


def default_trial(history: History) -> Trial | None:
    """The first trial of the default configuration, whatever became of it."""
    return next((t for t in history if t.configuration == history.default), None)


def one_line(history: History, trial: Trial) -> str:
    """A trial's configuration, at the precision its space deserves."""
    try:
        return history.space.format(history.space.validate(dict(trial.configuration)))
    except InvalidConfiguration:  # of another search space: shown as it was recorded
        return ", ".join(f"{name}={value}" for name, value in trial.configuration.items())


def _row(history: History, trial: Trial, *, on_front: bool) -> FrontRow:
    values = {**({} if trial.value is None else {history.metric: trial.value}), **trial.values}
    slack = [None if (v := values.get(x.metric)) is None else -x.excess(v) for x in history.limits]
    return FrontRow(
        trial=trial.number,
        values=tuple(values.get(name) for name in history.goals.names),
        slack=tuple(slack),
        configuration=one_line(history, trial),
        on_front=on_front,
        default=trial.configuration == history.default,
    )
