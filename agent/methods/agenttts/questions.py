"""What the model is asked: the prompts of guidelines and trials, of bounded size, from the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.agent.methods.agenttts.pipeline_text import (
    cost_lines,
    history_lines,
    shown_trials,
    stage_lines,
)
from tunesmith.history import History
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.prompts import Prompt, render
from tunesmith.text.numbers import significant
from tunesmith.tools.analysis.guidelines import Scored, judged_by
from tunesmith.trial import Trial

if TYPE_CHECKING:
    from tunesmith.task import Task

FLAT_TRIALS = 5
"""Scores that are looked at when it is said that they hardly differ."""
FLAT = 0.01
"""Spread below which they do: standard deviation, as a share of 1 or of the largest score."""
MOST_RUNNING = 20
MOST_GUIDELINES = 24


class Questions:
    """The questions of one run.

    Args:
        task: Its words and its pipeline.
        options: The pipeline.
        history_limit: Trials in one prompt at most.
    """

    def __init__(self, task: Task, options: PipelineSettings, history_limit: int = 80) -> None:
        self._words, self._options, self._limit = task.words(), options, history_limit
        self._stages, self._costs = stage_lines(options), cost_lines(options)
        budget = options.item_budget
        self._budget = "" if budget is None else significant(budget)

    def first_guidelines(
        self, history: History, *, capability: bool, saturation: bool, interaction: bool
    ) -> Prompt:
        return render(
            "agenttts/first_guidelines",
            **self._about(history),
            parameters=", ".join(history.space.names),
            history=self._lines(history, shown_trials(history, self._limit)),
            capability=capability,
            saturation=saturation,
            interaction=interaction,
        )

    def guidelines(
        self,
        history: History,
        since: int,
        earlier: Sequence[Scored],
        *,
        saturation: bool,
        interaction: bool,
    ) -> Prompt:
        """Args: since: Trials from this number on are recent."""
        shown = shown_trials(history, self._limit)
        return render(
            "agenttts/guidelines",
            **self._about(history),
            parameters=", ".join(history.space.names),
            older=self._lines(history, [t for t in shown if t.number < since]),
            recent=self._lines(history, [t for t in shown if t.number >= since]),
            guidelines=_texts(earlier),
            flat=scores_are_flat(history),
            saturation=saturation,
            interaction=interaction,
        )

    def trials(self, history: History, guidelines: Sequence[Scored], n: int, *, exactly: bool) -> Prompt:
        return render(
            "agenttts/trials",
            **self._about(history),
            space=history.space.describe(),
            history=self._lines(history, shown_trials(history, self._limit)),
            running=history_lines(history, self._options, history.pending[:MOST_RUNNING]),
            guidelines=_texts(guidelines),
            n=n,
            exactly=exactly,
        )

    def _about(self, history: History) -> dict[str, Any]:
        metric, sign = judged_by(history)
        return {
            "words": self._words,
            "stages": self._stages,
            "costs": self._costs,
            "budget": self._budget,
            "metric": metric,
            "better": "larger" if sign > 0 else "smaller",
        }

    def _lines(self, history: History, trials: Sequence[Trial]) -> list[str]:
        return history_lines(history, self._options, trials) or ["(none)"]


def scores_are_flat(history: History) -> bool:
    """Whether the latest scores hardly differ, so that they say nothing of where to go on."""
    metric, _ = judged_by(history)
    latest = [t.values.get(metric, t.value) for t in history.completed[-FLAT_TRIALS:]]
    known = np.array([value for value in latest if value is not None])
    if len(known) < FLAT_TRIALS:
        return False
    return bool(known.std() <= FLAT * max(1.0, float(np.abs(known).max())))


def _texts(guidelines: Sequence[Scored]) -> list[str]:
    return [scored.text for scored in guidelines][-MOST_GUIDELINES:]
