"""The settings of the preset `agenttts-paper`: the constants of AgentTTS (arXiv 2508.00890)."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from tunesmith.trial import Frozen

CALLS_A_ROUND = 2
"""One for guidelines, one for trials; a repair question each may come on top."""


class PaperSettings(Frozen):
    """What a task may change of the preset, and which insights take part."""

    model_config = ConfigDict(strict=True)

    capability: bool = True
    """Insight 1: the initial design, and what the first guidelines say of models. Off: the rounds begin with
    one configuration, the cheapest."""
    saturation: bool = True
    """Insight 2: guidelines on how many samples are of use."""
    interaction: bool = True
    """Insight 3: guidelines on what one stage's choice changes about those after it."""
    batch_size: int = Field(default=10, ge=1, le=50)
    """Trials that are asked for in a round."""
    iterations: int = Field(default=5, ge=1, le=1000)
    """Rounds after the initial design; then the search ends."""
    recent_guidelines: int = Field(default=2, ge=0, le=20)
    """Rounds whose guidelines are shown beside those of the first."""
    history_limit: int = Field(default=80, ge=8, le=400)
    """Trials shown at most; the paper shows all of its 56."""


def calls_needed(settings: PaperSettings, trials: int) -> int:
    """Calls of the model for a run of so many trials."""
    return CALLS_A_ROUND * min(settings.iterations, -(-trials // settings.batch_size))
