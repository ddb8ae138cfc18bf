from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.excerpt import proposal_text
from tunesmith.tools.toolbox.base import Turn
from tunesmith.trial import Proposal


def suggest(turn: Turn, n: Annotated[int, Field(description="How many, up to 8.")] = 3) -> str:
    """Configurations worth trying, best first, each with a pick number for decide and launch_trials."""
    first = len(turn.picks) + 1
    turn.picks += turn.toolbox.suggest(n)
    lines = [
        f"pick {i}: [{p.origin.value}{_cost(turn, p)}] {clean(proposal_text(turn.history, p), 900)}"
        for i, p in enumerate(turn.picks[first - 1 :], first)
    ]
    return "\n".join(lines) or "There is nothing new left to try in this space."


def _cost(turn: Turn, proposal: Proposal) -> str:
    cost = turn.briefing.task.cost_of(proposal.configuration)
    return "" if cost is None else f", costs {significant(cost)}"
