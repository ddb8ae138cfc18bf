"""The `executor` key of a task: where trials run, as a name, or as a mapping of `name` and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, model_serializer, model_validator

from tunesmith.errors import UnknownName
from tunesmith.registry import EXECUTORS
from tunesmith.trial import Frozen


class ExecutorChoice(Frozen):
    """A registered executor, with its settings validated."""

    name: str
    """A name of `registry.EXECUTORS`."""
    settings: BaseModel
    """An instance of the executor's own settings."""

    @model_validator(mode="before")
    @classmethod
    def _from_task_file(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = {"name": given}
        if not isinstance(given, Mapping):
            raise ValueError(f"should be one of {', '.join(EXECUTORS.names)}, or a mapping with `name`")
        settings = {key: value for key, value in given.items() if key != "name"}
        name = given.get("name", EXECUTORS.default)
        try:
            return {"name": name, "settings": EXECUTORS.get(str(name)).settings.model_validate(settings)}
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
