"""The base of what is stored and comes from anywhere: texts in it can be stored."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from tunesmith.text.cleaning import storable
from tunesmith.trial import Frozen

LONGEST_TEXT = 200_000
"""Characters of a text in an event or a command."""


class Bounded(Frozen):
    """Whatever a person, a model or a log had in a text: it can be stored."""

    @model_validator(mode="before")
    @classmethod
    def _can_be_stored(cls, fields: Any) -> Any:
        return _stored(fields)


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value, LONGEST_TEXT)
    if isinstance(value, dict):
        return {_stored(key): _stored(item) for key, item in value.items()}
    return value
