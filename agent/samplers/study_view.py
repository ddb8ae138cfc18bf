"""An Optuna study read as a History, for strategies that know nothing of Optuna."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunesmith.agent.samplers.scalarise import scalarise
from tunesmith.errors import InvalidConfiguration, SpaceError, UsageError
from tunesmith.history import Direction, History
from tunesmith.space import Categorical, Space
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState, Value

ATTRIBUTE = "tunesmith"
"""The user attribute with a trial's provenance; the same that Tunesmith's own runs write."""
_STATE_NAMES = {state.value for state in TrialState}
_ORIGIN_NAMES = {origin.value for origin in Origin}


class Translation:
    """Between Optuna's parameters and a Space.

    Optuna allows choices that a Space does not (None, and 1 beside True); those parameters become
    categories labelled `choice 0`, `choice 1`, ...

    Args:
        distributions: Optuna's distributions by name.
        space: The user's own; None: made from the distributions.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], space: Space | None = None) -> None:
        self._labelled: dict[str, tuple[Any, ...]] = {}
        if space is None:
            space = Space({name: self._parameter(name, d) for name, d in distributions.items()})
        self.space = space

    def _parameter(self, name: str, distribution: BaseDistribution) -> Any:
        try:
            return Space.from_distributions({name: distribution}).parameters[name]
        except SpaceError:
            if not isinstance(distribution, CategoricalDistribution):
                raise
            self._labelled[name] = distribution.choices
            return Categorical([f"choice {i}" for i in range(len(distribution.choices))])

    def to_optuna(self, configuration: Configuration) -> dict[str, Any]:
        """Parameters as Optuna wants them; only the active ones."""
        return {name: self._to_choice(name, value) for name, value in configuration.items()}

    def _to_choice(self, name: str, value: Value) -> Any:
        if name not in self._labelled:
            return value
        return self._labelled[name][int(str(value).removeprefix("choice "))]

    def to_configuration(self, params: Mapping[str, Any]) -> Configuration | None:
        """The configuration in a trial's parameters, others left out; None where they do not fill it."""
        values: dict[str, Any] = {}
        for name in self.space.order:
            if name not in params or not self.space.is_active(name, values):
                continue
            values[name] = self._from_choice(name, params[name])
            if self.space.parameters[name].check(name, values[name]) is not None:
                return None
        try:
            return self.space.validate(values)
        except InvalidConfiguration:
            return None

    def _from_choice(self, name: str, value: Any) -> Any:
        if name not in self._labelled:
            return value
        same = (type(value), value)
        index = next((i for i, c in enumerate(self._labelled[name]) if (type(c), c) == same), None)
        return None if index is None else f"choice {index}"


@dataclass
class StudyView:
    """One study over one space; reads each finished trial once.

    Attributes:
        proposed: What was proposed for a trial, by number: known before its parameters are.
    """

    translation: Translation
    default: Configuration | None
    proposed: dict[int, Configuration] = field(default_factory=dict)
    _finished: History | None = None
    _read: set[int] = field(default_factory=set)
    _objectives: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def history(self, study: Study, but: int, weights: tuple[float, ...] = (1.0,)) -> History:
        """Everything known except trial number `but`, which is being proposed for.

        Args:
            weights: Of the study's objectives. With several, the values are their scalarisation, to be
                minimised.
        """
        finished = self._finished
        if finished is None:
            maximise = len(study.directions) == 1 and study.direction == StudyDirection.MAXIMIZE
            direction: Direction = "maximize" if maximise else "minimize"
            metric = "value" if len(study.directions) == 1 else "weighted_objectives"
            finished = History(self.translation.space, metric, direction, default=self.default)
        running: list[Trial] = []
        for frozen in study.get_trials(deepcopy=False):
            if frozen.number == but or frozen.number in self._read:
                continue
            trial = self._trial(frozen)
            if frozen.state.is_finished():
                self._read.add(frozen.number)
                self.proposed.pop(frozen.number, None)
                if trial is not None:
                    finished = finished.with_trial(trial)
                    if trial.state is TrialState.COMPLETED:
                        self._objectives[trial.number] = tuple(frozen.values)
            elif trial is not None:
                running.append(trial)
        self._finished = finished
        if len(study.directions) > 1:
            finished = self._scalarised(finished, study.directions, weights)
        for trial in running:
            finished = finished.with_trial(trial)
        return finished

    def _scalarised(
        self, history: History, directions: list[StudyDirection], weights: tuple[float, ...]
    ) -> History:
        """The same trials with the scalarisation of their objectives as value."""
        signs = [-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in directions]
        known = [self._objectives[trial.number] for trial in history.completed]
        rows = np.array(known, dtype=np.float64).reshape(len(known), len(signs)) * signs
        scalars = iter(scalarise(rows, weights).tolist())
        return replace(
            history,
            trials=tuple(
                trial.model_copy(update={"value": next(scalars)})
                if trial.state is TrialState.COMPLETED
                else trial
                for trial in history.trials
            ),
        )

    def _trial(self, frozen: FrozenTrial) -> Trial | None:
        """The trial as a Trial; None where its parameters do not fill this space."""
        state = _STATES.get(frozen.state)
        if state is None:
            return None
        notes = frozen.user_attrs.get(ATTRIBUTE)
        notes = notes if isinstance(notes, dict) else {}
        configuration = self.translation.to_configuration(frozen.params)
        if configuration is None and state is TrialState.RUNNING:
            # Its parameters are not all asked for yet; what it will get was noted when it was proposed.
            configuration = self.proposed.get(frozen.number)
            if configuration is None and isinstance(notes.get("configuration"), dict):
                configuration = self.translation.to_configuration(notes["configuration"])
        if configuration is None:
            return None
        # Of several objectives the first stands here until they are scalarised.
        value = frozen.values[0] if state is TrialState.COMPLETED else None
        if state is TrialState.COMPLETED and not all(map(math.isfinite, frozen.values)):
            state, value = TrialState.DIVERGED, None
        if frozen.state is OptunaState.FAIL and notes.get("outcome") in _STATE_NAMES:
            state = TrialState(notes["outcome"])
        # Read back, as the share of trials that a model may have a part in is counted over its own.
        origin = Origin(notes["origin"]) if notes.get("origin") in _ORIGIN_NAMES else Origin.USER
        curve = sorted((step, v) for step, v in frozen.intermediate_values.items() if math.isfinite(v))
        return Trial(
            number=frozen.number,
            proposal=Proposal(configuration=configuration, origin=origin, reason=""),
            state=state,
            value=value,
            curve=tuple(curve),
        )


def history_of(study: Study, space: Space) -> History:
    """What an Optuna study of one objective has learned, for a strategy or surrogate used by itself.

    Trials that do not fit the space are left out.

    Raises:
        UsageError: the study has several objectives.
    """
    if len(study.directions) > 1:
        raise UsageError(f"the study has {len(study.directions)} objectives; one can be read as a history")
    return StudyView(Translation(space.to_distributions(), space), None).history(study, but=-1)


_STATES = {
    OptunaState.RUNNING: TrialState.RUNNING,
    OptunaState.COMPLETE: TrialState.COMPLETED,
    OptunaState.PRUNED: TrialState.PRUNED,
    OptunaState.FAIL: TrialState.CRASHED,
}  # a waiting trial has no parameters yet
