"""What a task says of a candidate model of a stage, and of the length of its calls."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from tunesmith.pipeline.addresses import base_url, variable
from tunesmith.pipeline.stated import Stated

Positive = Annotated[float, Field(gt=0, le=1e30, allow_inf_nan=False, strict=True)]
Amount = Annotated[float, Field(ge=0, le=1e30, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=1, le=10**6, strict=True)]


class Price(Stated):
    """Money for tokens, dollars per million, and for a call."""

    EXAMPLE = "{prompt: 0.15, completion: 0.6}"

    prompt: Amount
    completion: Amount
    cached: Amount | None = None
    """Prompt tokens that the provider had in its cache; None: as `prompt`."""
    call: Amount = 0
    """Dollars for each request."""
    source: str = Field(default="", max_length=200)
    """Where the price comes from; filled in where it was looked up."""


class ModelSettings(Stated):
    """What is known of one candidate model of a stage."""

    EXAMPLE = "{parameters: 7B, seconds: 0.5}"

    id: str | None = Field(default=None, max_length=200)
    """What the provider calls it; None: its name in the task."""
    parameters: Positive | None = None
    """Number of weights, such as 7e9; what the cost models `agenttts`, `flops` and `memory` go by."""
    price: Price | None = None
    """None: looked up by `id` where the cost model is `price`."""
    seconds: Amount | None = None
    """Wall time of one call, as far as known."""
    thinking: Amount = 0
    """Completion tokens of one call that are thinking, beyond the stage's."""
    layers: Count | None = None
    """With `width`: attention is counted by `flops`, and the reads of keys and values by `memory`."""
    width: Count | None = None
    """Of the residual stream."""
    kv_width: Count | None = None
    """Of the keys of a layer, all heads together; None: `width`. Smaller where heads share keys."""
    bytes: Annotated[float, Field(gt=0, le=8, strict=True)] = 2.0
    """Of a weight, and of a number in the cache of keys and values."""

    base_url: str | None = None
    """Another provider than the program's, where a program's calls are led; None: the program's."""
    key_env: str | None = None
    """The variable that holds that provider's key; None: the program's."""

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        return base_url(text)

    @field_validator("key_env")
    @classmethod
    def _is_a_variable(cls, text: str | None) -> str | None:
        return variable(text)

    @model_validator(mode="after")
    def _layers_and_width(self) -> ModelSettings:
        if (self.layers is None) != (self.width is None):
            raise ValueError("should have both `layers` and `width`, or neither")
        return self


class Tokens(Stated):
    """Average tokens of one call."""

    EXAMPLE = "{prompt: 2048, completion: 128}"

    prompt: Positive
    completion: Positive
    cached: Amount = 0
    """Of `prompt`, how many the provider has in its cache."""

    @model_validator(mode="after")
    def _cached_are_of_the_prompt(self) -> Tokens:
        if self.cached > self.prompt:
            raise ValueError(
                f"has at most `prompt` tokens in the cache, got {self.cached:g} of {self.prompt:g}"
            )
        return self
