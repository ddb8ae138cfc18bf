from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import ToolError
from tunesmith.tools.analysis.curve import curve_text
from tunesmith.tools.toolbox.base import Turn


def learning_curve(
    turn: Turn, number: Annotated[int, Field(description="The trial's number, such as 12.")]
) -> str:
    """What a trial reported while it trained, and the end of its log if it failed."""
    trial, trials = turn.history.get(number), turn.history.trials
    if trial is None:
        known = f"numbers run from #{trials[0].number} to #{trials[-1].number}" if trials else ""
        raise ToolError(f"there is no trial #{number}; {known or 'no trial has been started yet'}")
    return curve_text(turn.history, trial)
