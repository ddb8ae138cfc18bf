"""Which configuration a run recommends at its end, and how that differs from its best value.

The best of many noisy values is the luckiest one; what is expected of a configuration, with all that was
measured near it, is the better guide. Where nothing is known to be noisy both are the same.

Only what keeps every limit is recommended, a configuration that was run several times by its means; with
several metrics, what is best by the primary one.
"""

from __future__ import annotations

from tunesmith.history import History
from tunesmith.runs import Runs, feasible_configurations
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import counted, plus_minus, readable
from tunesmith.trial import Configuration, Frozen


class Recommendation(Frozen):
    """The configuration that a run recommends. Metric units."""

    trial: int
    """Its trial: that of the best value if it has that configuration, else its first feasible one."""
    configuration: Configuration
    expected: float
    """What is expected of it on another seed; the mean of its values where no model says more."""
    spread: float | None = None
    """Standard deviation of `expected`; None where no model predicts."""
    runs: int = 1
    """Completed trials of this configuration."""
    best_trial: int
    """The feasible trial with the best value."""
    best_value: float
    best_expected: float | None = None
    """What is expected of that trial's configuration; None where it is the recommended one."""
    best_breaks: bool = False
    """Whether that configuration is not recommended because the means of its runs break a limit."""

    instead: str = ""
    """Why it is recommended rather than that one, where that is no question of luck; no full stop."""

    @property
    def differs(self) -> bool:
        """Whether another configuration than that of the best value is recommended."""
        return self.best_expected is not None

    def text(self, history: History) -> str:
        """In one line, and why where the two differ.

        `best value seen: trial 12, 0.861; recommended: trial 9, expected 0.855 ± 0.004 (3 runs)`
        """
        spread = "" if self.spread is None else plus_minus(self.expected, self.spread, history.metric_range)
        runs = counted(self.runs, "run")
        value, expected = _shown(self.best_value, history), _shown(self.expected, history)
        seen = "best value" if history.goals.plain else f"best {_of(history)}"
        if not self.differs:
            return (
                f"{seen} seen and recommended: trial {self.trial}, {value}, "
                f"expected {expected}{spread} ({runs})"
            )
        return (
            f"{seen} seen: trial {self.best_trial}, {value}; recommended: trial {self.trial}, "
            f"expected {expected}{spread} ({runs}). {self._why_not_best(history)}"
        )

    def _why_not_best(self, history: History) -> str:
        if self.instead:
            return self.instead
        if self.best_breaks:
            return f"By the mean of its runs the configuration of trial {self.best_trial} breaks a limit"
        expected = "" if self.best_expected is None else _shown(self.best_expected, history)
        return (
            f"The value of trial {self.best_trial} was "
            f"probably luck: by all trials {expected} is expected of it on another seed"
        )


def _shown(value: float, history: History) -> str:
    """To four digits; where there are several metrics or limits a count stays a whole number."""
    return f"{value:.4g}" if history.goals.plain else readable(value, 4)


def _of(history: History) -> str:
    """`feasible val_accuracy`: the metric by name, where there are several metrics or limits."""
    return f"{'feasible ' if history.limits else ''}{one_line(history.metric, 40)}"


def by_best_value(history: History) -> Recommendation | None:
    """The configuration of the best value; None while no configuration is feasible.

    Where the means of several runs break a limit that one of them kept, it is the best one of the others,
    with several metrics of those on the front.
    """
    best = history.incumbent
    if best is None or best.value is None:
        return None
    runs = feasible_configurations(history)
    own = next((one for one in runs if one.configuration == best.configuration), None)
    if own is not None:
        return Recommendation(
            trial=best.number,
            configuration=best.configuration,
            expected=own.mean,
            runs=len(own.trials),
            best_trial=best.number,
            best_value=best.value,
        )
    if not runs:
        return None
    front = {trial.configuration for trial in history.front}
    known = [one for one in runs if one.configuration in front] or runs
    instead = max(known, key=lambda one: (history.sign * one.mean, -one.first.number))
    alike = [t for t in history.completed if t.configuration == best.configuration]
    return Recommendation(
        trial=(instead.first_feasible(history.goals) or instead.first).number,
        configuration=instead.configuration,
        expected=instead.mean,
        runs=len(instead.trials),
        best_trial=best.number,
        best_value=best.value,
        best_expected=Runs(tuple(alike)).mean,
        best_breaks=True,
    )


def none_recommended(history: History) -> str:
    """Why nothing is recommended though a trial is feasible, in a sentence without a full stop; else empty.

    `no configuration keeps every limit by the mean of its runs: that of trial 4 did in 1 of 2`
    """
    best = history.incumbent
    if best is None or by_best_value(history) is not None:
        return ""
    alike = [t for t in history.completed if t.configuration == best.configuration]
    kept = sum(t in history.feasible for t in alike)
    return (
        "no configuration keeps every limit by the mean of its runs: "
        f"that of trial {best.number} did in {kept} of {len(alike)}"
    )
