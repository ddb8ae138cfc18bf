"""Early stopping by Optuna's pruners, over an in-memory copy of the curves.

The real study has only the start and the end of a trial. A second study, in memory and never
written, holds nothing but learning curves and lets Optuna's own pruners judge, with their semantics:
the median rule compares with completed trials only, successive halving with every trial that reached
a rung. Failed and lost trials are no measure for others, and are left out.

Optuna looks at all values of a trial for each report of it, so of a trial with more than a thousand reports
it is given ever fewer (`tools/records/thinning.py`): what a report costs does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.history import Direction
from tunesmith.tools.records.thinning import stride
from tunesmith.trial import Trial, TrialState

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.trial import Trial as OptunaTrial

    from tunesmith.task import PrunerSpec


class OptunaRule:
    """`pruning.Rule` for the kinds `median` and `halving`."""

    def __init__(self, spec: PrunerSpec, direction: Direction) -> None:
        import optuna

        self._running: dict[int, OptunaTrial] = {}
        self._reported: dict[int, set[int]] = {}
        self._seen: dict[int, int] = {}
        self._asks_always = spec.kind != "median"
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # about a study that is never shown
        try:
            self._shadow = optuna.create_study(
                sampler=optuna.samplers.RandomSampler(seed=0), pruner=_pruner(spec), direction=direction
            )
        finally:
            optuna.logging.set_verbosity(before)

    def observe(self, trial: Trial) -> None:
        from optuna.trial import TrialState as OptunaState

        counts = trial.state in (TrialState.COMPLETED, TrialState.PRUNED)
        if not counts and trial.number not in self._running:
            return
        if trial.reports and trial.number in self._running:
            # Judged by more points than are recorded: a resumed run has to know the same as this one.
            self._shadow.tell(self._running.pop(trial.number), state=OptunaState.FAIL)
            self._seen.pop(trial.number)
        if counts and trial.curve:
            self._take(trial.number, trial.curve, ask=self._asks_always)
        shadow = self._running.pop(trial.number, None)
        self._seen.pop(trial.number, None)
        self._reported.pop(trial.number, None)
        if shadow is None:
            return  # no curve, nothing to compare others with
        if trial.state is TrialState.COMPLETED:
            self._shadow.tell(shadow, trial.value)
        else:
            self._shadow.tell(shadow, state=OptunaState.PRUNED if counts else OptunaState.FAIL)

    def should_stop(self, number: int, curve: Sequence[tuple[int, float]], *, cautious: bool) -> bool:
        return self._take(number, curve, ask=True)

    def _take(self, number: int, curve: Sequence[tuple[int, float]], *, ask: bool) -> bool:
        """Give Optuna what it has not seen of a curve, and return what it says of the last point.

        Args:
            ask: At every step: successive halving keeps its rungs so. Else Optuna is only told the values.
        """
        if number not in self._running:
            self._running[number] = self._shadow.ask()
            self._seen[number], self._reported[number] = 0, set()
        shadow, reported = self._running[number], self._reported[number]
        seen, self._seen[number] = self._seen[number], len(curve)
        prune = False
        for ordinal, (step, value) in enumerate(curve[seen:], start=seen):
            if step in reported or step < 0 or ordinal % stride(ordinal + 1):
                continue  # Optuna keeps the first report of a step, and has no step below 0
            reported.add(step)
            shadow.report(value, step)
            prune = ask and shadow.should_prune()
        return prune


def _pruner(spec: PrunerSpec) -> BasePruner:
    from optuna.pruners import MedianPruner, SuccessiveHalvingPruner

    if spec.kind == "median":
        return MedianPruner(n_startup_trials=spec.startup_trials, n_warmup_steps=spec.warmup_steps)
    return SuccessiveHalvingPruner(min_resource=max(1, spec.warmup_steps), reduction_factor=3)
