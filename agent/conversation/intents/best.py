"""The best trial, and what the run has concluded."""

from __future__ import annotations

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.intents.base import Intent
from tunesmith.agent.conversation.records import Records
from tunesmith.agent.policy import narrator
from tunesmith.tools.analysis.numbers import format_metric


def best(asked: Asked, records: Records) -> str:
    """The best trial, its lead, and what the surrogate expects of it."""
    text = narrator.best(records.history)
    known = None if records.beliefs is None else records.beliefs.best
    if known is not None and known.measured is not None:
        mean, spread = (format_metric(records.history, value) for value in (known.mean, known.spread))
        text += f"\nExpected of it on other seeds: {mean} ± {spread}; "
        text += "the best of many measured values is partly luck."
    return text


def guidelines(asked: Asked, records: Records) -> str:
    """What the method has concluded, one line each."""
    return "\n".join(records.briefing.conclusions()) or "The method of this run states no guidelines."


BEST = Intent(
    "best",
    "the best trial, its lead, and what seems to matter",
    lambda a, r: (
        a.has("best", "winner", "incumbent", "leading", "leader", "front", "pareto") or a.says("how good")
    ),
    best,
)
GUIDELINES = Intent(
    "guidelines",
    "what the method has concluded",
    lambda a, r: a.has("guideline", "conclu"),
    guidelines,
)
