"""An Optuna study read as a History, for strategies that know nothing of Optuna."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunesmith.agent.samplers.constraints import with_constraints
from tunesmith.errors import InvalidConfiguration, SpaceError
from tunesmith.goals import Goal
from tunesmith.history import History
from tunesmith.space import Bool, Categorical, Space
from tunesmith.space.choices import MOST_CHOICES
from tunesmith.space.definition import legal_name
from tunesmith.space.ints import LARGEST_EXACT
from tunesmith.space.labels import labels
from tunesmith.space.numeric import Numeric
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import is_number, plain, same
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState, Value

LONGEST = 80
"""Characters of a name that are kept where it is too long for a Space."""
ATTRIBUTE = "tunesmith"
"""The user attribute with a trial's provenance; the same that Tunesmith's own runs write."""
_STATE_NAMES = {state.value for state in TrialState}
_ORIGIN_NAMES = {origin.value for origin in Origin}


class Translation:
    """Between Optuna's parameters and a Space.

    Choices of Optuna may be anything, and equal ones (1, 1.0 and True) are one to it, the first of them. They
    are told apart here as Optuna does, by their place in the list, and go by labels in the Space. So do
    parameters with a name that is none for a Space, such as one of two lines: Optuna takes any text.

    Args:
        distributions: Optuna's distributions by name.
        space: The user's own; None: made from the distributions.
    Raises:
        SpaceError: a distribution that no Space has; see `expressible`.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], space: Space | None = None) -> None:
        self._choices: dict[str, _Choices] = {}
        named = space is None  # the user's own space says its names itself
        self._names = (
            {space_name(name): name for name in distributions} if named else {n: n for n in space or ()}
        )
        parameters: dict[str, Any] = {}
        for name, distribution in distributions.items():
            if space is not None:
                continue  # its own labels stand for its choices
            if isinstance(distribution, CategoricalDistribution):
                self._choices[name] = _Choices(distribution)
                parameters[space_name(name)] = self._choices[name].parameter
            else:
                parameters |= Space.from_distributions({space_name(name): distribution}).parameters
        self.space = Space(parameters) if space is None else space

    def to_optuna(self, configuration: Mapping[str, Value]) -> dict[str, Any]:
        """Parameters as Optuna wants them; only the active ones."""
        return {
            (name := self._names[own]): self._choices[name].choice(value)
            if name in self._choices
            else self.space.parameters[own].original(value)
            for own, value in configuration.items()
        }

    def to_configuration(self, params: Mapping[str, Any], *, near: bool = False) -> Configuration | None:
        """The configuration in a trial's parameters, others left out; None where they do not fill it.

        Args:
            near: Whether values that are not legal here count as the nearest legal ones. A study's trials may
                have them: enqueued by hand, or from a range that was changed since.
        """
        values: dict[str, Any] = {}
        for own in self.space.order:
            name = self._names[own]
            if name not in params or not self.space.is_active(own, values):
                continue
            parameter = self.space.parameters[own]
            value = plain(params[name])
            if isinstance(value, bool) and isinstance(parameter, Numeric):
                value = int(value)  # which Optuna takes for a number
            if name in self._choices:
                value = self._choices[name].value(value)
            fault = parameter.check(own, value)
            if fault is not None and not (near and fault.nearest is not None):
                return None
            values[own] = parameter.canonical(value) if fault is None else fault.nearest
        problems = self.space.problems(values)
        if not problems:
            return self.space.validate(values)
        if near and all(problem.kind == "constraint" for problem in problems):
            try:
                return self.space.snap(values)[0]
            except InvalidConfiguration:
                return None
        return None

    def noted(self, values: Mapping[str, Any]) -> Configuration | None:
        """A configuration that was noted in a study, as this Space has it or (earlier) as Optuna does."""
        if not self.space.problems(values):
            return self.space.validate(values)
        return self.to_configuration(values)

    def same(self, name: str, noted: Any, actual: Any) -> bool:
        """Whether a value of a trial is the one that was noted for it; rounding aside."""
        if is_number(noted) and is_number(actual):
            return math.isclose(noted, actual, rel_tol=1e-9, abs_tol=1e-300)
        parameter = self.space.parameters[space_name(name)]
        if name in self._choices:
            noted, actual = (self._choices[name].value(value) for value in (noted, actual))
        if any(parameter.check(name, value) is not None for value in (noted, actual)):
            return False
        return parameter.canonical(noted) == parameter.canonical(actual)


def space_name(name: str) -> str:
    """What a parameter of Optuna's is called in a Space: as there, or a label where no parameter can be."""
    if legal_name(name):
        return name
    shown = "".join(c if c.isprintable() else " " for c in name)[:LONGEST].strip()
    return f"{shown} {hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}".strip()


