"""The first sentence of a report: the best trial beside the default, or why there is none."""

from __future__ import annotations

from tunesmith.history import History
from tunesmith.text.numbers import counted, readable
from tunesmith.tools.analysis.limits import broken_text, none_feasible
from tunesmith.tools.analysis.pareto import default_trial
from tunesmith.trial import Trial


def headline(history: History) -> str:
    """With a full stop."""
    best = history.incumbent
    if best is None or best.value is None:
        if not history.trials:
            return "No trial of the last search space has run." if history.earlier else "No trial has run."
        if history.completed:
            return f"No configuration is the best: {none_feasible(history)}."
        return f"None of {len(history)} trials completed, so there is no best configuration."
    default = default_trial(history)
    if not history.goals.plain:
        return _of_several(history, best, default)
    line = f"Trial {best.number} is the best of {len(history.completed)} completed"
    line += f" ({len(history)} in all): {history.metric} {best.value:.6g}"
    if default is None:
        return line + "; no default configuration was tried."
    if default.number == best.number:
        return line + ". It is the default configuration: nothing better was found."
    if default.value is None:
        return line + f"; the default's own trial ended {default.state.value.replace('_', ' ')}."
    return line + f", where the default had {default.value:.6g}."


def _of_several(history: History, best: Trial, default: Trial | None) -> str:
    """Such as `Trial 4 is the best of 9 feasible trials (12 completed, 14 in all): accuracy 0.93, ms 19`."""
    goals, of_all = history.goals, f"{len(history)} in all"
    counts = f"{len(history.completed)} completed, {of_all}"
    if goals.several:
        kept = f"{len(history.feasible)} feasible, " if history.limits else ""
        on_it = f"{counted(len(history.front), 'trial')} of {kept}{counts}"
        among = f"of the Pareto front by {history.metric} ({on_it})"
    else:
        among = f"of {counted(len(history.feasible), 'feasible trial')} ({counts})"
    line = f"Trial {best.number} is the best {among}: {_measured(history, best)}"
    if default is None:
        return line + "; no default configuration was tried."
    if default.number == best.number:
        by = f" by {history.metric}" if goals.several else ""
        return line + f". It is the default configuration: nothing better was found{by}."
    if default.value is None:
        return line + f"; the default's own trial ended {default.state.value.replace('_', ' ')}."
    broken = broken_text(history, default)
    return line + f"; the default had {_measured(history, default)}{f' and {broken}' if broken else ''}."


def _measured(history: History, trial: Trial) -> str:
    return ", ".join(f"{name} {readable(trial.values.get(name), 6)}" for name in history.goals.names)
