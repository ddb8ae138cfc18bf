from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import InvalidConfiguration, ToolError
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.citations import mark_wrong_citations
from tunesmith.tools.toolbox.base import REASON_LIMIT, Own, OwnTrial, Turn
from tunesmith.trial import Origin, Proposal


def launch_trials(
    turn: Turn,
    picks: Annotated[list[int], Field(default_factory=list, description="Pick numbers from suggest.")],
    own: Own,
) -> str:
    """Queue trials; they run before anything else. Returns their numbers at once: you never wait."""
    proposals = [_picked(turn, number) for number in picks]
    proposals += [_proposed(turn, place, trial) for place, trial in enumerate(own, 1)]
    numbers = turn.toolbox.launch_trials(proposals)
    turn.launched += numbers
    return "Queued as " + ", ".join(f"#{number}" for number in numbers) + "."


def _picked(turn: Turn, number: int) -> Proposal:
    if not 1 <= number <= len(turn.picks):
        known = f"1 to {len(turn.picks)}" if turn.picks else "none yet: call suggest first"
        raise ToolError(f"there is no pick {number}; picks are {known}")
    return turn.picks[number - 1]


def _proposed(turn: Turn, place: int, trial: OwnTrial) -> Proposal:
    values = turn.history.space.without_nulls(trial.configuration)
    try:
        configuration = turn.history.space.validate(values)
    except InvalidConfiguration as error:
        raise ToolError(f"own configuration {place}: {error}") from error
    return Proposal(
        configuration=configuration,
        origin=Origin.MODEL,
        reason=mark_wrong_citations(clean(trial.reason, REASON_LIMIT), turn.history),
        expected=trial.expected,
        prompt_id=turn.prompt_id,
    )
