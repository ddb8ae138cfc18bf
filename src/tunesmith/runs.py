"""Configurations with all their completed runs: one that was trained on several seeds counts by its means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.goals import Goals
from tunesmith.history import History
from tunesmith.trial import Configuration, Trial


@dataclass(frozen=True)
class Runs:
    """The completed runs of one configuration, oldest first, at least one."""

    trials: tuple[Trial, ...]

    @property
    def first(self) -> Trial:
        return self.trials[0]

    @property
    def configuration(self) -> Configuration:
        return self.first.configuration

    @property
    def mean(self) -> float:
        """Of the primary metric, metric units."""
        return sum(trial.value or 0.0 for trial in self.trials) / len(self.trials)

    def means(self, goals: Goals) -> dict[str, float]:
        """Of every metric that is optimised or has a limit, and that all runs have."""
        return {
            name: math.fsum(trial.values[name] for trial in self.trials) / len(self.trials)
            for name in goals.names
            if all(name in trial.values for trial in self.trials)
        }

    def first_feasible(self, goals: Goals) -> Trial | None:
        """The first run that keeps every limit: the one that stands for the configuration."""
        return next((t for t in self.trials if not goals.broken(t.values)), None)

    def feasible(self, goals: Goals) -> bool:
        """Whether the means keep every limit, and one of the runs does as well."""
        if not goals.limits:
            return True
        if self.first_feasible(goals) is None:
            return False
        return len(self.trials) == 1 or not goals.broken(self.means(goals))


def configurations(history: History) -> list[Runs]:
    """Every configuration that completed, in order of its first completed trial."""
    grouped: dict[str, list[Trial]] = {}
    for trial in history.completed:
        grouped.setdefault(trial.configuration.digest, []).append(trial)
    return [Runs(tuple(trials)) for trials in grouped.values()]


def feasible_configurations(history: History) -> list[Runs]:
    """Those that keep every limit, as `Runs.feasible` has it, and that the problem can still run."""
    return [
        runs
        for runs in configurations(history)
        if runs.feasible(history.goals) and history.can_run(runs.configuration)
    ]
