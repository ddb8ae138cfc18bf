"""Settings of the method `agenttts`."""

from __future__ import annotations

from tunesmith.trial import Frozen


class AgentTTSSettings(Frozen):
    """What a task may say of the method, under `tuner`."""

    capability: bool = True
    """Insight 1: larger models are better, by how much is a stage's own. False: sizes say nothing."""
    saturation: bool = True
    """Insight 2: more samples bring less and less, or harm. False: nothing is expected of their curve."""
    interaction: bool = True
    """Insight 3: what a stage is worth depends on the stages before it. False: stages simply add up."""
