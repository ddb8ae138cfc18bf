"""What the terminal answers by itself, from the events alone: no model, no engine, no guess."""

from __future__ import annotations

from tunesmith.trial import TrialState
from tunesmith.tui.requests import HELP
from tunesmith.tui.spans import Span, Spans
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import details


def why(view: RunView, number: int | None) -> Spans:
    """Everything known about trial `number`, or about the newest finished one."""
    if number is None:
        ended = [n for n, trial in view.trials.items() if trial.state is not TrialState.RUNNING]
        if not ended:
            return (("no trial has finished yet", "dim"),)
        number = ended[-1]
    trial = view.trials.get(number)
    if trial is None:
        known = f"; there are 0 to {max(view.trials)}" if view.trials else " yet"
        return ((f"there is no trial {number}{known}", "warn"),)
    return _lines(details(trial, view.facts.write))


def best(view: RunView) -> Spans:
    """The incumbent, one parameter a line."""
    if view.best is None:
        return (("no trial has completed yet", "dim"),)
    trial = view.trials[view.best]
    return _lines(details(trial, view.facts.write, traceback=False))


def help_text() -> Spans:
    """The slash commands."""
    return _lines([((f"{name:<9}", "accent"), (does, "dim")) for name, does in HELP])


def no_model() -> Spans:
    """What free text gets in a run without a language model."""
    return (("no language model is in use, so plain words reach nobody. There is:\n", ""), *help_text())


def _lines(lines: list[Spans]) -> Spans:
    joined: list[Span] = []
    for line in lines:
        if joined:
            joined.append(("\n", ""))
        joined.extend(line)
    return tuple(joined)
