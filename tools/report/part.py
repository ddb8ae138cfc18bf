"""What every part of a report is."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from tunesmith.trial import Frozen


class ReportPart(Frozen):
    """Part of a report: as strict as any value, and without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def unless_empty(default: Any) -> Any:
    """A field that is written only where it says something: a run that it does not concern is as before."""
    return Field(default=default, exclude_if=lambda value: value == default)
