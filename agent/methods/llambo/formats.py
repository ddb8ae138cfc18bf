"""A space and its configurations as LLAMBO's prompts print them, and back.

Three rules for the decimals of a number:

* `lower_bound`, the released code's: as many as the raw lower bound has. [0, 0.5] is printed with none, so
  that every value of it reads 0: upstream's fault, kept for the preset that repeats upstream.
* `recorded`, which the published runs obey: the decimals of the lower bound (2 where it has none) + 2,
  of log10 of the value for parameters on a log scale.
* `span`, ours: the last digit moves the value by about a thousandth of its range, on the parameter's own
  scale. No range is ever flattened.

A `View` is what the model sees: safe (or blinded) names, and log10 where a protocol warps. It has a `Space`
of its own, so an answer is read against it like any other and then taken back to the real one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from tunesmith.agent.methods.llambo.naming import Renaming, blind, safe
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.space import Categorical, Float, Int, Ordinal, Space
from tunesmith.space.choices import Listed
from tunesmith.space.conditions import describe as describe_conditions
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import is_number
from tunesmith.trial import Value

__all__ = [
    "Renaming",
    "View",
    "blind",
    "describe_space",
    "format_configuration",
    "format_score",
    "format_value",
    "view",
]

Warp = Literal["none", "log10", "logit"]
MOST_DECIMALS = 10
"""Upstream counts the decimals of a bound in its first ten."""
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Field:
    """How one parameter is shown.

    Attributes:
        shown: Its name in prompts.
        parameter: What it looks like there: log10 of its bounds where warped, labels for choices.
        warp: What is shown of a number: the value itself, its log10, or its log-odds.
        decimals: Of every number; None: as many as the value needs.
        labels: Choice -> label, where they differ.
    """

    shown: str
    parameter: Parameter
    warp: Warp
    decimals: int | None
    labels: Mapping[Value, str]

    def forward(self, value: Value) -> Value:
        """A legal value of the real parameter as the one shown, unrounded."""
        if self.warp != "none":
            return _FORWARD[self.warp](float(value))
        return self.labels.get(value, value) if isinstance(value, str) or self.labels else value

    def backward(self, value: Value) -> Value:
        """A shown value as one of the real parameter; not snapped to it."""
        if self.warp != "none" and is_number(value):
            return _BACKWARD[self.warp](float(value))
        if self.labels and isinstance(value, str):
            return next((choice for choice, label in self.labels.items() if label == value), value)
        return value

    def text(self, value: Value) -> str:
        """A value shown (after `forward`) as text."""
        if self.decimals is None or not is_number(value):
            return self.parameter.format(value) if not isinstance(value, str) else value
        if isinstance(self.parameter, Int) and not self.decimals:
            return str(int(value))
        return f"{value:.{self.decimals}f}"

    def describe(self) -> str:
        """The legal values in words."""
        kind = self.parameter
        what = _WORDS[self.warp]
        if self.decimals is None or not isinstance(kind, Float | Int) or kind.low == kind.high:
            return kind.describe() + (f" ({what})" if self.warp != "none" else "")
        low, high = (self.text(bound) for bound in (kind.low, kind.high))
        if isinstance(kind, Int):
            step = f" in steps of {kind.step}" if kind.step != 1 else ""
            return f"{low} to {high} (whole number{step})"
        return f"{low} to {high} ({what}, {self.decimals} decimals)"


class View:
    """A space as one protocol shows it. Get one with `view`.

    Attributes:
        space: What the model sees, without constraints; answers are parsed against it.
        fields: By the real parameter's name.
    """

    def __init__(self, space: Space, protocol: LlamboSettings) -> None:
        self.real = space
        renaming = blind(space) if protocol.blinded else safe(space)
        parents = {parent for wanted in space.conditions.values() for parent in wanted}
        self.fields = {
            name: _field(parameter, renaming, name, protocol, warpable=name not in parents)
            for name, parameter in space.parameters.items()
        }
        conditions = {name: self._conditions(name) for name in space.conditions}
        self.space = Space(
            {
                field.shown: replace(field.parameter, when=conditions.get(name))  # type: ignore[type-var]
                for name, field in self.fields.items()
            }
        )
        for name, field in self.fields.items():
            shown, real = self.space.parameters[field.shown], space.parameters[name]
            if isinstance(shown, Listed) and isinstance(real, Listed) and not protocol.blinded:
                shown.stand_for(real.originals)  # a list whose label is another here may still be answered

    def _conditions(self, name: str) -> dict[str, list[Value]]:
        return {
            self.fields[parent].shown: [self.fields[parent].forward(value) for value in values]
            for parent, values in self.real.conditions[name].items()
        }

    def texts(self, configuration: Mapping[str, Value]) -> dict[str, str]:
        """Shown name -> text of the value, for every active parameter, in the space's order."""
        return {
            field.shown: field.text(field.forward(configuration[name]))
            for name, field in self.fields.items()
            if name in configuration
        }

    def values(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """An answer about `space`, in the real space's names and values; not snapped.

        A number that only rounding put past a bound is that bound.
        """
        back: dict[str, Any] = {}
        for name, field in self.fields.items():
            if field.shown in shown:
                back[name] = _within(self.real.parameters[name], shown[field.shown], field)
        return back

    def describe(self) -> list[str]:
        """One line a parameter with its condition, then one a constraint."""
        lines = []
        for field in self.fields.values():
            conditions = self.space.conditions.get(field.shown)
            only = f"; only when {describe_conditions(conditions)}" if conditions else ""
            lines.append(f"{field.shown}: {field.describe()}{only}")
        return lines + [f"it must hold that {self._constraint(text)}" for text in self.real.constraints]

    def _constraint(self, text: str) -> str:
        def shown(match: re.Match[str]) -> str:
            field = self.fields[match[0]]
            return _INVERSE[field.warp].format(field.shown)

        return _NAME.sub(shown, text)


@lru_cache(maxsize=32)
def view(space: Space, protocol: LlamboSettings) -> View:
    """How `protocol` shows `space`."""
    return View(space, protocol)


def describe_space(space: Space, protocol: LlamboSettings) -> list[str]:
    """One line a parameter (name, legal values, decimals, condition), then one a constraint."""
    return view(space, protocol).describe()


def format_configuration(
    space: Space, configuration: Mapping[str, Value], protocol: LlamboSettings, *, joint: str = ": "
) -> str:
    """Active parameters in the space's order: `a: 1, b: 0.20`; `joint=" is "` for `a is 1, b is 0.20`."""
    texts = view(space, protocol).texts(configuration)
    return ", ".join(f"{name}{joint}{text}" for name, text in texts.items())


def format_value(space: Space, name: str, value: Value, protocol: LlamboSettings) -> str:
    """One legal value of parameter `name` as prompts print it."""
    field = view(space, protocol).fields[name]
    return field.text(field.forward(value))


def format_score(value: float, protocol: LlamboSettings | None = None) -> str:
    """A value of the metric: six decimals, as upstream; seven digits where six decimals would not do.

    With a protocol of the rule `lower_bound` always six decimals.
    """
    value = float(value) + 0.0  # never -0.0
    strict = protocol is not None and protocol.number_rule == "lower_bound"
    if strict or value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:.6f}"
    return f"{value:.7g}"


