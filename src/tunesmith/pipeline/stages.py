"""What a task says of one stage of a pipeline, validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tunesmith.pipeline.allocation import AGGREGATORS, FIELDS
from tunesmith.space import Bool as Bool
from tunesmith.space import Categorical, Float, Int, Ordinal
from tunesmith.space.parameter import Parameter
from tunesmith.trial import Frozen, Value

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Aggregator = Literal["majority", "weighted", "best_of_n", "fusion", "check_then_vote"]


class Price(Frozen):
    """Money for tokens, dollars per million."""

    prompt: Amount
    completion: Amount
    cached: Amount | None = None
    """Prompt tokens that the provider had in its cache; None: as `prompt`."""


class ModelSettings(Frozen):
    """What is known of one candidate model of a stage."""

    id: str | None = None
    """What the provider calls it; None: its name in the task."""
    parameters: Positive | None = None
    """Number of weights, such as 7e9; what the cost models `agenttts`, `flops` and `memory` go by."""
    price: Price | None = None
    """None: looked up by `id` where the cost model is `price`."""
    seconds: Amount | None = None
    """Wall time of one call, as far as known."""
    thinking: Amount = 0
    """Completion tokens of one call that are thinking, beyond the stage's."""


class Tokens(Frozen):
    """Average tokens of one call."""

    prompt: Positive
    completion: Positive
    cached: Amount = 0
    """Of `prompt`, how many the provider has in its cache."""


class Range(Frozen):
    """Whole numbers between two bounds, on a logarithmic scale where `low` is at least 1."""

    low: int = Field(ge=0)
    high: int

    @model_validator(mode="after")
    def _rising(self) -> Range:
        if self.high < self.low:
            raise ValueError(f"should have low <= high, got {self.low} and {self.high}")
        return self


class FloatRange(Frozen):
    """Numbers between two bounds."""

    low: Amount
    high: Amount


class StageSettings(Frozen):
    """One stage. A field with one value is fixed; one with several is a parameter of the search."""

    call: str | None = None
    """`stages.py:answer`, a Python callable; None: the stage is known by the calls of a program."""
    models: dict[str, ModelSettings] = Field(min_length=1)
    """Candidates by name, smallest first where that is known. A list of names is allowed too."""
    samples: tuple[int, ...] | Range = (1,)
    temperature: tuple[Amount, ...] | FloatRange = ()
    prompts: tuple[str, ...] = ()
    """Names of prompt variants, which the callable is given by name."""
    aggregator: tuple[Aggregator, ...] = ("majority",)
    verify: str | None = None
    """`stages.py:check`: score of an output, for best_of_n and check_then_vote; larger is better."""
    agree: tuple[int | None, ...] = (None,)
    when: str | None = None
    """`stages.py:failed`: the stage runs only on items for which it says true; None: on all."""
    rounds: tuple[int, ...] | Range = (1,)
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the items that a gated stage is expected to run on in a round; 1 is the worst case. The cost
    known before a run goes by it."""
    tokens: Tokens | None = None
    score: str | None = None
    """`stages.py:found`: how good the stage's own output is, in [0, 1]; the metric `<stage>.score`."""
    pin: dict[str, Any] = {}
    """Fields of the stage that are held at one value, such as `{model: large}`."""
    forbid: dict[str, tuple[Any, ...]] = {}
    """Values that are not to be tried, such as `{model: [small]}`."""

    @field_validator("models", mode="before")
    @classmethod
    def _names_alone(cls, models: Any) -> Any:
        if isinstance(models, list | tuple):
            return {str(name): {} for name in models}
        if isinstance(models, Mapping):
            return {name: {} if given is None else given for name, given in models.items()}
        return models

    @field_validator("samples", "temperature", "prompts", "aggregator", "agree", "rounds", mode="before")
    @classmethod
    def _one_alone(cls, given: Any) -> Any:
        if given is None or isinstance(given, Mapping | Frozen):
            return (None,) if given is None else given
        return tuple(given) if isinstance(given, list | tuple) else (given,)

    @field_validator("forbid", mode="before")
    @classmethod
    def _one_forbidden(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {key: tuple(v) if isinstance(v, list | tuple) else (v,) for key, v in given.items()}

    def offered(self, field: str) -> tuple[Any, ...] | Range | FloatRange:
        """What may be chosen for a field, pins and forbidden values taken into account; empty: nothing."""
        assert field in FIELDS
        if field in self.pin:
            return (self.pin[field],)
        all_of_it = {"model": tuple(self.models), "prompt": self.prompts}.get(field)
        offered = getattr(self, field) if all_of_it is None else all_of_it
        if isinstance(offered, Range | FloatRange):
            return offered
        return tuple(value for value in offered if value not in self.forbid.get(field, ()))

    def parameter(self, field: str) -> Parameter | None:
        """The search's parameter for a field; None where there is nothing to choose."""
        offered = self.offered(field)
        if isinstance(offered, Range):
            scale: Any = "log" if offered.low >= 1 else "linear"
            return None if offered.low == offered.high else Int(offered.low, offered.high, scale=scale)
        if isinstance(offered, FloatRange):
            return None if offered.low == offered.high else Float(offered.low, offered.high)
        if len(offered) < 2:
            return None
        if field in ("samples", "rounds", "temperature"):
            return Ordinal(sorted(offered))
        return Categorical(list(offered))

    def fixed(self) -> dict[str, Value | None]:
        """The fields that are not tuned."""
        held: dict[str, Value | None] = {}
        for field in FIELDS:
            if self.parameter(field) is not None:
                continue
            offered = self.offered(field)
            if isinstance(offered, Range | FloatRange):
                held[field] = offered.low
            elif offered:
                held[field] = offered[0]
        return held


assert set(AGGREGATORS) == set(Aggregator.__args__)  # type: ignore[attr-defined]
