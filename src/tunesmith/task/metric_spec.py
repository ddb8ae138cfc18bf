"""How a metric is named and read: the key `metric` of a task, and an entry of `metrics`.

metric: val_accuracy
metric: {name: val_accuracy, take: best}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from tunesmith.goals import Direction, Goal
from tunesmith.metric import Reading
from tunesmith.space.values import legal_text
from tunesmith.trial import Frozen

LONGEST_PATTERN = 500
_REPEAT = re.compile(r"[*+]|\{(?P<least>\d*)(?:,(?P<most>\d*))?\}")
_MANY = 20
"""A repetition of up to so many times, and of one length, may stand inside another."""
_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w/.-]*)[\\\[\]sW :=+*?{}\d,]*\(\?P<value>")


class MetricSpec(Frozen):
    """`metric` of a task as a mapping: the value's name, where it is, and which one counts of several."""

    model_config = ConfigDict(strict=True)

    name: str
    """Name of the value to optimise; where it is left out, the word before the group `value` of `regex`."""
    take: Literal["best", "last"] | None = None
    """`best` or `last` of a trial's values; None: a final result where there is one, else the last report."""
    regex: str | None = Field(default=None, max_length=LONGEST_PATTERN)
    """A regular expression for printed lines, with a group `value`, and a group `step` where there is a step;
    None: values are in JSON objects or printed dicts."""
    file: str | None = Field(default=None, min_length=1, max_length=500)
    """A file that the training code writes: JSON, JSON lines or CSV; relative to the folder it runs in.
    `{checkpoint_dir}` and `{number}` (of the trial) may stand in it. None: none is read."""
    items: bool = False
    """Whether a list under the name is the scores of single items, whose mean is the value."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"name": data}
        if isinstance(data, Mapping) and "name" not in data:
            regex = data.get("regex")
            name = name_in_pattern(regex) if isinstance(regex, str) else None
            return {**data, "name": name} if name else data
        return data

    @field_validator("name")
    @classmethod
    def _one_word(cls, name: str) -> str:
        if not legal_text(name, 100):
            raise ValueError("should be a short name such as `val_accuracy`")
        return name

    @field_validator("regex")
    @classmethod
    def _can_be_used(cls, regex: str | None) -> str | None:
        if regex is not None and (why := why_not_pattern(regex)) is not None:
            raise ValueError(why)
        return regex

    @model_validator(mode="after")
    def _one_source(self) -> MetricSpec:
        if self.regex is not None and self.file is not None:
            raise ValueError("should have at most one of `regex` and `file`")
        if self.regex is not None and self.items:
            raise ValueError("should have at most one of `regex` and `items`: a line's number is no list")
        return self

    def reading(self, *, maximize: bool) -> Reading:
        """As a worker is told it."""
        return Reading(self.take, self.regex, self.file, maximize, self.items)

    @property
    def plain(self) -> bool:
        """Whether the name says it all."""
        return self == MetricSpec(name=self.name)

    def words(self) -> str:
        """What it says beside the name, for a person; empty where that is nothing."""
        parts = [f"the {self.take} of a trial's values" if self.take else ""]
        parts += [f"read from lines by {self.regex}" if self.regex else ""]
        parts += [f"read from {self.file}" if self.file else ""]
        parts += ["the mean of its scores per item" if self.items else ""]
        return ", ".join(part for part in parts if part)


class FurtherMetric(Frozen):
    """A metric beside the primary one."""

    model_config = ConfigDict(strict=True)

    spec: MetricSpec
    direction: Direction | None = None
    """None: it is not optimised, and only measured for a limit."""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def goal(self) -> Goal | None:
        return None if self.direction is None else Goal(metric=self.name, direction=self.direction)

    @property
    def reading(self) -> Reading:
        return self.spec.reading(maximize=self.direction != "minimize")

    def stated(self) -> Any:
        """As `metrics` of a task file has it."""
        if self.spec.plain and self.direction is not None:
            return self.direction
        given = self.spec.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        return given if self.direction is None else {"direction": self.direction, **given}


def why_not_pattern(regex: str) -> str | None:
    """Why a regular expression cannot be used, as `should ...`; None where it can."""
    try:
        compiled = re.compile(regex)
    except (re.error, RecursionError, OverflowError) as error:
        return f"should be a regular expression ({error})"
    if "value" not in compiled.groupindex and compiled.groups != 1:
        return r"should have a group named value, such as 'val_acc (?P<value>[0-9.]+)'"
    if re.search(r"\\[1-9]|\(\?P=", regex):
        return "should not refer back to a group: some lines would take for ever"
    if nested_repetition(regex):
        return "should not repeat what contains a repetition, as (a+)+ does: some lines would take for ever"
    return None


def nested_repetition(regex: str) -> bool:
    """Whether a repetition without a small bound stands inside another: time can grow exponentially then."""
    holds = [False]  # for each open group, whether it contains such a repetition
    closed = False  # whether what ends just here is a group that does
    place = 0
    while place < len(regex):
        char = regex[place]
        repeat = _REPEAT.match(regex, place)
        if char == "\\":
            place, closed = place + 2, False
            continue
        if char == "[":
            place, closed = _end_of_set(regex, place), False
            continue
        if char == "(":
            holds.append(False)
            closed = False
        elif char == ")" and len(holds) > 1:
            closed = holds.pop()
            holds[-1] |= closed
        elif repeat is not None:
            if _unbounded(repeat):
                if closed:
                    return True
                holds[-1] = True
            place = repeat.end()
            closed = False
            continue
        elif char != "?":
            closed = False
        place += 1
    return False


def name_in_pattern(regex: str) -> str | None:
    """The word directly before the group `value`, which names the metric where the task does not."""
    found = _NAMED.search(regex)
    return found["name"] if found else None


def _unbounded(repeat: re.Match[str]) -> bool:
    if repeat[0] in "*+":
        return True
    if "," not in repeat[0]:
        return False  # always of one length
    return not repeat["most"] or int(repeat["most"]) > _MANY


def _end_of_set(regex: str, place: int) -> int:
    """The place after a set `[...]` that begins at `place`; a `]` that comes first in it belongs to it."""
    place += 1
    if regex.startswith("^", place):
        place += 1
    if regex.startswith("]", place):
        place += 1
    while place < len(regex) and regex[place] != "]":
        place += 2 if regex[place] == "\\" else 1
    return place + 1
