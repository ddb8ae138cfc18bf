"""The result of a run."""

from __future__ import annotations

import html
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.budget import Spend
from tunesmith.extras import require
from tunesmith.goal_words import measured, primary, whole_metrics
from tunesmith.history import History
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.limits import closest, none_feasible

if TYPE_CHECKING:
    from tunesmith.tools.analysis.certificate import Certificate
from tunesmith.trial import Configuration, Trial, TrialState

SHOWN_ROWS = 20
"""Trials that a notebook shows, the best ones."""


@dataclass(frozen=True, repr=False)
class Result:
    """The result of a run; everything in it is on disk in `folder` as well.

    Attributes:
        status: finished, stopped (resumable) or failed (no trial completed).
        reason: Why it ended, in words.
        verdict: Best against default on fresh seeds, in words; empty when the run was stopped before.
        recommendation: The configuration of best expected value, and how that differs from the best value
            seen; None where no trial is feasible, or no configuration is by the mean of its runs.
        study: Where its Optuna study is: a journal's path, or a storage and the study's name.
        health: What gives reason to doubt the run, in sentences; empty while nothing does.
        certificate: What of `certify` was shown; None where the task has none, or the run was stopped before.
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
    study: str = ""
    health: tuple[str, ...] = ()
    certificate: Certificate | None = None

    @property
    def best_trial(self) -> Trial | None:
        """The feasible trial of best primary value; None where no completed trial keeps every limit."""
        return self.history.incumbent

    @property
    def recommended(self) -> Configuration | None:
        """The configuration to use: of best expected value, which with noise is not always that of `best`.

        None where no trial is feasible, or no configuration keeps every limit by the mean of its runs.
        """
        found = self.recommendation or by_best_value(self.history)
        return None if found is None else self._received(found.configuration)

    @property
    def best(self) -> Configuration | None:
        """The configuration of the best value seen; names to values, as training received them.

        None where no trial is feasible: see `closest`.
        """
        return None if self.best_trial is None else self._received(self.best_trial.configuration)

    @property
    def best_value(self) -> float | None:
        """Its primary metric in the search, metric units."""
        return None if self.best_trial is None else self.best_trial.value

    @property
    def best_values(self) -> dict[str, float]:
        """Every metric of the best trial by name, metric units; empty where no trial is feasible."""
        return {} if self.best_trial is None else dict(self.best_trial.values)

    @property
    def front(self) -> list[Trial]:
        """The Pareto front of the feasible trials, best primary value first; of one metric the best trial.

        `trial.values` has the metrics and `trial.configuration` the configuration of each.
        """
        return list(self.history.front)

    @property
    def closest(self) -> Trial | None:
        """Where trials completed and none is feasible: the one that breaks the limits by least; else None."""
        return closest(self.history)

    def feasible(self, trial: Trial) -> bool:
        """Whether a trial completed and keeps every limit of the task."""
        completed = trial.state is TrialState.COMPLETED
        return completed and not self.history.goals.broken(trial.values)

    def _received(self, configuration: Configuration) -> Configuration:
        """None and lists instead of the labels that stand for them in the history."""
        space = self.history.space
        if space.problems(configuration):  # of a space that the run had before
            return configuration
        return Configuration(space.originals(configuration), configuration.digest)

    def trial_rows(self) -> list[dict[str, Any]]:
        """One flat mapping a trial, in order of number, all with the same keys.

        Keys: `number`, `state`, `value` (the metric; None unless completed), `seconds`, `origin` (what
        proposed it), `reason`, `message` (why it failed), `params.NAME` for each hyperparameter (None where
        it is inactive), `metrics.NAME` for each further metric. Trials of search spaces that the run had
        before are among them. Where the task has limits also `feasible` (False unless completed), and where
        it states a cost `cost`, in its units.
        """
        trials = self.history.every
        names = dict.fromkeys(
            [*self.history.space.names, *(name for t in trials for name in t.configuration)]
        )
        others = sorted({name for trial in trials for name in trial.values} - {self.history.metric})
        priced = any(trial.cost is not None for trial in trials)
        return [
            {
                "number": trial.number,
                "state": trial.state.value,
                "value": trial.value,
                "seconds": trial.seconds,
                "origin": trial.proposal.origin.value,
                "reason": trial.proposal.reason,
                "message": trial.message,
                **{f"params.{name}": values.get(name) for name in names},
                **{f"metrics.{name}": trial.values.get(name) for name in others},
                **({"feasible": self.feasible(trial)} if self.history.limits else {}),
                **({"cost": trial.cost} if priced else {}),
            }
            for trial in trials
            for values in (self._received(trial.configuration),)
        ]

    def trials_dataframe(self) -> Any:
        """`trial_rows` as a pandas.DataFrame.

        Raises:
            MissingExtra: pandas is not installed.
        """
        require("pandas", "trials_dataframe()")
        import pandas

        return pandas.DataFrame(self.trial_rows())

    def __repr__(self) -> str:
        best = one_line(none_feasible(self.history), 120) or "no trial completed"
        if self.best_trial is not None and self.best_trial.value is not None:
            feasible = "best feasible" if self.history.limits else "best"
            shown = primary(self.history.goals, self.best_trial.value)
            best = f"{feasible} {shown} (trial {self.best_trial.number})"
            if self.history.others:
                best += f", {counted(len(self.history.front), 'trial')} on the Pareto front"
        return f"<Result {self.status}: {len(self.history)} trials, {best}, in {one_line(self.folder, 80)}>"

    def _repr_html_(self) -> str:
        """The best trials as a table, for notebooks; feasible ones first."""
        history = self.history
        broken = [trial for trial in history.completed if not self.feasible(trial)]
        done = [*history.ranked, *sorted(broken, key=lambda t: -history.sign * (t.value or 0.0))]
        notes = () if history.goals.plain else ("note",)
        names = ("trial", *history.goals.names, *notes, *history.space.names)
        counts = (
            frozenset() if history.goals.plain else whole_metrics(trial.values for trial in done[:SHOWN_ROWS])
        )
        rows = [f"<tr>{''.join(map(_data, self._shown(trial, counts)))}</tr>" for trial in done[:SHOWN_ROWS]]
        more = len(done) - SHOWN_ROWS
        note = f"<p>{more} more in <code>trial_rows()</code>.</p>" if more > 0 else ""
        verdict = f"<p>{_cell(self.verdict, 600)}</p>" if self.verdict else ""
        head = "".join(f"<th>{_cell(name)}</th>" for name in names)
        return f"<p>{_cell(repr(self), 300)}</p>{verdict}<table><tr>{head}</tr>{''.join(rows)}</table>{note}"

    def _shown(self, trial: Trial, counts: Set[str]) -> list[object]:
        """A completed trial's row of the notebook's table."""
        history, configuration = self.history, trial.configuration
        found = measured(history.goals, trial.values | {history.metric: trial.value or 0.0})
        broken = ", ".join(f"{m.name} {m.mark}" for m in found if m.broken)
        front = "on the front" if history.others and trial in history.front else ""
        notes = [] if history.goals.plain else [broken or front]
        values = [
            history.space.format_value(name, configuration[name]) if name in configuration else ""
            for name in history.space.names
        ]
        return [
            trial.number,
            *(m.number(as_whole=m.metric in counts) for m in found),
            *notes,
            *values,
        ]


def _data(text: object) -> str:
    return f"<td>{_cell(text)}</td>"


def _cell(text: object, limit: int = 80) -> str:
    return html.escape(one_line(text, limit))
