"""What the plots need of a run, reduced once when it has changed and not again for every paint."""

from __future__ import annotations

import time

from tunesmith.beliefs import Beliefs
from tunesmith.space.numeric import Numeric
from tunesmith.tools.analysis.parallel import Parallel, parallel, position
from tunesmith.tools.analysis.predicted import Predicted, predicted
from tunesmith.tools.analysis.timeline import Timeline
from tunesmith.tui.facts import Facts
from tunesmith.tui.plot_view import PlotView
from tunesmith.tui.plots.slices import MOST_POINTS, Observed
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import TrialView

MOST_LINES = 100
"""In parallel coordinates; with more of them no single one can be followed on a terminal."""
EMPTY = Parallel((), (), (0.0, 1.0), 0)


class PlotData:
    """Views of a run for its plots. Each is made when asked for, and kept until `changed` is called."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._facts: Facts | None = None
        self._positions: dict[int, tuple[float | None, ...]] = {}
        self._best: PlotView | None = None
        self._predicted: list[Predicted] | None = None
        self._parallel: tuple[tuple[str, ...], Parallel] | None = None
        self._observed: Observed | None = None

    def changed(self) -> None:
        """Trials have ended, or the task is another one."""
        self._best = self._predicted = self._parallel = self._observed = None
        if self._facts is not self._view.facts:
            self._facts = self._view.facts
            self._positions.clear()

    @property
    def facts(self) -> Facts | None:
        """What was known of the task at the last change."""
        return self._facts

    @property
    def best(self) -> PlotView:
        """Values and the best so far."""
        if self._best is None:
            self._best = self._view.plot
        return self._best

    @property
    def predicted(self) -> list[Predicted]:
        """Completed trials that had a prediction."""
        if self._predicted is None:
            self._predicted = predicted(t for t in self._view.trials.values() if not t.left)
        return self._predicted

    def parallel(self, beliefs: Beliefs | None) -> Parallel:
        """Lines across hyperparameters, the most important ones first."""
        order = tuple(each.name for each in beliefs.parameters) if beliefs is not None else ()
        if self._parallel is None or self._parallel[0] != order:
            study = self._view.facts.study
            found = EMPTY
            if study is not None:
                given = (
                    (t.number, t.proposal.configuration, t.value)
                    for t in self._completed()
                    if t.proposal is not None and t.value is not None
                )
                found = parallel(study.space, study.direction, given, order, MOST_LINES)
            self._parallel = order, found
        return self._parallel[1]

    @property
    def logs(self) -> frozenset[str]:
        """Hyperparameters whose range is on a logarithmic scale."""
        study = self._view.facts.study
        found = {} if study is None else study.space.parameters
        return frozenset(n for n, p in found.items() if isinstance(p, Numeric) and p.scale == "log")

    @property
    def observed(self) -> Observed:
        """Positions and values of the newest completed trials, by hyperparameter."""
        if self._observed is None:
            study = self._view.facts.study
            names = () if study is None else tuple(study.space.names)
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
            for trial in self._completed()[-MOST_POINTS:]:
                for name, at in zip(names, self._place(trial, names), strict=True):
                    if at is not None and trial.value is not None:
                        found[name].append((at, trial.value))
            self._observed = dict(found)
        return self._observed

    def timeline(self) -> Timeline:
        """What the workers did, up to this moment while the run goes on."""
        runs = self._view.runs
        return self._view.workers.timeline(now=time.time() if runs else None, live=runs)

    def _completed(self) -> list[TrialView]:
        return [t for t in self._view.trials.values() if t.value is not None and not t.left]

    def _place(self, trial: TrialView, names: tuple[str, ...]) -> tuple[float | None, ...]:
        if trial.number not in self._positions:
            study, proposal = self._view.facts.study, trial.proposal
            self._positions[trial.number] = (
                (None,) * len(names)
                if study is None or proposal is None
                else tuple(position(study.space, name, proposal.configuration.get(name)) for name in names)
            )
        return self._positions[trial.number]
