"""What a task says of a program that is not changed: the key `problem.program`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tunesmith.errors import short
from tunesmith.pipeline.addresses import base_url, variable
from tunesmith.pipeline.models import Price
from tunesmith.text.durations import parse_duration
from tunesmith.trial import Frozen

PLACEHOLDER = re.compile(r"\{(?P<item>item(?:\.[A-Za-z0-9_-]+)*)\}")
"""What stands for an item in a command: `{item}`, the path of a JSON file with it, or `{item.question}`."""
_BRACES = re.compile(r"\{[A-Za-z_][\w.]*\}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{12}")
_SHELL = ("|", "||", "&&", ";", ">", ">>", "<", "&", "2>&1")
OPENAI_KEY = "OPENAI_API_KEY"
PASSED = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
"""Variables that say where the program's provider is."""


class Match(Frozen):
    """What the calls of a stage have in common; all that is stated has to hold."""

    model: str | None = Field(default=None, min_length=1, max_length=200)
    """The model that the program asks for."""
    header: str | None = Field(default=None, min_length=1, max_length=200)
    """What the header `X-Tunesmith-Stage` says."""
    system: str | None = Field(default=None, max_length=4000)
    """How the system prompt begins, or its digest `sha256:0123456789ab`; empty: there is none."""

    @field_validator("system")
    @classmethod
    def _is_a_digest(cls, text: str | None) -> str | None:
        if text is not None and text.startswith("sha256:") and _DIGEST.fullmatch(text) is None:
            raise ValueError(f"should be `sha256:` and twelve hexadecimal digits, got {short(text)}")
        return text

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        if self.model is None and self.header is None and self.system is None:
            raise ValueError(
                "should have `model`, `header` or `system`. Write such as `match: {model: gpt-4o}`"
            )
        return self


class ProgramSettings(Frozen):
    """A command that runs one item and prints its score, and how its calls are led through the proxy."""

    command: tuple[str, ...]
    """An argument vector; no shell is involved. `{item}` is the path of a JSON file with the item,
    `{item.question}` the text of a field."""
    regex: str | None = Field(default=None, min_length=1, max_length=1000)
    """A pattern for the line with the score; None: `{"score": 0.5}`, `score=0.5`, or a number alone."""
    timeout: Annotated[float, Field(gt=0, le=1e6)] = 600.0
    """Seconds that one item may take, or a text such as `2m`."""
    parallel: int = Field(default=1, ge=1, le=256, strict=True)
    """Items of a trial that run at once."""
    base_url: str | None = None
    """The program's provider; None: OPENAI_BASE_URL of the environment, else OpenAI."""
    key_env: str = OPENAI_KEY
    """The variable that holds the provider's key."""
    unmatched: Literal["pass", "refuse"] = "pass"
    """Calls that belong to no stage are passed and counted as `other`, or refused."""
    money_limit: float | None = Field(default=None, gt=0, le=1e9, allow_inf_nan=False)
    """Dollars that all calls of the run may take together; None: no limit."""
    answer_limit: int | None = Field(default=None, ge=1, le=10**7, strict=True)
    """Tokens of an answer, added to requests that state no limit of their own; None: nothing is added."""
    prices: dict[str, Price] = {}
    """Prices of models that no stage names, by what the program calls them."""

    @field_validator("command", mode="before")
    @classmethod
    def _words(cls, given: Any) -> Any:
        words: Any = given
        if isinstance(given, str):
            try:
                words = shlex.split(given)
            except ValueError as error:
                raise ValueError(f"cannot be split into words ({error}), got {short(given)}") from None
        if not isinstance(words, list | tuple) or not words or not all(isinstance(w, str) for w in words):
            raise ValueError(
                f"should be a command, got {short(given)}. Write such as `python app.py --item {{item}}`"
            )
        if any("\0" in word for word in words):
            raise ValueError("should hold no zero byte")
        if (shell := next((word for word in words if word in _SHELL), None)) is not None:
            raise ValueError(
                f"has {shell!r}, which only a shell understands, and none is involved. Write a script of it"
            )
        unknown = [
            found for word in words for found in _BRACES.findall(word) if not PLACEHOLDER.fullmatch(found)
        ]
        if unknown:
            raise ValueError(
                f"has {unknown[0]}; `{{item}}` and fields such as `{{item.question}}` can stand there. "
                "Models are chosen by the proxy"
            )
        if not any(PLACEHOLDER.search(word) for word in words):
            raise ValueError("has no `{item}` or `{item.question}`, so that every run would be the same")
        return tuple(words)

    @field_validator("regex")
    @classmethod
    def _has_one_value(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                groups = re.compile(text).groups
            except re.error as error:
                raise ValueError(f"is no regular expression ({error}), got {short(text)}") from None
            if groups != 1:
                raise ValueError(f"should have one group, around the number, got {groups}")
        return text

    @field_validator("timeout", mode="before")
    @classmethod
    def _seconds(cls, given: Any) -> Any:
        return parse_duration(given)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        return base_url(text)

    @field_validator("key_env")
    @classmethod
    def _is_a_variable(cls, text: str) -> str:
        checked = variable(text)
        assert checked is not None
        return checked


def passed_variables(program: ProgramSettings, key_envs: list[str]) -> list[str]:
    """Variables that the proxy needs in the processes of trials; the program itself gets no key."""
    return list(dict.fromkeys([*PASSED, program.key_env, *key_envs]))


def with_passed(env: Any, names: list[str]) -> dict[str, Any]:
    """The key `env` of a task, with further variables to pass."""
    stated = env.model_dump() if hasattr(env, "model_dump") else env
    kept: dict[str, Any] = dict(stated) if isinstance(stated, Mapping) else {}
    passed = kept.get("pass", ())
    passed = [passed] if isinstance(passed, str) else list(passed)
    return {**kept, "pass": list(dict.fromkeys([*passed, *names]))}