def decimals_of(number: float) -> int:
    """Decimals of a number, counted among its first ten."""
    digits = f"{number:.{MOST_DECIMALS}f}".partition(".")[2].rstrip("0")
    return len(digits)


def _field(
    parameter: Parameter, renaming: Renaming, name: str, protocol: LlamboSettings, *, warpable: bool
) -> Field:
    labels = renaming.labels.get(name, {})
    shown: Any = parameter
    if isinstance(parameter, Categorical):
        shown = replace(parameter, choices=[labels.get(v, v) for v in parameter.listed], when=None)
    elif isinstance(parameter, Ordinal):
        shown = replace(parameter, values=[labels.get(v, v) for v in parameter.listed], when=None)
    warp: Warp = "none"
    if isinstance(parameter, Float | Int) and protocol.warp and warpable and parameter.low < parameter.high:
        if parameter.scale == "log":
            warp = "log10"
        elif parameter.scale == "logit" and protocol.number_rule == "span":
            warp = "logit"  # the recorded runs show these as they are
    if warp != "none":
        forward = _FORWARD[warp]
        shown = Float(forward(parameter.low), forward(parameter.high))  # type: ignore[attr-defined]
    decimals = _decimals(parameter, protocol.number_rule, shown if warp != "none" else None)
    return Field(renaming.names[name], replace(shown, when=None), warp, decimals, labels)


def _decimals(parameter: Parameter, rule: str, warped: Float | None) -> int | None:
    """Decimals that a number is shown with; None: as many as it needs."""
    if rule == "span":
        return None if warped is None else max(0, math.ceil(2.95 - math.log10(warped.high - warped.low)))
    if isinstance(parameter, Int):
        if warped is None:
            return 0
        return decimals_of(math.log10(parameter.low)) if rule == "lower_bound" else 4
    if isinstance(parameter, Float):
        if parameter.size is not None:
            return None  # steps, which upstream does not know, are shown exactly
        own = decimals_of(parameter.low)
        return own if rule == "lower_bound" else (own or 2) + 2
    if rule == "lower_bound" and isinstance(parameter, Ordinal) and parameter.numeric:
        return decimals_of(float(parameter.listed[min(1, len(parameter.listed) - 1)]))
    return None


def _from_log10(shown: float) -> float:
    try:
        return float(10.0**shown)
    except OverflowError:
        return math.inf if shown > 0 else 0.0


def _from_logit(shown: float) -> float:
    return 1 / (1 + math.exp(-shown)) if shown > -700 else 0.0


_FORWARD: dict[Warp, Callable[[float], float]] = {
    "log10": math.log10,
    "logit": lambda p: math.log(p) - math.log1p(-p),
}
_BACKWARD: dict[Warp, Callable[[float], float]] = {"log10": _from_log10, "logit": _from_logit}
_WORDS: dict[Warp, str] = {
    "none": "number",
    "log10": "log10 of the value",
    "logit": "log-odds of the value, ln(p / (1 - p))",
}
_INVERSE: dict[Warp, str] = {"none": "{}", "log10": "10**({})", "logit": "1 / (1 + exp(-({})))"}
"""The value itself, written with what is shown of it; for constraints in words."""


def _within(parameter: Parameter, shown: Any, field: Field) -> Any:
    """The real value shown as `shown`, or the bound that it misses by no more than the rounding in print."""
    value = field.backward(shown)
    if not isinstance(parameter, Float | Int) or not is_number(value) or not math.isfinite(value):
        return value
    number: Any = value
    if not parameter.low <= value <= parameter.high:
        bound = parameter.low if value < parameter.low else parameter.high
        # Numbers without fixed decimals are printed to about a thousandth of their range.
        half_a_digit = 0.5 * 10.0**-field.decimals if field.decimals is not None else 5e-4 * _length(field)
        missed = abs(float(field.forward(bound)) - shown)
        number = bound if missed <= half_a_digit * 1.001 else value
    return round(number) if isinstance(parameter, Int) and field.warp != "none" else number


def _length(field: Field) -> float:
    kind = field.parameter
    return float(kind.high - kind.low) if isinstance(kind, Float) else 0.0
