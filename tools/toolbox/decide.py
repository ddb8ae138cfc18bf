from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import ToolError
from tunesmith.tools.toolbox.base import WAKE_AFTER, Own, Turn
from tunesmith.tools.toolbox.launch_trials import launch_trials


def decide(
    turn: Turn,
    reason: Annotated[
        str, Field(description="What you saw and what follows from it, for the person watching.")
    ],
    wake_after: Annotated[
        int,
        Field(default=WAKE_AFTER, description="Finished trials until you are woken again, 1 to 12."),
    ],
    picks: Annotated[list[int], Field(default_factory=list, description="Pick numbers to launch, if any.")],
    own: Own,
) -> str:
    """End your turn: why, what to launch, and after how many further finished trials to wake you."""
    if not reason.strip():
        raise ToolError("say why, in one or two sentences")
    if wake_after < 1:
        raise ToolError("wake_after must be at least 1")
    queued = launch_trials(turn, picks, own) + " " if picks or own else ""
    turn.reason, turn.wake_after = reason, wake_after
    return f"{queued}Noted; you will be woken again."
