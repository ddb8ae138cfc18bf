"""The search space: one object that says what is legal, and moves between values, rows and text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from tunesmith.errors import InvalidConfiguration, SpaceError
from tunesmith.space import distributions, documents, repair, sampling
from tunesmith.space.definition import SpaceDefinition
from tunesmith.trial import Configuration, Value

if TYPE_CHECKING:
    import numpy as np
    from optuna.distributions import BaseDistribution


class Space(SpaceDefinition):
    """Named parameters with conditions and constraints. Immutable, picklable, a pydantic field type.

    Args:
        parameters: By name, in the order everything is shown.
        constraints: Arithmetic comparisons such as `warmup < epochs` over numeric parameters; see
            `constraints.py` for the language. One that names an inactive parameter holds.
    Raises:
        SpaceError: Anything that cannot be.

    Example:
        >>> space = Space({"lr": Float(1e-5, 1e-1, scale="log"), "optimizer": Categorical(["adam", "sgd"])})
        >>> space.format(space.validate({"lr": 0.001, "optimizer": "adam"}))
        'lr=0.001, optimizer=adam'
    """

    def snap(
        self, values: Mapping[str, object], base: Mapping[str, Value] | None = None
    ) -> tuple[Configuration, tuple[str, ...]]:
        """The nearest legal configuration, and one sentence for every change.

        Clips, rounds to steps, reads numbers written as text, fills what is missing (or None) from `base`
        or the middle of the range, drops unknown and inactive parameters, and moves what a broken
        constraint names.

        Raises:
            InvalidConfiguration: Beyond repair: NaN, a value with no number or choice in it, or
                constraints for which no nearby configuration was found.
        """
        if not isinstance(values, Mapping):
            raise InvalidConfiguration(self.problems(values))
        return repair.snap(self, values, base)

    def sample(self, rng: np.random.Generator, n: int = 1) -> list[Configuration]:
        """n configurations, uniform over the part of the cube that is legal; may repeat.

        Raises:
            SpaceError: Nothing (or too little) feasible was found; names the constraint.
        """
        return self.legal_configurations(sampling.feasible_rows(self, rng, n))

    @cached_property
    def cardinality(self) -> int | None:
        """Number of legal configurations; None for a continuous space.

        Exact, except that constraints are looked at only up to 10,000 configurations; beyond that it
        is the number without them.
        """
        count = sampling.count(self)
        if count is None or not self.bounded or count > sampling.LARGEST_LISTING:
            return count
        return len(self.all_configurations())

    def all_configurations(self) -> list[Configuration]:
        """Every legal configuration of a small finite space, in the order of the values.

        Raises:
            SpaceError: More than 10,000 of them, or a continuous parameter.
        """
        count = sampling.count(self)
        if count is None or count > sampling.LARGEST_LISTING:
            raise SpaceError(f"the space has {count or 'infinitely many'} configurations, too many to list")
        return [
            Configuration(values, self.digest(values))
            for values in sampling.all_values(self)
            if all(self.holds(constraint, values) for constraint in self.parsed_constraints)
            and (self.why_not_run is None or self.why_not_run(values) is None)
        ]

    def to_distributions(self, *, originals: bool = False) -> dict[str, BaseDistribution]:
        """Optuna's distributions: conditions and constraints left out, logit plain, Ordinal categorical.

        Args:
            originals: Whether choices are those that were given, lists among them, as an objective has them
                that suggests them itself; else as `stored`.
        """
        return {name: distributions.to_distribution(p, originals) for name, p in self.parameters.items()}

    @classmethod
    def from_distributions(cls, given: Mapping[str, Any]) -> Space:
        """A space over Optuna's distributions; SpaceError for one without a counterpart."""
        return cls(distributions.from_distributions(given))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """Inverse of `to_dict`; SpaceError names the key at fault."""
        parameters, constraints = documents.read_space(data)
        return cls(parameters, constraints)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda data: data if isinstance(data, cls) else cls.from_dict(data),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda space: space.to_dict()),
        )
