"""Whether a running trial should stop early, by the rule that the task chose.

`race` is `RaceRule`: scores by item, compared with those of the best trial. `forecast` is `ForecastRule`:
what a curve may still come to lies below what the best trials came to. `median` and `halving` are
`OptunaRule`: Optuna's pruners with their semantics. `none` never stops anything.

Trials that completed and break a limit are no measure for others: what keeps the limits may have to be worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tunesmith.goals import Limit
from tunesmith.history import Direction
from tunesmith.tools.engine.forecast_rule import ForecastRule
from tunesmith.tools.engine.optuna_rule import OptunaRule
from tunesmith.tools.engine.race_rule import RaceRule
from tunesmith.trial import Trial, TrialState

if TYPE_CHECKING:
    from tunesmith.task import PrunerSpec

Curve = Sequence[tuple[int, float]]


class Rule(Protocol):
    """Judges learning curves; used from the engine's thread."""

    def observe(self, trial: Trial) -> None:
        """Learn from a trial that ended. Trials of earlier sessions are given in order, with their curves."""
        ...

    def should_stop(self, number: int, curve: Curve, *, cautious: bool) -> bool:
        """Whether trial `number` should stop after the last point of its curve.

        Args:
            curve: All of its (step, value) so far, at least one; finite. Called once a report, or less often.
            cautious: Whether to stop only what is hopeless. Optuna's rules have no such degree.
        """
        ...


class Pruner:
    """Judges learning curves as they grow. Used from the engine's thread.

    Args:
        spec: The task's choice: the rule's `kind`, how many steps are always granted, and how many trials
            must have completed before any is pruned.
        direction: The task's.
        limits: The task's.
        metric: The primary one; `race` alone asks for its name.
        trials: How many trials the run may have; `race` alone asks.
    """

    def __init__(
        self,
        spec: PrunerSpec,
        direction: Direction,
        limits: Sequence[Limit] = (),
        *,
        metric: str = "",
        trials: int = 50,
    ) -> None:
        self._spec, self._limits = spec, limits
        self._completed = 0
        self._rule: Rule | None = None
        self._race: RaceRule | None = None
        if spec.kind == "race":
            self._race = RaceRule(spec, metric, direction, limits, trials)
        elif spec.kind == "forecast":
            self._rule = ForecastRule(direction)
        elif spec.kind != "none":
            self._rule = OptunaRule(spec, direction)

    def observe(self, trial: Trial) -> None:
        """Learn from a trial that ended. Trials of earlier sessions are given in order, with their curves."""
        if self._race is not None:
            self._completed += trial.state is TrialState.COMPLETED
            self._race.observe(trial)
        if self._rule is None:
            return
        kept = all(limit.met(trial.values.get(limit.metric)) for limit in self._limits)
        if trial.state is TrialState.COMPLETED and not kept:
            trial = trial.model_copy(update={"state": TrialState.CRASHED, "value": None})
        self._completed += trial.state is TrialState.COMPLETED
        self._rule.observe(trial)

    def why(self, number: int) -> str:
        """Why trial `number`, which was stopped and not observed yet, was; empty where no rule says."""
        return "" if self._race is None else self._race.why(number)

    def should_stop(
        self,
        number: int,
        curve: Curve,
        *,
        cautious: bool = False,
        others: Mapping[str, float] | None = None,
    ) -> bool:
        """Whether trial `number`, running, should stop after the last point of its curve.

        Args:
            curve: All of its (step, value) so far; finite. Called once per report, or less often.
            cautious: Whether to stop only what is hopeless, because too much was stopped lately.
            others: Values of further metrics that came with the latest report; `race` alone looks at them.
        """
        if not curve:
            return False
        if self._race is not None:
            stop = self._race.should_stop(number, curve, others=others)
        elif self._rule is not None:
            stop = self._rule.should_stop(number, curve, cautious=cautious)
        else:
            return False
        granted = self._completed < self._spec.startup_trials or curve[-1][0] < self._spec.warmup_steps
        return stop and not granted
