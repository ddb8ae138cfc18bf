"""What the model is asked: the prompts of guidelines and trials, of bounded size, from the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tunesmith.agent.methods.agenttts.archive import Archive
from tunesmith.agent.methods.agenttts.evolve import scores_are_flat
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

MOST_RUNNING = 20
MOST_GUIDELINES = 24


class Insights(Protocol):
    """The switches of either preset's settings."""

    @property
    def capability(self) -> bool: ...
    @property
    def saturation(self) -> bool: ...
    @property
    def interaction(self) -> bool: ...


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

    def guidelines(self, history: History, insights: Insights, archive: Archive, recent: int) -> Prompt:
        """The question for guidelines: of the first round, or of a later one.

        Args:
            insights: Which insights it asks about.
            archive: The rounds so far.
            recent: Rounds whose guidelines are shown beside those of the first.
        """
        shown, last = shown_trials(history, self._limit), archive.last
        about = {
            **self._about(history),
            "parameters": ", ".join(history.space.names),
            "saturation": insights.saturation,
            "interaction": insights.interaction,
        }
        if last is None:
            return render(
                "agenttts/first_guidelines",
                **about,
                history=self._lines(history, shown),
                capability=insights.capability,
            )
        return render(
            "agenttts/guidelines",
            **about,
            older=self._lines(history, [t for t in shown if t.number < last.trials]),
            recent=self._lines(history, [t for t in shown if t.number >= last.trials]),
            guidelines=_texts(archive.shown(history, recent)),
            flat=scores_are_flat(history),
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


def _texts(guidelines: Sequence[Scored]) -> list[str]:
    return [scored.text for scored in guidelines][-MOST_GUIDELINES:]
