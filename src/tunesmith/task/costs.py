"""What trials of a task cost, in units of the problem, as far as it is known before they run.

The kind of problem knows (`ProblemKind.cost`), or the task says it: `cost: epochs * width / 1000`. A
parameter that is inactive counts as 0 there.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from numbers import Real
from typing import Any, NamedTuple, Protocol

import numpy as np

from tunesmith.budget import Budget
from tunesmith.errors import SpaceError, TaskError, short
from tunesmith.problem import ProblemKind
from tunesmith.space import Space
from tunesmith.space.expressions import Expression
from tunesmith.space.values import is_finite, is_number
from tunesmith.task.faults import fault
from tunesmith.task.member import ProblemChoice
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Configuration, Value

log = logging.getLogger(__name__)

FIX = "Write arithmetic over numeric parameters, such as `cost: epochs * width / 1000`."
SAMPLED = 200
"""Configurations at which a cost is looked at when the task is made."""
CORNERED, STARTS = 5, 8
"""Parameters of a cost that are put at both ends of their ranges, from so many of those configurations."""
FEW = 4
"""Configurations that are looked at where none of those can be run."""
REMEMBERED = 2**16
"""Answers of a kind of problem that are kept."""


class Costed(Protocol):
    """What of a `Task` is needed here; `task.py` imports this file."""

    @property
    def space(self) -> Space: ...
    @property
    def default(self) -> Configuration | None: ...
    @property
    def problem(self) -> ProblemChoice | None: ...
    @property
    def cost(self) -> str | None: ...
    @property
    def budget(self) -> Budget: ...


@lru_cache(maxsize=64)
def parsed(text: str) -> Expression:
    """A task's `cost`; SpaceError where it is none."""
    return Expression.parse(text, "cost")


@dataclass(frozen=True, eq=False)  # by identity: another package's settings need not be hashable
class KindsRule:
    """What a kind of problem says of configurations that cannot be run; for `Space.restricted`.

    Each is asked about once, as far as REMEMBERED goes: a search draws, checks and looks up the same one
    again and again, and would end in a fault where a kind changed its mind in between.
    """

    kind: ProblemKind
    choice: ProblemChoice
    space: Space
    known: dict[tuple[tuple[str, Value], ...], str | None] = field(default_factory=dict, repr=False)

    def __call__(self, configuration: Mapping[str, Value]) -> str | None:
        """Why a legal configuration cannot be run; None where it can."""
        key = tuple(sorted(configuration.items()))
        if key not in self.known:
            while len(self.known) >= REMEMBERED:
                self.known.pop(next(iter(self.known)))
            self.known[key] = self._ask(configuration)
        return self.known[key]

    def _ask(self, configuration: Mapping[str, Value]) -> str | None:
        options, given = self.choice.settings, self.space.originals(configuration)
        try:
            if self.kind.feasible(options, given):
                return None
            return self.kind.why_not(options, given) or f"{self.choice.name} says so"
        except Exception as error:  # another package's code: what it fails on is not run
            log.debug("%s fails on %s", self.choice.name, dict(configuration), exc_info=True)
            return f"{self.choice.name} fails on it ({short(repr(error))})"


def restrict(fields: dict[str, Any]) -> None:
    """Take out of a task's space what its kind of problem cannot run; `fields` are not validated yet."""
    space, problem = fields.get("space"), fields.get("problem")
    if not isinstance(space, Space):
        return
    rule = None
    if problem is not None:
        choice = ProblemChoice.model_validate(problem)
        kind = kind_of(choice)
        if type(kind).feasible is not ProblemKind.feasible:
            rule = KindsRule(kind, choice, space.restricted(None))
    fields["space"] = space.restricted(rule)


def kind_of(choice: ProblemChoice) -> ProblemKind:
    """The kind of problem that a task names."""
    kind: ProblemKind = choice.member()
    return kind


def given_to_objective(choice: ProblemChoice | None) -> str:
    """What a kind of problem gives the training function (`ProblemKind.given`), as JSON; else empty."""
    given = None if choice is None else kind_of(choice).given(choice.settings)
    return "" if given is None else json.dumps(given)


