"""The `tuner` key of a task: a name of a method, or a mapping of `method` and the method's settings.

A mapping may leave `method` out: then it is the registered method that has most of the settings. `preset` is
how 0.1.0 spelled a method that is another with other defaults; beside `method`, it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ValidationError, model_validator

from tunesmith.errors import TaskError, UnknownName, short
from tunesmith.goals import Goals
from tunesmith.registry import METHODS
from tunesmith.task import faults
from tunesmith.task.member import MemberChoice
from tunesmith.text.suggestions import did_you_mean

NAMING = ("method", "preset")
"""Keys of a mapping that are no settings."""
_EXAMPLE = f"Write `tuner: {METHODS.default}`, or `tuner: {{method: NAME, SETTING: VALUE}}`."


class Tuner(MemberChoice):
    """Which method proposes the trials."""

    REGISTRY, NAME_KEY = METHODS, "method"

    @model_validator(mode="before")
    @classmethod
    def _from_task_file(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and set(given) == {"name", "settings"}:
            return given  # validated by `read`
        tuner, found = cls.read(given)
        if tuner is None:
            raise faults.joined(found)
        return {"name": tuner.name, "settings": tuner.settings}

    @classmethod
    def read(cls, given: Any) -> tuple[Self | None, list[TaskError]]:
        """What a task file has under `tuner`, or every fault of it."""
        if isinstance(given, cls):
            return given, []
        if isinstance(given, str):
            return cls._validated(given, ("tuner",), {})
        if not isinstance(given, Mapping) or not given:
            problem = f"should be a name or a mapping, got {short(given)}."
            return None, [faults.fault(("tuner",), problem, _EXAMPLE)]
        settings = {str(key): value for key, value in given.items() if key not in NAMING}
        if "preset" not in given:
            name = given["method"] if "method" in given else _method_with(settings)
            return cls._validated(name, ("tuner", "method"), settings)
        preset = given["preset"]
        if "method" in given:
            of, found = cls._validated(given["method"], ("tuner", "method"), {})
            if of is None:
                return None, found
            if not of._has_preset(preset):
                problem = f"{short(preset)} is no preset of the method {of.name}."
                return None, [faults.fault(("tuner", "preset"), problem, "Remove it.")]
        return cls._validated(preset, ("tuner", "preset"), settings)

    @classmethod
    def _validated(
        cls, name: Any, place: tuple[str, ...], settings: Mapping[str, Any]
    ) -> tuple[Self | None, list[TaskError]]:
        """A tuner from a name that stands at `place`, and settings."""
        try:
            model = METHODS.get(str(name)).settings
        except UnknownName as error:
            return None, [faults.fault(place, str(error))]
        try:
            return cls.model_validate({"name": name, "settings": model.model_validate(settings)}), []
        except ValidationError as error:
            return None, [
                _foreign(name, str(item["loc"][0]), model)
                if item["type"] == "extra_forbidden" and len(item["loc"]) == 1
                else faults.translated(item, ("tuner",), model)
                for item in error.errors()
                if item["type"] != "default_factory_not_called"  # follows from another fault
            ]

    def beyond(self, goals: Goals) -> list[TaskError]:
        """Faults of a task that asks for more than the method can do."""
        if _can(self.member, goals):
            return []
        lacking = ["optimise several metrics"] * (goals.several and not self.member.several_metrics)
        lacking += ["keep limits on metrics"] * (bool(goals.limits) and not self.member.limits)
        others = [name for name, member in _members() if _can(member, goals)]
        problem = f"{self.name} cannot {' or '.join(lacking)}."
        return [faults.fault(("tuner",), problem, f"Write `tuner: {others[0]}`: {', '.join(others)} can.")]

    def _has_preset(self, name: Any) -> bool:
        """Whether `name` is this method, or one whose settings are these with other defaults."""
        if not isinstance(name, str) or name not in METHODS.names:
            return False
        settings, known = METHODS.get(name).settings, type(self.settings)
        return name == self.name or (settings is not known and issubclass(settings, known))


def _foreign(name: str, key: str, model: type[BaseModel]) -> TaskError:
    """A key that is no setting of the method."""
    owner = next((other for other, fields in _settings_by_name() if key in fields), None)
    if owner is not None:
        return faults.fault(("tuner", key), f"belongs to the method {owner}, not to {name}.", "Remove it.")
    hint = did_you_mean(key, ["method", *model.model_fields])
    return faults.fault(("tuner", key), f"is no setting of the method {name};", hint)


def _method_with(settings: Mapping[str, Any]) -> str:
    """The method that has most of some settings; where none has any, the one with most to choose from."""
    known = [
        (len(settings.keys() & fields.keys()), len(fields), name) for name, fields in _settings_by_name()
    ]
    most = max((shared, total) for shared, total, _ in known)
    return next(name for shared, total, name in known if (shared, total) == most)


def _settings_by_name() -> Iterable[tuple[str, Mapping[str, Any]]]:
    return ((name, member.settings.model_fields) for name, member in _members())


def _members() -> Iterable[tuple[str, Any]]:
    for name in METHODS.names:
        try:
            yield name, METHODS.get(name)
        except UnknownName:
            continue  # a package that cannot be imported; reported when its method is asked for


def _can(member: Any, goals: Goals) -> bool:
    return (not goals.several or member.several_metrics) and (not goals.limits or member.limits)
