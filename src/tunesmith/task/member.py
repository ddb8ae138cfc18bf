"""Keys of a task that name a registered member: a name, or a mapping of `name` and the member's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError, model_serializer, model_validator

from tunesmith.errors import UnknownName
from tunesmith.registry import EXECUTORS, PROBLEMS, SINKS, Registry
from tunesmith.trial import Frozen


class _MemberChoice(Frozen):
    """A registered member, with its settings validated against its own model."""

    REGISTRY: ClassVar[Registry]

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
            raise ValueError(f"of {name} has a fault: {key}: {fault['msg']}") from None

    @model_serializer
    def _as_in_task_file(self) -> str | dict[str, Any]:
        changed = self.settings.model_dump(mode="json", exclude_unset=True)
        return {"name": self.name, **changed} if changed else self.name


class ExecutorChoice(_MemberChoice):
    REGISTRY = EXECUTORS


class SinkChoice(_MemberChoice):
    REGISTRY = SINKS


class ProblemChoice(_MemberChoice):
    REGISTRY = PROBLEMS
