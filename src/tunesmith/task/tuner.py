"""The `tuner` key of a task: which method proposes the trials, and its settings.

A name, or a mapping of `method` and settings side by side. Without `method` it is the registered method that
has most of the settings given. `preset` names a method that is another with other defaults; it is the older
spelling, found in the run folders of 0.1.0 (`{method: llambo, preset: llambo-paper, alpha: 0.1}`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, model_serializer

from tunesmith.errors import TaskError, UnknownName, short
from tunesmith.registry import METHODS
from tunesmith.task import faults
from tunesmith.text.suggestions import did_you_mean
from tunesmith.trial import Frozen

NAMING = ("method", "preset")
"""Keys of a mapping that are no settings."""
_EXAMPLE = f"Write `tuner: {METHODS.default}`, or `tuner: {{method: NAME, SETTING: VALUE}}`."


class Tuner(Frozen):
    """A method by name, with its settings validated."""

    name: str
    """A name of `registry.METHODS`."""
    settings: BaseModel
    """An instance of the method's own settings."""

    @property
    def method(self) -> Any:
        """The registered `agent.methods.base.Method`."""
        return METHODS.get(self.name)

    @property
    def changed(self) -> dict[str, Any]:
        """The settings that the task gives; the others have their defaults."""
        return self.settings.model_dump(mode="json", exclude_unset=True)

    @model_serializer
    def _as_in_a_file(self) -> str | dict[str, Any]:
        return {"method": self.name, **self.changed} if self.changed else self.name

    def text(self) -> str:
        """`numeric`, or `llambo-paper with alpha=0.2`."""
        changed = ", ".join(f"{key}={value}" for key, value in self.changed.items())
        return f"{self.name} with {changed}" if changed else self.name


def default_tuner() -> Tuner:
    """What proposes the trials where a task does not say."""
    return Tuner(name=METHODS.default, settings=METHODS.get(METHODS.default).settings())


def read_tuner(given: Any) -> tuple[Tuner | None, list[TaskError]]:
    """A task's tuner, or every fault of what is given."""
    if isinstance(given, Tuner):
        return given, []
    if isinstance(given, str):
        return _validated(given, ("tuner",), {})
    if not isinstance(given, Mapping) or not given:
        problem = f"should be a name or a mapping, got {short(given)}."
        return None, [faults.fault(("tuner",), problem, _EXAMPLE)]
    settings = {str(key): value for key, value in given.items() if key not in NAMING}
    key = "method" if "method" in given else "preset"
    name = given[key] if key in given else _method_with(settings)
    if "method" in given and "preset" in given:
        tuner, found = _validated(name, ("tuner", "method"), {})
        if tuner is None:
            return None, found
        if not _is_preset(given["preset"], tuner):
            problem = f"{short(given['preset'])} is no preset of the method {name}."
            return None, [faults.fault(("tuner", "preset"), problem, "Remove it.")]
        name = given["preset"]
    return _validated(name, ("tuner", key), settings)


def _validated(
    name: Any, key: tuple[str, ...], settings: Mapping[str, Any]
) -> tuple[Tuner | None, list[TaskError]]:
    try:
        model = METHODS.get(str(name)).settings
    except UnknownName as error:
        return None, [faults.fault(key, str(error))]
    try:
        return Tuner(name=name, settings=model.model_validate(settings)), []
    except ValidationError as error:
        return None, [
            _foreign(name, str(item["loc"][0]), model)
            if item["type"] == "extra_forbidden" and len(item["loc"]) == 1
            else faults.translated(item, ("tuner",), model)
            for item in error.errors()
            if item["type"] != "default_factory_not_called"  # follows from another fault
        ]


def _foreign(name: str, key: str, model: type[BaseModel]) -> TaskError:
    """A key that is no setting of the method."""
    owner = next((other for other, fields in _settings_by_method() if key in fields), None)
    if owner is not None:
        problem = f"belongs to the method {owner}, and the method is {name}."
        return faults.fault(("tuner", key), problem, "Remove it.")
    known = [*NAMING, *model.model_fields]
    return faults.fault(("tuner", key), f"is no setting of the method {name};", did_you_mean(key, known))


def _method_with(settings: Mapping[str, Any]) -> str:
    """The method that has most of some settings; where none has any, the one with most to choose from."""
    known = [
        (len(settings.keys() & fields.keys()), len(fields), name) for name, fields in _settings_by_method()
    ]
    most = max((shared, total) for shared, total, _ in known)
    return next(name for shared, total, name in known if (shared, total) == most)


def _settings_by_method() -> Iterable[tuple[str, Mapping[str, Any]]]:
    for name in METHODS.names:
        try:
            yield name, METHODS.get(name).settings.model_fields
        except UnknownName:
            continue  # a package that cannot be imported; it is named when its method is asked for


def _is_preset(name: Any, of: Tuner) -> bool:
    """Whether `name` is that method, or the same with other defaults for its settings."""
    if name == of.name:
        return True
    if not isinstance(name, str) or name not in METHODS.names:
        return False
    settings, known = METHODS.get(name).settings, type(of.settings)
    return settings is not known and issubclass(settings, known)
