"""What a task says of a pipeline of model calls: the settings of the kind of problem `pipeline`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from tunesmith.pipeline.allocation import FIELDS, StageChoice, allocation
from tunesmith.pipeline.stages import Positive, StageSettings
from tunesmith.space import Space
from tunesmith.trial import Frozen, Value

COST_MODELS = ("agenttts", "flops", "price", "seconds", "memory")


class ItemSplit(Frozen):
    """How many items each part has; the parts share none. None: what the others leave."""

    search: int | None = Field(default=None, ge=1)
    """What trials are judged by."""
    confirm: int | None = Field(default=None, ge=1)
    """What the final choice is judged by; no trial ever sees them."""


class Quality(Frozen):
    """The goal of the lowest cost at which quality is high enough."""

    at_least: float
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Probability with which what is delivered keeps `at_least`."""


class PipelineSettings(Frozen):
    """The key `problem` of a task whose `name` is `pipeline`."""

    stages: dict[str, StageSettings] = Field(min_length=1, max_length=20)
    """In the order in which an item passes them."""
    items: str | None = None
    """A JSON lines file, one item a line, or `stages.py:items`, a callable that returns a list."""
    score: str | None = None
    """`stages.py:score`: score of (item, output) in [0, 1]."""
    split: ItemSplit = ItemSplit()
    split_seed: int = 0
    cost_model: Literal["agenttts", "flops", "price", "seconds", "memory"] = "flops"
    item_budget: Positive | None = None
    """What an allocation may cost for one item at most, in units of the cost model; None: no bound."""
    goal: Literal["quality", "cheapest", "front"] = "quality"
    """quality: the best within `item_budget`. cheapest: the lowest cost with `quality` kept. front: both."""
    quality: Quality | None = None
    bank: str | None = None
    """A recorded sample bank, relative to the task file; None: samples are drawn."""
    replay: Annotated[bool, Field(strict=True)] = False
    """Whether a sample that the bank lacks is refused rather than drawn."""

    @cached_property
    def space(self) -> Space:
        """Every field of every stage with more than one value, as `<stage>.<field>`."""
        return Space(
            {
                f"{name}.{field}": parameter
                for name, stage in self.stages.items()
                for field in FIELDS
                if (parameter := stage.parameter(field)) is not None
            }
        )

    @cached_property
    def fixed(self) -> dict[str, dict[str, Value | None]]:
        """For each stage in order, the fields that are not tuned."""
        return {name: stage.fixed() for name, stage in self.stages.items()}

    def allocation(self, configuration: Mapping[str, Any]) -> tuple[StageChoice, ...]:
        """A configuration of `space`, stage by stage."""
        return allocation(self.fixed, configuration)
