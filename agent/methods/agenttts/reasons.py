"""Why an allocation was chosen, in sentences computed from the trials; no language model is asked."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.agenttts.beliefs import DROPPED, Belief, beliefs
from tunesmith.agent.methods.agenttts.insights import interaction
from tunesmith.agent.methods.agenttts.known import Known
from tunesmith.agent.methods.agenttts.options import Rows
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.history import Array, History
from tunesmith.pipeline.kind import COST
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import plus_minus
from tunesmith.trial import Origin, Proposal

COST_SPREAD = 0.02
"""Standard deviation of a cost that is known before, as a share of it."""
OPEN = 0.25
"""Standard deviation of quality from which on a prediction says nothing; uniform in [0, 1] has 0.29."""
LONGEST_NAME = 40
BACK = 0.5
"""Confidence from which a belief that was dropped counts as believed again."""


def expected(known: Known, rows: Rows) -> tuple[Array, Array]:
    """Mean and standard deviation of the primary metric, metric units, both (m,)."""
    if known.history.metric == COST:
        cost = known.cost(rows)
        return cost, COST_SPREAD * cost
    return known.posterior.quality(rows)


def reason(
    known: Known, settings: AgentTTSSettings, row: Rows, ancestor: Proposal | None, contrast: str | None
) -> tuple[str, tuple[int, ...]]:
    """Some sentences, and the numbers of the trials they rest on.

    Args:
        contrast: The stage whose models the trial compares; None in the search.
    """
    history = known.history
    quality, spread = (float(v[0]) for v in known.posterior.quality(row[None]))
    cost = float(known.cost(row[None])[0])
    predicted = f"Predicted quality {quality:.4g}{plus_minus(quality, spread, (0.0, 1.0))}"
    if spread >= OPEN:
        predicted = "Quality hardly known yet,"
    parts = [f"{predicted} at a cost of {cost:.4g} an item"]
    evidence: list[int] = []
    best = history.incumbent
    if best is not None and best.value is not None:
        evidence.append(best.number)
        name = one_line(history.metric, LONGEST_NAME)
        parts[0] += f", against the best {name} {best.value:.4g} (trial {best.number})"
    elif not known.ends:
        parts.append("Nothing was run yet: what size, samples and price let expect")
    if contrast is not None:
        left_out = any(known.features[k].effort[place] == 0 for k, place in enumerate(row))
        parts.append(
            f"Without stage {contrast}, all else alike: does it earn its cost on the same items"
            if left_out
            else f"Another model of stage {contrast} for about the same, all else alike: a larger model is "
            "preferred only where it is better on the same items"
        )
    if ancestor is not None:
        who = "the language model" if ancestor.origin is Origin.MODEL else f"a {ancestor.origin} candidate"
        parts.append(f"Suggested by {who}")
    for belief in beliefs(known, settings):
        if belief.status == "dropped" and not _told(history, belief):
            parts.append(belief.text[0].upper() + belief.text[1:])
            evidence += belief.evidence
    return ". ".join(parts) + ".", tuple(dict.fromkeys(evidence))


def _told(history: History, belief: Belief) -> bool:
    """Whether a trial has said so already, and the belief has not come back since."""
    key = _key(belief.insight, belief.stage)
    for trial in reversed(history.trials):
        before = trial.proposal.details.get(key)
        if before is not None and (before < DROPPED or before >= BACK):
            return before < DROPPED
    return False


def _key(insight: str, stage: str | None) -> str:
    """How `details` names a belief."""
    return f"belief {insight}" + ("" if stage is None else f" {stage}")


def details(known: Known) -> dict[str, float]:
    """The confidence in each insight, for reports: `belief capability retrieve`."""
    names = [stage.name for stage in known.options.stages]
    shown: dict[str, float] = {}
    for insight, values in known.posterior.confidence.items():
        stages = [None] if insight == interaction.NAME else names
        shown |= {_key(insight, name): float(v) for name, v in zip(stages, values, strict=False)}
    return {key: value for key, value in shown.items() if np.isfinite(value)}
