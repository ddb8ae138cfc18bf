"""The values of one trial: its proposal with the reasons, and its outcome."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_serializer,
    model_validator,
)
from pydantic_core import core_schema

from tunesmith.outcome import FAILURES as FAILURES
from tunesmith.outcome import Loss as Loss
from tunesmith.outcome import Outcome as Outcome
from tunesmith.outcome import TrialState as TrialState
from tunesmith.text.cleaning import storable

Value = bool | int | float | str
"""A hyperparameter's value."""


class Configuration(Mapping[str, Value]):
    """A set of hyperparameter values: frozen, ordered as its space, hashed canonically.

    Made by `Space.validate`, `Space.decode` or `Space.sample`, so it is legal;
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
    PREVIOUS = "previous"  # taken over from another run or study, which had trained it
    REPLICATE = "replicate"  # a completed trial, run again on another seed because the metric is noisy


LONGEST_REASON = 2000
"""Characters of `Proposal.reason`."""
WARM_START = "warm_start"
"""`Provenance.stage` of configurations that a language model proposed before any trial had been run."""


class Prediction(Frozen):
    """A predicted value of the metric, in the metric's own units."""

    mean: float = Field(allow_inf_nan=False)
    std: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Standard deviation; None where only a value was given."""

    @classmethod
    def of(cls, mean: float | None, std: float | None) -> Self | None:
        """None without a finite mean; an std that is no finite number above 0 is left out."""
        if mean is None or not math.isfinite(mean):
            return None
        return cls(mean=mean, std=std if std is not None and 0 < std < math.inf else None)


class Provenance(Frozen):
    """How a proposal came about, beyond its `origin`. Methods, their gate and the report read these fields.

    Fields at their default are not stored.
    """

    side: Literal["model", "surrogate"] | None = None
    """`model` where a language model had a part in the choice, `surrogate` where the gate kept it out;
    None where no gate decided."""
    own_choice: bool = False
    """A policy made the configuration up and launched it without any acquisition function."""
    stage: str | None = None
    """The part of a method's schedule that the trial belongs to, such as `WARM_START`; None in the search."""
    fallback: bool = False
    """A numeric strategy chose this because the language model failed."""
    parent: int | None = None
    """Number of the trial that this one runs again, or whose checkpoint its training goes on from."""
    replicate_of: int | None = None
    """Number of the trial whose configuration this one trains again on another seed."""
    attempt: int = 1
    """How often the configuration has been started, this time included."""
    taken_from: str | None = None
    """Where a trial of origin `previous` comes from, such as `trial 12 of digits`."""
    model_prediction: Prediction | None = None
    """By the language model that suggested the configuration."""
    surrogate_prediction: Prediction | None = None
    """By the surrogate for the same configuration; set where the model predicted too, for comparing them."""
    model_weight: float | None = None
    """Weight of the model's predictions when this was chosen, in [0, 1/2]; None where they took no part."""
    elicited_priors: int | None = None
    """How many priors elicited from a language model took part; None where the model took none."""
    acquisition: float | None = None
    """Acquisition value, larger is better; None where the configuration was not judged."""
    prior_weight: float = 0.0
    """Weight of the log prior density in the acquisition value, >= 0."""
    spread_factor: float = 1.0
    """Factor > 0 that `Proposal.spread` contains, by how earlier predictions of the run held."""

    @model_serializer(mode="plain")
    def _stored(self) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if value == info.default or (isinstance(value, float) and not math.isfinite(value)):
                continue
            stored[name] = value.model_dump() if isinstance(value, Prediction) else value
        return stored


class Proposal(Frozen):
    """A configuration to try, with who wants it and what they expect."""

    configuration: Configuration
    origin: Origin
    reason: Annotated[str, AfterValidator(lambda text: storable(text, LONGEST_REASON))]
    """One or two plain sentences for a person; of more than 2,000 characters the middle is left out."""
    evidence: tuple[int, ...] = ()
    """Numbers of the trials this rests on; checked to exist."""
    expected: float | None = None
    """Predicted value, in the metric's own units; None without a prediction."""
    spread: float | None = None
    """Standard deviation of the prediction, metric units, >= 0."""
    prompt_id: str | None = None
    """Template name and version that led to it, such as `hybrid/candidates.v2`."""
    tokens: int = 0
    """Model tokens spent on the call it came from, shared out over that call's proposals."""
    provenance: Provenance = Provenance()
    details: dict[str, float] = Field(default_factory=dict)
    """Further numbers for reports and debugging, such as `trust`. No code decides by them."""

    def with_provenance(self, **changes: Any) -> Self:
        """This proposal with fields of its provenance replaced."""
        return self.model_copy(update={"provenance": self.provenance.model_copy(update=changes)})

    @model_validator(mode="before")
    @classmethod
    def _upgraded(cls, stored: Any) -> Any:
        """Releases up to 0.1 stored the provenance as numbers in `details`."""
        if not isinstance(stored, Mapping) or "provenance" in stored or not stored.get("details"):
            return stored
        details = dict(stored["details"])
        return {**stored, "provenance": _provenance_of_0_1(details), "details": details}


def _provenance_of_0_1(details: dict[str, Any]) -> dict[str, Any]:
    """Takes the keys that were provenance in 0.1 out of `details`; returns them as fields of `Provenance`."""
    fields: dict[str, Any] = {}
    if "gate" in details:
        fields["side"] = "surrogate" if details.pop("gate") else "model"
    if details.pop("warm_start", None) is not None:
        fields["stage"] = WARM_START
    for name in ("own_choice", "fallback"):
        if details.pop(name, None) is not None:
            fields[name] = True
    for name in ("model", "surrogate"):
        mean, std = (float(details.pop(f"{name}_{key}", math.nan)) for key in ("expected", "spread"))
        fields[f"{name}_prediction"] = Prediction.of(mean, std)
    if "stated" in details:
        fields["elicited_priors"] = int(details.pop("stated"))
    for name in ("model_weight", "acquisition", "prior_weight", "spread_factor"):
        if name in details:
            fields[name] = details.pop(name)
    return fields


class Trial(Frozen):
    """One proposal being run, or run."""

    number: int
    proposal: Proposal
    state: TrialState = TrialState.RUNNING
    value: float | None = None
    """The task's metric, in its own units; None unless completed. Always finite."""
    values: dict[str, float] = Field(default_factory=dict)
    curve: tuple[tuple[int, float], ...] = ()
    reports: int = 0
    """As in `Outcome`."""
    notes: tuple[str, ...] = ()
    """As in `Outcome`."""
    message: str = ""
    traceback: str = ""
    seed: int = 0
    started_at: float = 0.0
    """Unix time."""
    seconds: float = 0.0
    loss: Loss | None = None
    """As in `Outcome`."""
    items: dict[str, str] = Field(default_factory=dict)
    """As in `Outcome`."""
    cost: float | None = None
    """What the configuration costs, known before it is run, in units of the problem; None where no cost is
    stated."""

    @property
    def configuration(self) -> Configuration:
        return self.proposal.configuration

    @property
    def finished(self) -> bool:
        return self.state is not TrialState.RUNNING

    @property
    def report_count(self) -> int:
        """How often the trial reported; its curve may be thinned."""
        return max(self.reports, len(self.curve))

    @property
    def last_reported(self) -> float | None:
        """The latest value of the learning curve, or None where nothing was reported."""
        return self.curve[-1][1] if self.curve else None
