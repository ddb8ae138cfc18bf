from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import ToolError
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.excerpt import FRONT, overview, ranking
from tunesmith.tools.toolbox.base import OrderBy, Turn

MAX_ROWS = 12


def history(
    turn: Turn,
    best: Annotated[int, Field(description="How many of the best trials, up to 12.")] = 8,
    recent: Annotated[int, Field(description="How many of the latest trials, up to 12.")] = 8,
    by: OrderBy = None,
) -> str:
    """A table of trials: the best, the latest, failed ones, and some that differ from these."""
    best, recent = (min(max(count, 0), MAX_ROWS) for count in (best, recent))
    if by:
        goals = turn.history.goals
        known = [*goals.names, *([FRONT] if goals.several else [])]
        if by not in known:
            raise ToolError(f"there is no metric {by!r}; trials can be put in order by {', '.join(known)}")
        return ranking(turn.history, by, best + recent)
    shown = overview(turn.history, best=best, recent=recent)
    concluded = [clean(line, 600) for line in turn.briefing.conclusions()][-MAX_ROWS:]
    return "\n".join([shown, "Guidelines so far:", *concluded]) if concluded else shown
