"""Parts of a task: its training code, the comparison at the end, the pruner."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_serializer, model_validator

from tunesmith.errors import short
from tunesmith.objective import Objective
from tunesmith.space import Space
from tunesmith.task.fixes import objective_fix
from tunesmith.task.passing import passing
from tunesmith.trial import Frozen

FUNCTION = re.compile(r"(?P<file>[^\0]+\.py):(?P<name>[^\W\d]\w*)")
AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Strings = Annotated[tuple[str, ...], AS_TUPLE]


WIDENED = 4
"""How many times `confirm.seeds` the comparison takes at most where the task names no `most`."""


_SETS_VARIABLE = re.compile(r"[A-Za-z_]\w*=")


def _word(item: Any) -> Any:
    """A word of a command's list. YAML reads 3 as a number, and `{lr}` as a mapping of lr to nothing."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return repr(item)
    if isinstance(item, dict) and len(item) == 1 and next(iter(item.values())) is None:
        return f"{{{next(iter(item))}}}"
    return item


class _Strict(Frozen):
    """A part of a task: no text for a number, no 1 for true."""

    model_config = ConfigDict(strict=True)


class ObjectiveSpec(_Strict):
    """Where the training code is: exactly one of a Python function and a command line."""

    function: str | None = None
    """`train.py:train`, the path relative to the task file's folder; called as `train(config, trial)`."""
    command: Strings | None = None
    """Argument vector, run in the task file's folder without a shell; a text is split as a shell would.

    `{name}` stands for a parameter's value (its forms: `task/command.py`); `{seed}`, `{config}` (the
    configuration as JSON), `{checkpoint_dir}` and `{options}` (all parameters) can stand there too."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        if not FUNCTION.fullmatch(data):
            raise ValueError(objective_fix(data))
        return {"function": data}

    @field_validator("function")
    @classmethod
    def _function_form(cls, text: str | None) -> str | None:
        if text is not None and not FUNCTION.fullmatch(text):
            raise ValueError("should have the form `path/file.py:function`")
        return text

    @field_validator("command", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = shlex.split(value.replace("\\\n", " "))  # a shell's continued line
            except ValueError as error:
                raise ValueError(f"cannot be split into arguments ({error})") from None
        if isinstance(value, list | tuple):
            if not value:
                raise ValueError("should have at least one word")
            value = [_word(item) for item in value]
            if _SETS_VARIABLE.match(str(value[0])):  # as a shell has it; `env` does the same without one
                value = ["env", *value]
        return value

    @model_validator(mode="after")
    def _one_of_two(self) -> ObjectiveSpec:
        if (self.function is None) == (self.command is None):
            has = "neither" if self.function is None else "both"
            raise ValueError(
                f"should have either `function` or `command`, got {has}. Write `objective: train.py:train`, "
                "or `objective: {command: 'python train.py --lr {lr}'}`"
            )
        return self

    def resolved(self, folder: Path, space: Space) -> Objective:
        """With absolute paths, for a task file in `folder`; a command as `passing` has it.

        Raises:
            ObjectiveError: An option of the script cannot be told a value of the space.
        """
        if self.command is not None:
            return Objective(command=passing(self.command, space, folder).command, workdir=folder)
        assert self.function is not None
        file, _, name = self.function.rpartition(":")
        return Objective(function=f"{(folder / file).resolve()}:{name}", workdir=folder)

    def text(self) -> str:
        return self.function or shlex.join(self.command or ())


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATTERN = re.compile(r"[A-Za-z_*][A-Za-z0-9_*]*")


class EnvironmentSpec(_Strict):
    """Environment variables of the trials, beyond those that training usually needs."""

    passed: Strings = Field(default=(), alias="pass")
    """Names of variables to pass on, or patterns such as `MYLAB_*`. One whose name says that it is secret
    (KEY, TOKEN, SECRET, PASSWORD) is passed only by its very name."""
    given: dict[str, str] = Field(default={}, alias="set")
    """Names and values of variables to set."""

    @field_validator("passed")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _PATTERN.fullmatch(name):
                raise ValueError(f"should have names such as `MY_DATA` or `MYLAB_*`, not {name[:60]!r}")
        return names

    @field_validator("given", mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError("should map names to values, such as `STAGE: tuning`")
        made = {}
        for name, value in given.items():
            if not (isinstance(name, str) and _VARIABLE.fullmatch(name)):
                raise ValueError(f"should have names such as `STAGE`, not {str(name)[:60]!r}")
            if not isinstance(value, str | int | float) or "\0" in str(value):
                raise ValueError(f"should have a text or a number as the value of {name[:60]}")
            made[name] = str(value).lower() if isinstance(value, bool) else str(value)
        return made

    @model_serializer(mode="plain")
    def _stored(self) -> dict[str, Any]:
        stored = {"pass": list(self.passed), "set": dict(self.given)}
        return {key: value for key, value in stored.items() if value}


class Confirm(_Strict):
    """The comparison at the end: best against default on fresh seeds, on data the search never saw."""

    function: str | None = None
    """As in `objective`; None with no `command` either means the objective itself."""
    command: Strings | None = None
    """As in `objective`."""
    metric: str | None = None
    """Name of the value to compare; None means the task's metric. Same direction."""
    seeds: int = Field(default=5, ge=1, le=1000)
    """How many fresh seeds each of the two configurations is trained with at first."""
    most: int | None = Field(default=None, ge=1, le=1000)
    """Twice as many are taken while the two cannot be told apart, up to this many; None: up to four times
    `seeds`, but no more trainings than the budget has trials."""

    @model_validator(mode="after")
    def _legal_code(self) -> Confirm:
        if self.function is not None and not FUNCTION.fullmatch(self.function):
            raise ValueError(
                f"`function` should have the form `path/file.py:function`, got {short(self.function)}. "
                "Write `function: train.py:test`"
            )
        if self.function is not None and self.command is not None:
            raise ValueError("should have at most one of `function` and `command`, got both. Remove one")
        return self

    @field_validator("command", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return ObjectiveSpec._split(value)

    @model_validator(mode="after")
    def _not_below_the_first(self) -> Confirm:
        if self.most is not None and self.most < self.seeds:
            rule = f"`most` should be at least `seeds`, which is {self.seeds}, got {self.most}"
            raise ValueError(f"{rule}. Write `most: {self.seeds}`")
        return self

    def looks(self, trials: int) -> tuple[int, ...]:
        """After how many seeds each the two are compared, rising; all but the first only while undecided.

        Args:
            trials: The budget of the search.
        """
        most = min(WIDENED * self.seeds, trials // 2) if self.most is None else self.most
        looks = [self.seeds]
        while 2 * looks[-1] <= most:
            looks.append(2 * looks[-1])
        if self.most is not None and looks[-1] < self.most:
            looks.append(self.most)
        return tuple(looks)

    @property
    def spec(self) -> ObjectiveSpec | None:
        """Its own training code, or None for the objective's."""
        if not self.separate:
            return None
        return ObjectiveSpec(function=self.function, command=self.command)

    @property
    def separate(self) -> bool:
        """Whether it has training code of its own."""
        return self.function is not None or self.command is not None


class PrunerSpec(_Strict):
    """How trials with poor learning curves are stopped early."""

    kind: Literal["forecast", "median", "halving", "race", "none"] = "forecast"
    """forecast: what can hardly end among the best, by completed curves; median: worse than the median of the
    others at that step; halving: successive halving; race: worse than the best one on the items scored so
    far; none: never."""
    warmup_steps: int = Field(default=1, ge=0)
    """Steps that every trial is granted."""
    startup_trials: int = Field(default=4, ge=0)
    """Trials to complete before any may be stopped."""
    alpha: float = Field(default=0.05, ge=0, lt=1)
    """Of `race`: probability with which, over the whole run, a trial may be stopped for being worse that is
    not; 0: none is stopped for that."""
    futility: float = Field(default=0.16, ge=0, lt=1)
    """Of `race`: a trial is stopped as well when the predicted probability that it ends as the best is below
    this; 0: never. This is no test, and `alpha` does not cover it."""
    scores: Annotated[tuple[float, float], AS_TUPLE] = (0.0, 1.0)
    """Of `race`: lowest and highest score that an item can have, metric units."""

    @model_validator(mode="after")
    def _race_alone(self) -> PrunerSpec:
        if not (math.isfinite(self.scores[0]) and math.isfinite(self.scores[1])):
            raise ValueError("`scores` should be two finite numbers. Write `scores: [0, 1]`")
        if self.scores[0] >= self.scores[1]:
            low, high = self.scores
            fix = "Write the lowest possible score first, such as `scores: [0, 1]`"
            raise ValueError(f"`scores` should be rising, got {low:g} and {high:g}. {fix}")
        known = type(self).model_fields
        stated = [n for n in ("alpha", "futility", "scores") if getattr(self, n) != known[n].default]
        if stated and self.kind != "race":
            raise ValueError(f"`{stated[0]}` is a setting of `race`, and the kind is {self.kind}. Remove it")
        return self

    def words(self) -> str:
        """The rule in a sentence, for a person."""
        if self.kind == "none":
            return "none: every trial is trained to its end"
        rule = {
            "race": "race: stops what is worse than the best on the items scored so far, or hardly better",
            "forecast": "forecast: stops what can hardly end among the best, by the completed curves",
            "median": "median: stops what is worse than the median of the others at its step",
            "halving": "halving: stops about two of three at each rung, good ones too (successive halving)",
        }[self.kind]
        return f"{rule}; after {self.startup_trials} trials have completed, from step {self.warmup_steps} on"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        return {"kind": data} if isinstance(data, str) else data
