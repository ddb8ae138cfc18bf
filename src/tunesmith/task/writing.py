"""A task as the text of a task file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tunesmith.task.faults import DURATIONS
from tunesmith.text.durations import write_duration

if TYPE_CHECKING:
    from tunesmith.task.task import Task


def to_yaml(task: Task) -> str:
    """YAML with the keys in the model's order; what equals its default is left out."""
    data: dict[str, Any] = {"name": task.name}
    given = task.model_dump(
        mode="json", exclude_defaults=True, exclude={"path", "name", "space", "default", "budget"}
    )
    for key in type(task).model_fields:
        if key == "space":
            data[key] = task.space.to_dict()
        elif key == "default" and task.default is not None:
            data[key] = dict(task.default)
        elif key == "budget":
            data |= {key: budget} if (budget := _budget(task)) else {}
        elif key == "objective" and task.objective is None:
            data[key] = None  # said out loud: the function came from Python
        elif key in given:
            # A Confirm with nothing but defaults is still a Confirm.
            data[key] = given[key]
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 110
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(data, stream)
    return stream.getvalue()


def _budget(task: Task) -> dict[str, Any]:
    dumped = task.budget.model_dump(exclude_defaults=True)
    for key, field in DURATIONS.items():
        if field in dumped:
            dumped[key] = write_duration(dumped.pop(field))
    return dumped
