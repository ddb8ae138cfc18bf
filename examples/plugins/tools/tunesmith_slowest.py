"""A tool of the agent in a package of its own: the docstring and the annotations are what a model reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tunesmith.errors import ToolError
from tunesmith.text.cleaning import clean
from tunesmith.tools.toolbox.base import Turn

MAX_ROWS = 12


def slowest_trials(turn: Turn, n: Annotated[int, Field(description="How many trials, 1 to 12.")] = 3) -> str:
    """The finished trials that took longest, with seconds and configuration."""
    if not 1 <= n <= MAX_ROWS:
        raise ToolError(f"n must be 1 to {MAX_ROWS}, not {n}")
    slowest = sorted(turn.history.finished, key=lambda trial: -trial.seconds)[:n]
    shown = [clean(turn.history.space.format(trial.configuration), 400) for trial in slowest]
    lines = [f"#{t.number}: {t.seconds:.1f} s, {text}" for t, text in zip(slowest, shown, strict=True)]
    return "\n".join(lines) or "No trial has finished yet."