def code_of(choice: ProblemChoice | None) -> Sequence[str]:
    """See `ProblemKind.code`."""
    return () if choice is None else kind_of(choice).code(choice.settings)


def cost_of(task: Costed, configuration: Mapping[str, Value]) -> float | None:
    """See `Task.cost_of`."""
    if task.problem is not None:
        options, given = task.problem.settings, task.space.originals(configuration)
        try:
            known = kind_of(task.problem).cost(options, given)
        except Exception:  # another package's code: a run under way goes on without what it would say
            log.debug("%s fails on the cost of %s", task.problem.name, dict(configuration), exc_info=True)
            return None
        if known is not None:
            return _usable(known)
    return None if task.cost is None else _usable(stated_cost(task.cost, configuration))


def stated_cost(text: str, configuration: Mapping[str, Value]) -> float:
    """What an expression comes to; may be anything that a float can be."""
    expression = parsed(text)
    values = {name: np.asarray(float(configuration.get(name, 0))) for name in expression.names}
    return float(expression.evaluate(values))


def _usable(cost: Any) -> float | None:
    number = isinstance(cost, Real) and not isinstance(cost, bool)  # one of numpy's as well
    return float(cost) if number and is_finite(cost) and cost > 0 else None


class CostRange(NamedTuple):
    """What trials cost, over configurations drawn from the space."""

    least: float
    most: float
    mean: float


def cost_range(task: Costed) -> CostRange | None:
    """Over what can be run, by a sample and the default; None where the task states no cost."""
    rule = task.space.why_not_run
    drawn = [one for one in _drawn(task.space, task.default) if rule is None or rule(one) is None]
    drawn = drawn or _few(task.space)
    costs = [cost for one in drawn if (cost := cost_of(task, one)) is not None]
    return CostRange(min(costs), max(costs), math.fsum(costs) / len(costs)) if costs else None


class PaidTrials(NamedTuple):
    """How many trials a budget of costs pays for, and a budget of trials allows."""

    least: int
    """All of the dearest configuration."""
    most: int
    """All of the cheapest one."""
    usual: int
    """Of average cost."""


def paid_trials(task: Costed) -> PaidTrials | None:
    """None where the budget has no costs."""
    budget, costs = task.budget, cost_range(task)
    if budget.cost is None or costs is None:
        return None
    paid = [math.floor(budget.cost / one + 1e-9) for one in (costs.most, costs.least, costs.mean)]
    return PaidTrials(*(min(trials, budget.trials) for trials in paid))


def read_cost(fields: dict[str, Any]) -> list[TaskError]:
    """What is wrong with the key `cost`: the text, a name in it, or a value it has somewhere in the space.

    Args:
        fields: A task's keys, the space and the default read already; a number at `cost` becomes its text.
    """
    text, space, default = fields.get("cost"), fields.get("space"), fields.get("default")
    if is_number(text) and is_finite(text):
        text = fields["cost"] = repr(text)
    if callable(text):
        problem = "cannot be a function, which would be gone when the run is continued from its folder."
        return [fault(("cost",), problem, f"{FIX} A kind of problem can work a cost out in Python.")]
    if not isinstance(text, str):
        return []
    try:
        expression = parsed(text)
    except SpaceError as error:
        return [fault(("cost",), f"{str(error).removeprefix('cost ')}.", FIX)]
    if not isinstance(space, Space):
        return []
    return _names_faults(expression, space) or _value_faults(expression, space, default)


def _names_faults(expression: Expression, space: Space) -> list[TaskError]:
    found = []
    numeric = [name for name in space.names if space.parameters[name].numeric]
    for name in expression.names:
        if name not in space:
            hint = did_you_mean(name, numeric)
            fix = f"{hint[:1].upper()}{hint[1:]}{'' if hint.endswith('?') else '.'}"
            found.append(fault(("cost",), f"names {short(name)}, which is no parameter.", fix))
        elif name not in numeric:
            problem = f"names {short(name)}, which is not a number."
            hint = f"Numeric parameters are {', '.join(numeric[:20])}." if numeric else FIX
            found.append(fault(("cost",), problem, hint))
    return found


