"""Mappings of a task's pipeline: what stands in their place is told with an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from tunesmith.errors import short
from tunesmith.trial import Frozen


class Stated(Frozen):
    """What a task says in a mapping."""

    EXAMPLE: ClassVar[str]
    """A legal one, as YAML."""

    @model_validator(mode="before")
    @classmethod
    def _is_a_mapping(cls, given: Any) -> Any:
        if not isinstance(given, Mapping | Frozen):
            raise ValueError(f"should be a mapping, got {short(given)}. Write such as `{cls.EXAMPLE}`")
        return given
