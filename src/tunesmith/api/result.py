"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.budget import Spend
from tunesmith.history import History
from tunesmith.recommendation import Recommendation
from tunesmith.trial import Configuration, Trial


@dataclass(frozen=True)
class Result:
    """The result of a run; everything in it is on disk in `folder` as well.

    Attributes:
        status: finished, stopped (resumable) or failed (no trial completed).
        reason: Why it ended, in words.
        verdict: Best against default on fresh seeds, in words; empty when the run was stopped before.
        recommendation: The configuration of best expected value, and how that differs from the best value
            seen; None where no trial completed.
        report: report.md, beside report.html and report.json; None where they could not be written.
    """

    status: str
    reason: str
    history: History
    folder: Path
    spend: Spend
    verdict: str = ""
    report: Path | None = None
    recommendation: Recommendation | None = None

    @property
    def best_trial(self) -> Trial | None:
        return self.history.incumbent

    @property
    def recommended(self) -> Configuration | None:
        """The configuration to use: of best expected value, which with noise is not always that of `best`."""
        return self.best if self.recommendation is None else self.recommendation.configuration

    @property
    def best(self) -> Configuration | None:
        """The configuration of the best value seen; a mapping of names to values."""
        return None if self.best_trial is None else self.best_trial.configuration

    @property
    def best_value(self) -> float | None:
        """Its metric in the search, metric units."""
        return None if self.best_trial is None else self.best_trial.value
