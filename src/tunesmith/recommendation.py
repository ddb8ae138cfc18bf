"""Which configuration a run recommends at its end, and how that differs from its best value.

The best of many noisy values is the luckiest one; what is expected of a configuration, with all that was
measured near it, is the better guide. Where nothing is known to be noisy both are the same.

Only what keeps every limit is recommended, a configuration that was run several times by its means; with
several metrics, what is best by the primary one.
"""

from __future__ import annotations

from tunesmith.history import History
from tunesmith.runs import Runs, feasible_configurations
from tunesmith.text.numbers import counted, plus_minus
from tunesmith.trial import Configuration, Frozen


class Recommendation(Frozen):
    """The configuration that a run recommends. Metric units."""

    trial: int
    """Its trial: that of the best value if it has that configuration, else its first one that completed."""
    configuration: Configuration
    expected: float
    """What is expected of it on another seed; the mean of its values where no model says more."""
    spread: float | None = None
    """Standard deviation of `expected`; None where no model predicts."""
    runs: int = 1
    """Completed trials of this configuration."""
    best_trial: int
    """The trial with the best value of all."""
    best_value: float
    best_expected: float | None = None
    """What is expected of that trial's configuration; None where it is the recommended one."""
    best_breaks: bool = False
    """Whether that configuration is not recommended because the means of its runs break a limit."""

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
        value = f"{self.best_value:.4g}"
        if not self.differs:
            return (
                f"best value seen and recommended: trial {self.trial}, {value}, "
                f"expected {self.expected:.4g}{spread} ({runs})"
            )
        return (
            f"best value seen: trial {self.best_trial}, {value}; recommended: trial {self.trial}, "
            f"expected {self.expected:.4g}{spread} ({runs}). {self._why_not_best()}"
        )

    def _why_not_best(self) -> str:
        if self.best_breaks:
            return f"By the mean of its runs the configuration of trial {self.best_trial} breaks a limit"
        return (
            f"The value of trial {self.best_trial} was "
            f"probably luck: by all trials {self.best_expected:.4g} is expected of it on another seed"
        )


def by_best_value(history: History) -> Recommendation | None:
    """The configuration of the best value; None while no configuration is feasible.

    Where the means of several runs break a limit that one of them kept, it is the best one of the others.
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
    instead = max(runs, key=lambda one: (history.sign * one.mean, -one.first.number))
    alike = [t for t in history.completed if t.configuration == best.configuration]
    return Recommendation(
        trial=_trial(instead, history),
        configuration=instead.configuration,
        expected=instead.mean,
        runs=len(instead.trials),
        best_trial=best.number,
        best_value=best.value,
        best_expected=Runs(tuple(alike)).mean,
        best_breaks=True,
    )


def _trial(runs: Runs, history: History) -> int:
    """The best feasible one of a configuration's trials, else its first."""
    kept = {trial.number for trial in history.feasible}
    own = [trial for trial in runs.trials if trial.number in kept] or [runs.first]
    return max(own, key=lambda trial: (history.sign * (trial.value or 0.0), -trial.number)).number