class _Choices:
    """The choices of one categorical distribution as values of a Space."""

    def __init__(self, distribution: CategoricalDistribution) -> None:
        self._distribution = distribution
        choices = distribution.choices
        # As Optuna stores a choice: the index of the first that equals it.
        self._first = [index for index, choice in enumerate(choices) if self._index(choice) == index]
        kept = [choices[index] for index in self._first]
        self._values = labels(kept)
        both = all(isinstance(value, bool) for value in self._values) and len(self._values) == 2
        self.parameter: Parameter = Bool() if both else Categorical(self._values)

    def choice(self, value: Value) -> Any:
        """The choice that a value of the Space stands for."""
        place = next(i for i, known in enumerate(self._values) if same(known, value))
        return self._distribution.choices[self._first[place]]

    def value(self, choice: Any) -> Any:
        """The Space's value of a choice, or of a value of the Space itself; else what was given."""
        index = self._index(choice)
        return choice if index is None else self._values[self._first.index(index)]

    def _index(self, choice: Any) -> int | None:
        try:
            return int(self._distribution.to_internal_repr(choice))
        except (ValueError, TypeError):
            return None


def expressible(distribution: BaseDistribution) -> bool:
    """Whether a Space has a counterpart for a distribution that Optuna can be given any value of."""
    if isinstance(distribution, CategoricalDistribution) and len(distribution.choices) > MOST_CHOICES:
        return False
    if (
        isinstance(distribution, IntDistribution)
        and max(-distribution.low, distribution.high) > LARGEST_EXACT
    ):
        return False  # Optuna itself keeps values as floats, which leave integers out beyond that
    try:
        Translation({"x": distribution})
    except SpaceError:
        return False
    return True


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
    _constraints: dict[int, dict[str, float]] = field(default_factory=dict)

    def history(self, study: Study, but: int) -> History:
        """Everything known except trial number `but`, which is being proposed for.

        Objectives are metrics of these names, the first of them the primary one: `value`, or `values_0`,
        `values_1` and so on, as in the columns of `study.trials_dataframe()`. Constraints are limits.
        """
        finished = self._finished
        if finished is None:
            first, *others = goals_of(study)
            space = self.translation.space
            finished = History(
                space, first.metric, first.direction, default=self.default, others=tuple(others)
            )
        names = [goal.metric for goal in finished.goals.objectives]
        running: list[Trial] = []
        for frozen in study.get_trials(deepcopy=False):
            if frozen.number == but or frozen.number in self._read:
                continue
            trial = self._trial(frozen, names)
            if frozen.state.is_finished():
                self._read.add(frozen.number)
                self.proposed.pop(frozen.number, None)
                if trial is not None:
                    finished = finished.with_trial(trial)
                    if frozen.state is not OptunaState.FAIL:
                        self._constraints[trial.number] = frozen.constraints
            elif trial is not None:
                running.append(trial)
        self._finished = finished
        finished = with_constraints(finished, self._constraints)
        for trial in running:
            finished = finished.with_trial(trial)
        return finished

    def _trial(self, frozen: FrozenTrial, names: list[str]) -> Trial | None:
        """The trial as a Trial; None where its parameters do not fill this space."""
        state = _STATES.get(frozen.state)
        if state is None:
            return None
        notes = frozen.user_attrs.get(ATTRIBUTE)
        notes = notes if isinstance(notes, dict) else {}
        configuration = self.translation.to_configuration(frozen.params, near=True)
        if configuration is None and state is TrialState.RUNNING:
            # Its parameters are not all asked for yet; what it will get was noted when it was proposed.
            configuration = self.proposed.get(frozen.number)
            if configuration is None and isinstance(notes.get("configuration"), dict):
                configuration = self.translation.noted(notes["configuration"])
        if configuration is None:
            return None
        if state is TrialState.COMPLETED and not all(map(math.isfinite, frozen.values)):
            state = TrialState.DIVERGED
        values = dict(zip(names, frozen.values, strict=True)) if state is TrialState.COMPLETED else {}
        if frozen.state is OptunaState.FAIL and notes.get("outcome") in _STATE_NAMES:
            state = TrialState(notes["outcome"])
        # Read back, as the share of trials that a model may have a part in is counted over its own.
        origin = Origin(notes["origin"]) if notes.get("origin") in _ORIGIN_NAMES else Origin.USER
        curve = sorted((step, v) for step, v in frozen.intermediate_values.items() if math.isfinite(v))
        return Trial(
            number=frozen.number,
            proposal=Proposal(configuration=configuration, origin=origin, reason=""),
            state=state,
            value=values.get(names[0]),
            values=values,
            curve=tuple(curve),
        )


def goals_of(study: Study) -> list[Goal]:
    """The objectives of a study."""
    maximised = [direction == StudyDirection.MAXIMIZE for direction in study.directions]
    names = ["value"] if len(maximised) == 1 else [f"values_{i}" for i in range(len(maximised))]
    return [
        Goal(metric=name, direction="maximize" if up else "minimize")
        for name, up in zip(names, maximised, strict=True)
    ]


def history_of(study: Study, space: Space) -> History:
    """What an Optuna study has learned, for a strategy or surrogate used by itself.

    Trials that do not fit the space are left out; see `StudyView.history` for objectives and constraints.
    """
    return StudyView(Translation(space.to_distributions(), space), None).history(study, but=-1)


_STATES = {
    OptunaState.RUNNING: TrialState.RUNNING,
    OptunaState.COMPLETE: TrialState.COMPLETED,
    OptunaState.PRUNED: TrialState.PRUNED,
    OptunaState.FAIL: TrialState.CRASHED,
}  # a waiting trial has no parameters yet
