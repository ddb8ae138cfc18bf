"""The one question back after an answer that could not be read."""

from __future__ import annotations

from tunesmith.agent.models.replies.outcome import Refused
from tunesmith.prompts import render
from tunesmith.space import Space


def repair_question(refused: Refused, space: Space) -> str:
    """What to say to the model, after its answer, to get a configuration that can be read."""
    prompt = render("llambo/repair", kind=refused.kind, detail=refused.detail, names=list(space.names))
    return prompt.messages[-1][1]
