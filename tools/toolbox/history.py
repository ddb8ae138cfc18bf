from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.tools.analysis.excerpt import overview
from tunesmith.tools.toolbox.base import Turn

MAX_ROWS = 12


def history(
    turn: Turn,
    best: Annotated[int, Field(description="How many of the best trials, up to 12.")] = 8,
    recent: Annotated[int, Field(description="How many of the latest trials, up to 12.")] = 8,
) -> str:
    """A table of trials: the best, the latest, failed ones, and some that differ from these."""
    best, recent = (min(max(count, 0), MAX_ROWS) for count in (best, recent))
    return overview(turn.history, best=best, recent=recent)
