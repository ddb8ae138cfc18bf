"""What a task says of one stage of a pipeline, validated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tunesmith.errors import short
from tunesmith.pipeline.allocation import AGGREGATORS, BY_SAMPLE, FIELDS
from tunesmith.pipeline.models import Amount, ModelSettings, Price, Tokens
from tunesmith.pipeline.offered import (
    MOST_ROUNDS,
    MOST_SAMPLES,
    FloatRange,
    Offered,
    Range,
    forbidden,
    listed,
    numbers,
    pinned,
    whole_numbers,
)
from tunesmith.pipeline.program import Match
from tunesmith.pipeline.sizes import size
from tunesmith.pipeline.stated import Stated
from tunesmith.problem import SettingsFault, settings_faults
from tunesmith.space import Categorical, Float, Int, Ordinal
from tunesmith.space.parameter import Parameter, When
from tunesmith.space.values import legal_text
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Value

__all__ = ["FloatRange", "ModelSettings", "Price", "Range", "StageSettings", "Tokens"]

Aggregator = Literal["majority", "weighted", "best_of_n", "fusion", "check_then_vote"]
MOST_MODELS = 100
HIGHEST_TEMPERATURE = 5.0
LONGEST_CONDITION = 10
"""Values of a range that a condition lists."""
_CALLABLE = re.compile(r"[^\0\n\r]{1,400}\.py:[^\W\d]\w{0,100}")


def callable_named(text: str | None) -> str | None:
    """`stages.py:answer`; ValueError for anything else."""
    if text is not None and not _CALLABLE.fullmatch(text):
        raise ValueError(f"should name a function, got {short(text)}. Write such as `stages.py:answer`")
    return text


class StageSettings(Stated):
    """One stage. A field with one value is fixed; one with several is a parameter of the search."""

    EXAMPLE = "{call: stages.py:answer, models: [small, large]}"

    call: str | None = None
    """`stages.py:answer`, a Python callable; None: the stage is known by the calls of a program."""
    match: Match | None = None
    """Which calls of a program are the stage's; None: it has a callable."""
    models: dict[str, ModelSettings]
    """Candidates by name, smallest first where that is known. A list of names is allowed too."""
    samples: tuple[int, ...] | Range = (1,)
    temperature: tuple[float, ...] | FloatRange = ()
    prompts: tuple[str, ...] = ()
    """Names of prompt variants, which the callable is given by name."""
    aggregator: tuple[Aggregator, ...] = ("majority",)
    verify: str | None = None
    """`stages.py:check`: score of an output, for best_of_n and check_then_vote; larger is better. `sample`:
    the stage's callable returns it with every sample."""
    verify_cost: Amount = 0
    """Of one verified output, in units of the cost model."""
    agree: tuple[int, ...] = (0,)
    """Sampling stops as soon as so many samples agree; 0, or null in a file: never."""
    when: str | None = None
    """`stages.py:failed`: the stage runs only on items for which it says true; None: on all."""
    rounds: tuple[int, ...] | Range = (1,)
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the items that a gated stage is expected to run on in a round; 1 is the worst case. The cost
    known before a run goes by it."""
    tokens: Tokens | None = None
    score: str | None = None
    """`stages.py:found`: how good the stage's own output is, in [0, 1]; the metric `<stage>.score`."""
    pin: dict[str, tuple[Any, ...]] = {}
    """Values that a field is held to, such as `{model: large}`."""
    forbid: dict[str, tuple[Any, ...]] = {}
    """Values that are not to be tried, such as `{model: [small]}`."""

    @field_validator("models", mode="before")
    @classmethod
    def _short_forms(cls, models: Any) -> Any:
        if isinstance(models, str):
            models = [models]
        if not isinstance(models, Mapping | list | tuple) or not 1 <= len(models) <= MOST_MODELS:
            got = f"{len(models):,}" if isinstance(models, Mapping | list | tuple) else short(models)
            raise ValueError(
                f"should name 1 to {MOST_MODELS} candidate models, got {got}. "
                "Write such as `models: [gpt-4o-mini, gpt-4o]`"
            )
        if not isinstance(models, Mapping):
            models = {name: None for name in _names(listed(models, "models"), "model")}
        names = _names(tuple(models), "model")
        return {name: _model(given) for name, given in zip(names, models.values(), strict=True)}

    @field_validator("samples", mode="before")
    @classmethod
    def _samples(cls, given: Any) -> Any:
        return whole_numbers(given, "samples", 1, MOST_SAMPLES)

    @field_validator("rounds", mode="before")
    @classmethod
    def _rounds(cls, given: Any) -> Any:
        return whole_numbers(given, "rounds", 0, MOST_ROUNDS)

    @field_validator("agree", mode="before")
    @classmethod
    def _agree(cls, given: Any) -> Any:
        values = given if isinstance(given, list | tuple) else (given,)
        found = whole_numbers([0 if one is None else one for one in values], "agree", 0, MOST_SAMPLES)
        if 1 in (found if isinstance(found, tuple) else ()):
            raise ValueError(
                "should be at least 2, got 1: one sample agrees with itself. Write such as `agree: 3`"
            )
        return found

    @field_validator("temperature", mode="before")
    @classmethod
    def _temperatures(cls, given: Any) -> Any:
        empty = given is None or given == () or given == []
        return () if empty else numbers(given, "temperature", HIGHEST_TEMPERATURE)

    @field_validator("prompts", mode="before")
    @classmethod
    def _prompt_names(cls, given: Any) -> Any:
        if given is None or given == () or given == []:
            return ()
        return _names(listed(given, "prompts"), "prompt")

    @field_validator("aggregator", mode="before")
    @classmethod
    def _known_aggregators(cls, given: Any) -> Any:
        names = listed(given, "aggregator")
        for name in names:
            if name not in AGGREGATORS:
                hint = did_you_mean(name, AGGREGATORS)
                raise ValueError(f"should be how samples become one output, got {short(name)}; {hint}")
        return names

    @field_validator("pin", "forbid", mode="before")
    @classmethod
    def _one_alone(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError(
                f"should map fields to values, got {short(given)}. Write such as `{{model: large}}`"
            )
        for field in given:
            if field not in FIELDS:
                raise ValueError(
                    f"names {short(field)}, which is no field of a stage; {did_you_mean(field, FIELDS)}"
                )
        return {field: _narrowed(field, value) for field, value in given.items()}

    @field_validator("call", "verify", "when", "score")
    @classmethod
    def _is_a_function(cls, text: str | None, info: ValidationInfo) -> str | None:
        return text if text == BY_SAMPLE and info.field_name == "verify" else callable_named(text)

    @model_validator(mode="after")
    def _whole(self) -> StageSettings:
        faults: list[SettingsFault] = []
        for key, narrow in (("pin", pinned), ("forbid", forbidden)):
            for field, values in getattr(self, key).items():
                before = self._all_of(field) if key == "pin" else self._pinned(field)
                if (left := narrow(before, values)).problem:
                    faults.append(SettingsFault((key, field), left.problem, left.fix))
        if faults:
            raise settings_faults(faults)
        used = self.offered("aggregator")
        judged = [name for name in ("best_of_n", "check_then_vote") if name in used]
        if judged and self.verify is None:
            problem = f"has {judged[0]}, which needs a verifier, and the stage has no `verify`."
            faults.append(
                SettingsFault(
                    ("aggregator",),
                    problem,
                    "Write `verify: stages.py:check`, or `verify: sample` where its callable returns scores.",
                )
            )
        if self.when is None and self.share < 1:
            problem = f"is {self.share:g}, and the stage has no gate, so it runs on every item."
            faults.append(SettingsFault(("share",), problem, "Write `when: stages.py:failed`, or remove it."))
        samples, least = self.offered("samples"), self._least_agreement
        most = max(samples) if isinstance(samples, tuple) else int(samples.high)
        if least and least >= most:
            problem = (
                f"is {least} at least, and there are never more than {most} samples, so it stops nothing."
            )
            faults.append(SettingsFault(("agree",), problem, "Lower it, raise `samples`, or remove it."))
        if faults:
            raise settings_faults(faults)
        return self

    @property
    def _least_agreement(self) -> int:
        """The least `agree` but never; 0 where there is none."""
        offered = self.offered("agree")
        return min((int(one) for one in offered if one), default=0) if isinstance(offered, tuple) else 0

    def offered(self, field: str) -> Offered:
        """What may be chosen for a field, pins and forbidden values taken into account; empty: nothing."""
        offered: Offered = self._offered[field]
        return offered

    @cached_property
    def _offered(self) -> dict[str, Offered]:
        return {
            field: forbidden(self._pinned(field), self.forbid[field]).offered
            if field in self.forbid
            else self._pinned(field)
            for field in FIELDS
        }

    def _pinned(self, field: str) -> Offered:
        everything = self._all_of(field)
        return pinned(everything, self.pin[field]).offered if field in self.pin else everything

    def _all_of(self, field: str) -> Offered:
        if field == "model":
            return tuple(self.models)
        found: Offered = self.prompts if field == "prompt" else getattr(self, field)
        return found

    def parameter(self, field: str, stage: str = "") -> Parameter | None:
        """The search's parameter for a field; None where there is nothing to choose.

        Args:
            stage: The stage's name, which conditions on its other parameters need.
        """
        offered, when = self.offered(field), self._when(field, stage)
        if isinstance(offered, Range):
            scale: Any = "log" if offered.low >= 1 else "linear"
            same = offered.low == offered.high
            return None if same else Int(offered.low, offered.high, scale=scale, when=when)
        if isinstance(offered, FloatRange):
            return None if offered.low == offered.high else Float(offered.low, offered.high, when=when)
        if len(offered) < 2:
            return None
        if field in ("samples", "rounds", "temperature", "agree"):
            return Ordinal(sorted(offered), when=when)
        return Categorical(list(offered), when=when)

    def _when(self, field: str, stage: str) -> When | None:
        """Where a field means something: rounds above 0, and more samples than one (than agree at least)."""
        if field == "rounds":
            return None
        if field in ("aggregator", "agree"):
            least = 1
            if field == "agree":
                least = self._least_agreement or 1
            if (when := self._above("samples", least, stage)) is not None:
                return when
        return self._above("rounds", 0, stage)

    def _above(self, field: str, least: int, stage: str) -> When | None:
        """The condition that a count is above `least`; None where it always is, or it is one of many."""
        offered = self.offered(field)
        if isinstance(offered, Range | FloatRange):
            if offered.high - max(offered.low, least) > LONGEST_CONDITION:
                return None
            offered = tuple(range(int(offered.low), int(offered.high) + 1))
        kept = [value for value in sorted(offered) if value > least]
        if len(kept) == len(offered) or not kept:
            return None
        return {f"{stage}.{field}": kept}

    def fixed(self) -> dict[str, Value | None]:
        """The fields that are not tuned, and what a tuned one counts as where it is inactive."""
        held: dict[str, Value | None] = {}
        for field in FIELDS:
            parameter, offered = self.parameter(field, "stage"), self.offered(field)
            if parameter is not None and not parameter.when:
                continue
            if isinstance(offered, Range | FloatRange):
                held[field] = offered.low
            elif offered:
                held[field] = offered[0] if parameter is None else _where_inactive(field, offered)
        return held


def _where_inactive(field: str, offered: tuple[Any, ...]) -> Any:
    """The value that stands for a field that means nothing in a configuration."""
    if field == "agree":
        return 0
    return min(offered) if field in ("samples", "temperature") else offered[0]


def _names(given: tuple[Any, ...], what: str) -> tuple[str, ...]:
    """Names as texts: YAML reads `3` as a number."""
    names = tuple(str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in given)
    for name in names:
        if not (isinstance(name, str) and legal_text(name, 100)):
            raise ValueError(
                f"should have names of one line and 1 to 100 characters, got the {what} {short(name)}. "
                "Write another name"
            )
    return names


def _model(given: Any) -> Any:
    """The settings of a model, of which the number of weights may stand alone: `7B`."""
    if given is None:
        return {}
    if isinstance(given, Mapping) and isinstance(given.get("parameters"), str):
        return {**given, "parameters": size(given["parameters"])}
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return {"parameters": size(given)}
    return given


def _narrowed(field: str, value: Any) -> tuple[Any, ...]:
    values = listed(value, field)
    return tuple(0 if field == "agree" and one is None else one for one in values)


assert set(AGGREGATORS) == set(Aggregator.__args__)  # type: ignore[attr-defined]
