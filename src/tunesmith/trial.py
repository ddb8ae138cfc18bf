"""The values of one trial: what was proposed, why, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

Value = bool | int | float | str
"""A hyperparameter's value."""


class Configuration(Mapping[str, Value]):
    """A set of hyperparameter values: frozen, ordered as its space, hashed canonically.

    Made by `Space.validate` (or `Space.decode`, `Space.sample`), which alone know what is legal;
    it holds only the active parameters. Two configurations are equal when their digests are, so
    0.1 and 0.1 + 1e-17 count as the same trial.

    Attributes:
        digest: 16 hexadecimal digits; equal for values that no training run could tell apart.
    """

    __slots__ = ("_values", "digest")

    def __init__(self, values: Mapping[str, Value], digest: str) -> None:
        self._values = dict(values)
        self.digest = digest

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self.digest == other.digest

    def __repr__(self) -> str:
        return f"Configuration({self._values!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        # On disk: {"values": {...}, "digest": "..."}; read back without the space, which had validated it.
        def read(data: Any) -> Configuration:
            if isinstance(data, Configuration):
                return data
            return cls(dict(data["values"]), str(data["digest"]))

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda c: {"values": dict(c), "digest": c.digest}
            ),
        )


ConfigurationField = Annotated[
    Configuration,
    PlainSerializer(lambda c: {"values": dict(c), "digest": c.digest}),
    WithJsonSchema({"type": "object"}),
]


class Frozen(BaseModel):
    """A value: immutable, compared by content, strict about unknown fields."""

    # As JSON a NaN is the text "NaN": legal JSON, and read back as it was; a null would be no number.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Origin(StrEnum):
    """Who proposed a configuration."""

    DEFAULT = "default"  # the task's own default configuration
    USER = "user"  # a person asked for it
    MODEL = "model"  # a language model
    SURROGATE = "surrogate"  # the acquisition function over the surrogate
    PRIOR = "prior"  # drawn from the priors by hyperparameter name
    LOCAL = "local"  # a small step from one of the best trials
    RANDOM = "random"  # uniform over the space
    RETRY = "retry"  # a trial lost to an interruption, run again


FALLBACK = "fallback"
"""Key in `Proposal.details`: the numeric strategy chose this in the language model's place."""


class Proposal(Frozen):
    """A configuration to try, with who wants it and what they expect."""

    configuration: ConfigurationField
    origin: Origin
    reason: str
    """One or two plain sentences for a person."""
    evidence: tuple[int, ...] = ()
    """Numbers of the trials this rests on; checked to exist."""
    expected: float | None = None
    """Predicted value, in the metric's own units; None when nobody predicted."""
    spread: float | None = None
    """Standard deviation of the prediction, metric units, >= 0."""
    prompt_id: str | None = None
    """Template name and version that led to it, such as `llambo/candidates.v1`."""
    tokens: int = 0
    """Model tokens spent on the call it came from, shared out over that call's proposals."""
    details: dict[str, float] = Field(default_factory=dict)
    """Numbers behind the choice, such as `acquisition`, `trust`; for reports and debugging."""


class TrialState(StrEnum):
    """How far a trial is, or how it ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"  # stopped early because its curve was poor
    DIVERGED = "diverged"  # a reported or final value was NaN or infinite
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    LOST = "lost"  # the run was interrupted, or the worker vanished without a word

    @property
    def failed(self) -> bool:
        """True for an end that says something bad about the configuration."""
        return self in FAILURES


FAILURES = frozenset(
    {TrialState.DIVERGED, TrialState.OUT_OF_MEMORY, TrialState.TIMED_OUT, TrialState.CRASHED}
)


class Outcome(Frozen):
    """What came of running one configuration; exactly what `result.json` holds."""

    state: TrialState
    values: dict[str, float] = Field(default_factory=dict)
    """Every finite metric the training function returned, by name; empty unless completed."""
    curve: tuple[tuple[int, float], ...] = ()
    """(step, value) as reported, in order of step; finite values only."""
    message: str = ""
    """For a failure: its cause in one line. Hostile text: cleaned and capped at 500 characters."""
    traceback: str = ""
    """The last lines of the traceback or log, at most 4,000 characters; hostile text too."""
    seconds: float = 0.0
    """Wall time from start to end."""
    peak_memory_mib: float | None = None
    """Largest resident memory of the worker, where known."""


class Trial(Frozen):
    """One proposal being run, or run."""

    number: int
    proposal: Proposal
    state: TrialState = TrialState.RUNNING
    value: float | None = None
    """The task's metric, in its own units; None unless completed. Always finite."""
    values: dict[str, float] = Field(default_factory=dict)
    curve: tuple[tuple[int, float], ...] = ()
    message: str = ""
    traceback: str = ""
    seed: int = 0
    started_at: float = 0.0
    """Unix time."""
    seconds: float = 0.0

    @property
    def configuration(self) -> Configuration:
        return self.proposal.configuration

    @property
    def finished(self) -> bool:
        return self.state is not TrialState.RUNNING

    @property
    def last_reported(self) -> float | None:
        """The latest value of the learning curve, or None where nothing was reported."""
        return self.curve[-1][1] if self.curve else None
