"""What a task says of a pipeline of model calls: the settings of the kind of problem `pipeline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tunesmith.errors import short
from tunesmith.pipeline.allocation import FIELDS, StageChoice, allocation
from tunesmith.pipeline.costs.basis import COST_MODELS, Basis, complete, guessed
from tunesmith.pipeline.costs.known import KnownCosts
from tunesmith.pipeline.models import Positive
from tunesmith.pipeline.program import ProgramSettings
from tunesmith.pipeline.program_rules import program_faults
from tunesmith.pipeline.stages import StageSettings, callable_named
from tunesmith.pipeline.stated import Stated
from tunesmith.pipeline.templates import merged
from tunesmith.problem import SettingsFault, settings_faults
from tunesmith.space import Space
from tunesmith.trial import Frozen, Value

__all__ = ["COST_MODELS", "ItemSplit", "PipelineSettings", "Quality"]

MOST_STAGES = 20
_STAGES = "Write such as `stages: {answer: {call: stages.py:answer, models: [small, large]}}`"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


class ItemSplit(Stated):
    """How many items each part has; the parts share none. None: what the others leave."""

    EXAMPLE = "{search: 200, confirm: 100}"
    search: int | None = Field(default=None, ge=1, le=10**7, strict=True)
    """What trials are judged by."""
    confirm: int | None = Field(default=None, ge=1, le=10**7, strict=True)
    """What the final choice is judged by; no trial ever sees them."""


class Quality(Stated):
    """The goal of the lowest cost at which quality is high enough."""

    EXAMPLE = "{at_least: 0.8, confidence: 0.95}"
    at_least: float = Field(gt=0, lt=1, strict=True)
    confidence: float = Field(default=0.95, gt=0.5, lt=1, strict=True)
    """Probability with which what is delivered keeps `at_least`."""

    @model_validator(mode="before")
    @classmethod
    def _number_alone(cls, given: Any) -> Any:
        return (
            {"at_least": given} if isinstance(given, int | float) and not isinstance(given, bool) else given
        )


class PipelineSettings(Frozen):
    """The key `problem` of a task whose `name` is `pipeline`."""

    stages: dict[str, StageSettings]
    """In the order in which an item passes them."""
    items: str | None = None
    """A JSON lines file, one item a line, or `stages.py:items`, a callable that returns a list."""
    program: ProgramSettings | None = None
    """A program whose calls are the stages, as it is; None: the stages are Python callables."""
    score: str | None = None
    """`stages.py:score`: score of (item, output) in [0, 1]."""
    split: ItemSplit = ItemSplit()
    split_seed: int = Field(default=0, ge=0, lt=2**63, strict=True)
    cost_model: Literal["agenttts", "flops", "price", "seconds", "memory", "calls"] = "calls"
    """Where the task names none: the first of flops, price, seconds that it states enough for, else calls."""
    prompt_sharing: Literal["shared", "per_call"] | None = None
    """Whether the samples of a stage pay its prompt once or each; None: once, with `price` each."""
    charge_fusion: Annotated[bool, Field(strict=True)] | None = None
    """Whether the call of the aggregator `fusion` costs something; None: yes, but for `agenttts`, which as
    published forgets it."""
    item_budget: Positive | None = None
    """What an allocation may cost for one item at most, in units of the cost model; None: no bound."""
    goal: Literal["quality", "cheapest", "front"] = "quality"
    """quality: the best within `item_budget`. cheapest: the lowest cost with `quality` kept. front: both."""
    quality: Quality | None = None
    bank: str | None = None
    """A recorded sample bank, relative to the task file; None: samples are drawn."""
    replay: Annotated[bool, Field(strict=True)] = False
    """Whether a sample that the bank lacks is refused rather than drawn."""

    @model_validator(mode="before")
    @classmethod
    def _from_template(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "template" in given:
            return merged(given)
        if isinstance(given, Mapping) and "stages" not in given:
            fix = f"{_STAGES}, or `template: 2wiki`."
            raise settings_faults([SettingsFault(("stages",), "is missing.", fix)])
        return given

    @field_validator("stages", mode="before")
    @classmethod
    def _named(cls, stages: Any) -> Any:
        if not isinstance(stages, Mapping) or not 1 <= len(stages) <= MOST_STAGES:
            got = f"{len(stages):,}" if isinstance(stages, Mapping | list | tuple) else short(stages)
            raise ValueError(f"should map 1 to {MOST_STAGES} names to stages, got {got}. {_STAGES}")
        for name in stages:
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise ValueError(
                    f"should have names of letters, digits, `_` and `-`, got {short(name)}. "
                    "Write such as `answer`"
                )
        return stages

    @field_validator("score")
    @classmethod
    def _is_a_function(cls, text: str | None) -> str | None:
        return callable_named(text)

    @model_validator(mode="after")
    def _whole(self) -> PipelineSettings:
        if "cost_model" not in self.model_fields_set:
            self.__dict__["cost_model"] = guessed(self.stages)  # while it is made, nobody else has it
        faults = [*complete(self.stages, self.basis), *self._goal_faults()]
        faults += program_faults(self.program, self.stages, self.items, self.score)
        if self.replay and self.bank is None:
            fix = "Write `bank: FILE`, or remove it."
            faults.append(SettingsFault(("replay",), "has no meaning without a recorded bank.", fix))
        if not faults:
            faults = self.costs.faults(self.item_budget)
        if faults:
            raise settings_faults(faults)
        return self

    def _goal_faults(self) -> list[SettingsFault]:
        if self.goal == "cheapest" and self.quality is None:
            problem = "is the lowest cost with a quality kept, and no quality is stated."
            return [SettingsFault(("goal",), problem, "Write `quality: {at_least: 0.8, confidence: 0.95}`.")]
        if self.goal != "cheapest" and self.quality is not None:
            problem = f"has no meaning with `goal: {self.goal}`."
            return [SettingsFault(("quality",), problem, "Write `goal: cheapest`, or remove it.")]
        return []

    @cached_property
    def basis(self) -> Basis:
        """The cost model with its switches: as stated, else what their None stands for."""
        return Basis.of(self.cost_model, self.prompt_sharing, self.charge_fusion)

    @cached_property
    def costs(self) -> KnownCosts:
        """What allocations cost, known before they are run."""
        return KnownCosts(self.stages, self.fixed, self.basis)

    @cached_property
    def space(self) -> Space:
        """Every field of every stage with more than one value, as `<stage>.<field>`."""
        return Space(
            {
                f"{name}.{field}": parameter
                for name, stage in self.stages.items()
                for field in FIELDS
                if (parameter := stage.parameter(field, name)) is not None
            }
        )

    @cached_property
    def fixed(self) -> dict[str, dict[str, Value | None]]:
        """For each stage in order, the fields that are not tuned, and what inactive ones count as."""
        return {name: stage.fixed() for name, stage in self.stages.items()}

    def allocation(self, configuration: Mapping[str, Any]) -> tuple[StageChoice, ...]:
        """A configuration of `space`, stage by stage."""
        return allocation(self.fixed, configuration)
