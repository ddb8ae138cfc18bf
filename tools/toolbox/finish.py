from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import ToolError
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import infeasible_best
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.toolbox.base import REASON_LIMIT, Turn


def finish(
    turn: Turn, reason: Annotated[str, Field(description="Why further trials would be wasted.")]
) -> str:
    """End the whole run, because further trials would be wasted. Ends your turn too."""
    if not reason.strip():
        raise ToolError("say why the run should end")
    if not turn.history.feasible:
        lacking = none_feasible(turn.history) or "0 trials have completed, 1 are needed"
        raise ToolError(
            f"too early to finish: {clean(lacking, 400)}. Go on with suggest or launch_trials, then decide."
        )
    if claimed := infeasible_best(reason, turn.history):
        raise ToolError(f"{claimed[0].correction}. Say why the run should end, without calling it the best.")
    turn.reason = turn.stop = clean(reason, REASON_LIMIT)
    return "The run will end."
