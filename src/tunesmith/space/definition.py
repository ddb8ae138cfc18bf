"""What a space is made of: which configurations are legal, and where they lie in the unit cube."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from tunesmith.errors import InvalidConfiguration, Problem, SpaceError, short
from tunesmith.space import conditions as cond
from tunesmith.space import documents
from tunesmith.space.constraints import Constraint
from tunesmith.space.encoding import Column, Encoding, Mask
from tunesmith.space.nesting import condition, flat_values, ungrouped
from tunesmith.space.parameter import Parameter
from tunesmith.space.scales import Array
from tunesmith.space.values import legal_text, plain
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Configuration, Value

WhyNotRun = Callable[[Mapping[str, Value]], str | None]
"""Why a legal configuration cannot be run, as a clause; None where it can. Pure and quick; never raises."""


def legal_name(name: str) -> bool:
    """Whether a parameter can have this name."""
    return legal_text(name, 100) and name != documents.CONSTRAINTS


class SpaceDefinition:
    """Parameters, conditions and constraints; `Space` adds drawing, repair and other forms."""

    why_not_run: WhyNotRun | None = None
    """What a kind of problem knows beyond the constraints; see `restricted`."""

    def __init__(self, parameters: Mapping[str, Parameter], constraints: Sequence[str] = ()) -> None:
        if not parameters:
            raise SpaceError("a space needs at least one parameter")
        parameters = self._ungrouped(parameters)
        for name, parameter in parameters.items():
            if not isinstance(name, str) or not legal_name(name):
                raise SpaceError(f"{short(name)} cannot be the name of a parameter", key=(str(name)[:100],))
            if not isinstance(parameter, Parameter):
                raise SpaceError(
                    f"{name} should be a Float, Int, Categorical, ..., got {short(parameter)}", key=(name,)
                )
        if isinstance(constraints, str):
            raise SpaceError(
                "`constraints` is a list of comparisons, not one string", key=(documents.CONSTRAINTS,)
            )
        self.parameters: Mapping[str, Parameter] = dict(parameters)
        self.names = tuple(self.parameters)
        self.conditions = cond.read_conditions(self.parameters)
        """parent -> values for every conditional parameter, by its name."""
        self.order = cond.parents_first(self.parameters, self.conditions)
        """Names with every parent before its children."""
        self.parsed_constraints = tuple(self._constraint(i, item) for i, item in enumerate(constraints))
        self.constraints = tuple(constraint.text for constraint in self.parsed_constraints)
        self._encoding = Encoding(self.parameters, self.conditions, self.order)

    @staticmethod
    def _ungrouped(parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters by full name, those in groups (mappings of parameters) included."""
        found = ungrouped(parameters, lambda item: isinstance(item, Mapping) and bool(item))
        for name, parameter in found.items():
            if name not in parameters and isinstance(getattr(parameter, "when", None), Mapping):
                found[name] = replace(parameter, when=condition(name, parameter.when, found))
        return found

    def _constraint(self, index: int, item: object) -> Constraint:
        key = (documents.CONSTRAINTS, str(index))
        try:
            constraint = Constraint.parse(item)
        except SpaceError as error:
            raise SpaceError(str(error), key=key) from None
        for name in constraint.names:
            if name not in self.parameters:
                hint = did_you_mean(name, self.names)
                raise SpaceError(
                    f"constraint {constraint.text!r} names {name!r}, no parameter; {hint}", key=key
                )
            if not self.parameters[name].numeric:
                raise SpaceError(
                    f"constraint {constraint.text!r} names {name!r}, which is not a number", key=key
                )
        return constraint

    def restricted(self, why_not_run: WhyNotRun | None) -> Self:
        """The same space without the configurations that cannot be run; None: with all of them.

        The rule is no part of the space's equality, hash or document: two spaces of the same parameters and
        constraints are one space, and a trial that was run stays a trial of it.
        """
        if why_not_run == self.why_not_run:
            return self
        other = copy(self)
        for name in ("cardinality",):  # what depends on the rule is counted anew
            other.__dict__.pop(name, None)
        other.why_not_run = why_not_run
        return other

    @property
    def bounded(self) -> bool:
        """Whether anything but the ranges says what is legal."""
        return bool(self.parsed_constraints) or self.why_not_run is not None

    def __len__(self) -> int:
        return len(self.parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.parameters

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpaceDefinition) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Space({self._text})"

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.to_dict())

    # Legality

    def is_active(self, name: str, values: Mapping[str, object]) -> bool:
        """Whether `name` is active given the legal values of its (active) ancestors in `values`."""
        wanted = self.conditions.get(name, {})
        return all(
            parent in values and self.parameters[parent].canonical(values[parent]) in allowed
            for parent, allowed in wanted.items()
        )

    def problems(self, values: Mapping[str, object]) -> tuple[Problem, ...]:
        """Every fault of a configuration; empty when it is legal."""
        return self._examine(values)[1]

    def validate(self, values: Mapping[str, object]) -> Configuration:
        """The configuration in canonical form.

        Strict: all active parameters, no others; a bool is no number, 3.0 no Int, "0.1" no Float. An int is
        taken for a Float, and NumPy scalars count as the Python values they stand for.

        Raises:
            InvalidConfiguration: With one `Problem` for every fault.
        """
        legal, problems = self._examine(values)
        if problems:
            raise InvalidConfiguration(problems)
        return Configuration(legal, self.digest(legal))

    def without_nulls(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values without the nulls that say that a parameter does not apply; null as a choice is kept."""
        values = flat_values(values, self.names)
        known: dict[str, Value] = {}
        idle: set[str] = set()
        for name in self.order:
            value = plain(values.get(name))
            legal = self.parameters[name].check(name, value) is None
            if value is None and not (legal and self.is_active(name, known)):
                idle.add(name)
            elif name in values and legal:
                known[name] = self.parameters[name].canonical(value)
        return {name: value for name, value in values.items() if value is not None or name not in idle}

    def _examine(self, values: Mapping[str, object]) -> tuple[dict[str, Value], tuple[Problem, ...]]:
        if not isinstance(values, Mapping):
            allowed = "a configuration is a mapping from parameter names to values"
            return {}, (Problem("wrong_type", "configuration", values, allowed),)
        values = flat_values(values, self.names)
        problems: dict[str, Problem] = {}
        legal: dict[str, Value] = {}
        unsure: set[str] = set()  # a parent is faulty, so whether they belong there is unknown
        for name in self.order:
            parameter = self.parameters[name]
            wanted = self.conditions.get(name, {})
            if any(parent in problems or parent in unsure for parent in wanted):
                unsure.add(name)
            elif not self.is_active(name, legal):
                if name in values:
                    only = f"it applies only when {cond.describe(wanted)}"
                    problems[name] = Problem("inactive", name, values[name], only)
                continue
            if name not in values:
                if name not in unsure:
                    problems[name] = Problem("missing", name, None, parameter.describe())
                continue
            value = plain(values[name])
            if fault := parameter.check(name, value):
                problems[name] = fault
            else:
                legal[name] = parameter.canonical(value)
        faults = [problems[name] for name in self.names if name in problems]
        for key in values:
            if key not in self.parameters:
                faults.append(Problem("unknown", str(key), values[key], did_you_mean(key, self.names)))
        if not faults:
            faults = [self._broken(c, legal) for c in self.parsed_constraints if not self.holds(c, legal)]
        legal = {name: legal[name] for name in self.names if name in legal}
        if not faults and self.why_not_run is not None and (why := self.why_not_run(legal)) is not None:
            faults = [Problem("cannot_run", "configuration", dict(legal), why)]
        return legal, tuple(faults)

    def holds(self, constraint: Constraint, legal: Mapping[str, Value]) -> bool:
        """Whether a constraint holds for legal values; one that names an inactive parameter does."""
        if not all(name in legal for name in constraint.names):
            return True
        return bool(constraint.holds({name: np.asarray(float(legal[name])) for name in constraint.names}))

    def _broken(self, constraint: Constraint, legal: Mapping[str, Value]) -> Problem:
        named = {name: float(legal[name]) for name in constraint.names}
        shown = ", ".join(f"{name}={self.format_value(name, legal[name])}" for name in constraint.names)
        allowed = f"with {shown} it reads {constraint.reading(named)}"
        return Problem("constraint", constraint.text, None, allowed)

    def digest(self, values: Mapping[str, Value]) -> str:
        """16 hexadecimal digits, equal for legal values that no training run could tell apart.

        Integers, steps and choices count exactly. A continuous float counts by its cell: its unit coordinate
        is cut into 10^9 cells. Values further apart than a cell always differ; closer ones are equal unless a
        cell's edge runs between them, which happens to float noise (1e-16) about once in 10^7 values, as the
        edges avoid short decimals. The order of the parameters does not matter, the range does.
        """
        tokens = sorted((name, self.parameters[name].token(value)) for name, value in values.items())
        return hashlib.blake2b(json.dumps(tokens).encode(), digest_size=8).hexdigest()

    # The unit cube

    @property
    def dimensions(self) -> int:
        """Columns of the unit cube: one for each parameter, k for a categorical of k choices."""
        return len(self._encoding.columns)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._encoding.columns

    def encode(self, configuration: Mapping[str, Value]) -> tuple[Array, Mask]:
        """Row (d,) in [0, 1] and active mask (d,) of a legal configuration.

        Columns of inactive parameters hold 0.5 (one-hot: 0).
        """
        return self._encoding.encode(configuration)

    def decode(self, row: Array) -> Configuration:
        """The legal configuration nearest to a row (d,); the largest of a categorical's columns wins.

        Raises:
            InvalidConfiguration: A constraint does not hold there.
        """
        return self.legal_configurations(np.asarray(row)[None, :])[0]

    def legal_configurations(self, rows: Array) -> list[Configuration]:
        """The legal configurations nearest to rows (n, d); InvalidConfiguration as in `decode`."""
        resolved = self._encoding.resolve(rows)
        return [self.validate(self._encoding.values(resolved, i)) for i in range(len(rows))]

    def values_of(self, rows: Array) -> list[dict[str, Value]]:
        """The active parameters' values at rows (n, d), once rounded: quick, as nothing is checked."""
        return self._encoding.all_values(self._encoding.resolve(rows))

    def round(self, rows: Array) -> Array:
        """Nearest legal points of rows (n, d), inactive columns at rest; constraints are not looked at."""
        return self._encoding.resolve(rows).rows

    def active(self, rows: Array) -> Mask:
        """Which columns of rows (n, d) belong to active parameters, shape (n, d)."""
        return self._encoding.mask(self._encoding.resolve(rows))

    def feasible(self, rows: Array) -> Mask:
        """Whether rows (n, d), once rounded, keep all constraints and can be run, shape (n,)."""
        held = np.ones(len(rows), dtype=bool)
        if self.parsed_constraints:
            held = np.asarray(self.constraint_table(rows).all(axis=1))
        if self.why_not_run is not None:
            asked = np.flatnonzero(held)
            # In the space's order, as `validate` gives them.
            for i, values in zip(asked, self.values_of(rows[asked]), strict=True):
                held[i] = self.why_not_run(values) is None
        return held

    def constraint_table(self, rows: Array) -> Mask:
        """Whether each constraint holds at each of rows (n, d), shape (n, number of constraints)."""
        resolved = self._encoding.resolve(rows)
        table = np.ones((len(rows), len(self.parsed_constraints)), dtype=bool)
        for j, constraint in enumerate(self.parsed_constraints):
            numbers = {name: self._encoding.numbers(name, resolved) for name in constraint.names}
            active = np.logical_and.reduce([resolved.active[name] for name in constraint.names])
            table[:, j] = constraint.holds(numbers) | ~active
        return table

    # What training code receives

    def originals(self, configuration: Mapping[str, Value]) -> dict[str, Any]:
        """A legal configuration as training code receives it: None and lists instead of their labels."""
        return {name: self.parameters[name].original(value) for name, value in configuration.items()}

    def stored(self, configuration: Mapping[str, Value]) -> dict[str, Value | None]:
        """A legal configuration as an Optuna study stores it, by the distributions of `to_distributions`."""
        return {name: self.parameters[name].stored(value) for name, value in configuration.items()}

    def inexact(self, configuration: Mapping[str, Value]) -> dict[str, Value]:
        """The values that `stored` only approximates: integers beyond 2^53, which have to be kept beside."""
        return {
            name: value
            for name, value in configuration.items()
            if not getattr(self.parameters[name], "exact", True)
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for everything that was given and means less than it seems."""
        return tuple(
            f"{name}: {clause}, so the two are one choice"
            for name, parameter in self.parameters.items()
            for clause in getattr(parameter, "left_out", ())
        )

    # Words

    def format_value(self, name: str, value: Value) -> str:
        """A legal value as text: floats to about a thousandth of their range, the rest exactly."""
        return self.parameters[name].format(value)

    def format(self, configuration: Mapping[str, Value]) -> str:
        """One line, in the space's order: `lr=0.0012, optimizer=adam`."""
        return ", ".join(
            f"{n}={self.format_value(n, configuration[n])}" for n in self.names if n in configuration
        )

    def describe(self) -> str:
        """One bullet a parameter, with its condition, then one a constraint."""
        lines = []
        for name, parameter in self.parameters.items():
            only = f"; only when {cond.describe(self.conditions[name])}" if name in self.conditions else ""
            lines.append(f"- {name}: {parameter.describe()}{only}")
        return "\n".join(lines + [f"- constraint: {text}" for text in self.constraints])

    def to_dict(self) -> dict[str, Any]:
        """Plain data as in a task file."""
        conditions = {name: cond.to_dict(c) for name, c in self.conditions.items()}
        return documents.write_space(self.parameters, conditions, self.constraints)