def _value_faults(expression: Expression, space: Space, default: Configuration | None) -> list[TaskError]:
    drawn = _drawn(space, default)
    for one in [*drawn, *_corners(space, expression, drawn[:STARTS])]:
        cost = stated_cost(expression.text, one)
        if _usable(cost) is None:
            left = [name for name in expression.names if name not in one]
            inactive = f" ({', '.join(left)} is inactive and counts as 0)" if left else ""
            problem = (
                f"should be a finite number above 0, and is {cost:.6g} for {space.format(one)}{inactive}."
            )
            fix = "Add what a trial costs at least, such as `cost: 1 + ...`."
            return [fault(("cost",), problem, fix)]
    return []


def faults_across(task: Costed) -> list[TaskError]:
    """Faults of what a kind of problem says, by a sample, and of a budget of a cost that nobody knows."""
    found = [] if task.problem is None else _kind_faults(task, task.problem)
    return found if found or task.budget.cost is None else _budget_faults(task, task.budget.cost)


def _kind_faults(task: Costed, choice: ProblemChoice) -> list[TaskError]:
    kind, options = kind_of(choice), choice.settings
    if type(kind).cost is ProblemKind.cost and type(kind).feasible is ProblemKind.feasible:
        return []
    runnable = False
    for one in _drawn(task.space, task.default):
        given = task.space.originals(one)
        try:
            cost, can = kind.cost(options, given), kind.feasible(options, given)
        except Exception as error:  # noqa: BLE001 - another package's code; its fault is told like one of the task's
            problem = f"{choice.name} fails for {task.space.format(one)} ({short(repr(error))})."
            return [fault(("problem",), problem, "Mend that package, or name another kind.")]
        if cost is not None and _usable(cost) is None:
            problem = (
                f"{choice.name} says that {task.space.format(one)} costs {short(cost)}, where a finite "
                "number above 0 is needed."
            )
            return [fault(("problem",), problem, "Mend that package, or name another kind.")]
        runnable = runnable or bool(can)
        if one is task.default and not can:
            problem = f"cannot be run: {kind.why_not(options, given) or choice.name + ' says so'}."
            return [fault(("default",), problem, "Write one that can.")]
    try:
        _ = [] if runnable else _few(task.space)
    except SpaceError as error:
        problem = f"{choice.name} can run none of the configurations drawn from the space."
        return [fault(("problem",), problem, str(error))]
    return []


def _budget_faults(task: Costed, budget: float) -> list[TaskError]:
    """No cost is stated, or the budget cannot pay for the default."""
    if task.cost is None and cost_range(task) is None:
        return [fault(("budget", "cost"), "has no meaning without a cost of a trial.", FIX)]
    cost = None if task.default is None else cost_of(task, task.default)
    if cost is None or cost <= budget:
        return []
    problem = f"is {budget:g}, and the default alone costs {cost:.6g}; it is tried first."
    return [fault(("budget", "cost"), problem, "Raise it, or state another `default`.")]


def _drawn(space: Space, default: Configuration | None) -> list[Configuration]:
    """The default, and a sample that is always the same."""
    drawn = space.restricted(None).sample(np.random.default_rng(0), SAMPLED)
    return drawn if default is None else [default, *drawn]


def _corners(space: Space, expression: Expression, starts: list[Configuration]) -> list[Configuration]:
    """Legal configurations in which parameters of the cost are at the ends of their ranges, from legal ones.

    A cost that no sample finds to be 0, such as that of `x` from 0 to 1, is so there.
    """
    columns = [i for i, one in enumerate(space.columns) if one.parameter in expression.names][:CORNERED]
    ends = np.array(list(product((0.0, 1.0), repeat=len(columns))))
    cornered = np.repeat(np.array([space.encode(one)[0] for one in starts]), len(ends), axis=0)
    cornered[:, columns] = np.tile(ends, (len(starts), 1))
    return space.legal_configurations(cornered[space.restricted(None).feasible(cornered)])


def _few(space: Space) -> list[Configuration]:
    """Some that can be run, where that is a small part of the space; SpaceError where none is found."""
    return space.sample(np.random.default_rng(0), FEW)
