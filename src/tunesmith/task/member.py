"""Keys of a task that name a registered member: a name, or a mapping of `name` and the member's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ValidationError, model_serializer, model_validator

from tunesmith.errors import UnknownName, short
from tunesmith.registry import EXECUTORS, PROBLEMS, SINKS, Registry
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Frozen


class MemberChoice(Frozen):
    """A registered member, with its settings validated once, against its own model."""

    REGISTRY: ClassVar[Registry]
    NAME_KEY: ClassVar[str] = "name"
    """The key of the name in a mapping."""

    name: str
    """A name of the registry."""
    settings: BaseModel
    """An instance of the member's `settings`."""

    @model_validator(mode="before")
    @classmethod
    def _from_task_file(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = {"name": given}
        if not isinstance(given, Mapping):
            raise ValueError(f"should be one of {', '.join(cls.REGISTRY.names)}, or a mapping with `name`")
        settings = {key: value for key, value in given.items() if key != "name"}
        name = given.get("name", cls.REGISTRY.default)
        try:
            return {"name": name, "settings": cls.REGISTRY.get(str(name)).settings.model_validate(settings)}
        except UnknownName as error:
            raise ValueError(str(error)) from None
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(str(part) for part in fault["loc"])
            known = cls.REGISTRY.get(str(name)).settings.model_fields
            if fault["type"] == "extra_forbidden":
                raise ValueError(f"{name} has no setting {key!r}; {did_you_mean(key, known)}") from None
            rule = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
            raise ValueError(f"{name}: `{key}` {rule}, got {short(fault['input'])}") from None

    @model_serializer
    def _as_in_task_file(self) -> str | dict[str, Any]:
        return {self.NAME_KEY: self.name, **self.changed} if self.changed else self.name

    @classmethod
    def default(cls) -> Self:
        """The member that is used where a task does not say, with default settings."""
        return cls.model_validate(cls.REGISTRY.default)

    @property
    def member(self) -> Any:
        """What is registered under the name."""
        return self.REGISTRY.get(self.name)

    @property
    def changed(self) -> dict[str, Any]:
        """The settings that the task gives; the others have their defaults."""
        return self.settings.model_dump(mode="json", exclude_unset=True)

    def text(self) -> str:
        """The name, or `halton with scramble=False`."""
        changed = ", ".join(f"{key}={value}" for key, value in self.changed.items())
        return f"{self.name} with {changed}" if changed else self.name


class ExecutorChoice(MemberChoice):
    REGISTRY = EXECUTORS


class SinkChoice(MemberChoice):
    REGISTRY = SINKS


class ProblemChoice(MemberChoice):
    REGISTRY = PROBLEMS
