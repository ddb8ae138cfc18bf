"""When the model is asked, and which of its allocations compete.

One round is two calls: guidelines from the trials so far, each with evidence and a claim that later trials
judge, then allocations by the guidelines, which compete under the strategy's acquisition function. Rounds are
due ever less often (`policy/query_schedule.py`); trials go on meanwhile. When the model fails, the strategy
goes on alone and the model is left in peace for a few trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.agent.methods.agenttts.archive import Archive
from tunesmith.agent.methods.agenttts.asking import TRIALS, Asking
from tunesmith.agent.methods.agenttts.questions import Questions
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.agent.policy.query_schedule import query_due, urgent
from tunesmith.errors import ModelError
from tunesmith.events import Degraded, GuidelinesStated
from tunesmith.guidelines import Guideline
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.cleaning import error_line
from tunesmith.tools.toolbox.advice import OnAdvice
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
    from tunesmith.task import Task

FIRST = 4
"""Finished trials before the first round: guidelines need something to rest on."""
ASKED, KEPT = 6, 12
"""Allocations asked for in a round, and kept of several rounds."""
RECENT = 2
"""Rounds whose guidelines are shown beside those of the first."""
PAUSE = 3
"""After a fault the model is not asked until this many further trials have finished."""
HISTORY_LIMIT = 40
"""Trials shown in one prompt."""


class GuidedSuggester:
    """Implements `tools.toolbox.study_toolbox.Suggester`. Called from the policy's thread only.

    Args:
        strategy: Chooses; also works without a model.
        model: Asked twice a round.
        task, options: The pipeline.
        settings: Which insights the questions are about.
        archive: The rounds so far.
        emit: Receives fallbacks.
        competing: The model's allocations from an earlier session of the run.
    """

    def __init__(
        self,
        strategy: Strategy,
        model: LanguageModel,
        task: Task,
        options: PipelineSettings,
        settings: AgentTTSSettings,
        archive: Archive,
        emit: Emit,
        competing: Sequence[Proposal] = (),
    ) -> None:
        self._strategy, self._settings, self._archive, self._emit = strategy, settings, archive, emit
        self._asking = Asking(model, options, emit)
        self._questions = Questions(task, options, HISTORY_LIMIT)
        self._kept = list(competing)
        self._pause_until = 0

    @property
    def left(self) -> tuple[Proposal, ...]:
        """The model's allocations that have not been suggested."""
        return tuple(self._kept)

    def __call__(self, history: History, n: int, /, on_advice: OnAdvice | None = None) -> list[Proposal]:
        """Up to `n` suggestions, best first; the model is asked only where a round is due."""
        self._kept = history.new(self._kept)
        if self._due(history):
            self._kept = history.new([*self._round(history), *self._kept])[:KEPT]
        chosen = self._strategy.propose(history, n, self._kept)
        suggested = {proposal.configuration for proposal in chosen}
        self._kept = [p for p in self._kept if p.configuration not in suggested]
        return chosen

    def _due(self, history: History) -> bool:
        finished, last = len(history.finished), self._archive.last
        if finished < max(FIRST, self._pause_until) or not history.completed:
            return False
        asked_at = None if last is None else sum(t.number < last.trials for t in history.finished)
        return query_due(finished, asked_at, urgent=urgent(history))

    def _round(self, history: History) -> list[Proposal]:
        """Guidelines and allocations of one round; what came before a fault is kept."""
        number = len(self._archive.rounds) + 1
        trials = history.trials[-1].number + 1
        guidelines: tuple[Guideline, ...] = ()
        found, asked = list[Proposal](), ""
        try:
            prompt = self._questions.guidelines(history, self._settings, self._archive, RECENT)
            guidelines, asked = self._asking.guidelines(prompt, history), prompt.id
            told = GuidelinesStated(round=number, trials=trials, guidelines=guidelines)
            shown = self._archive.shown(history, RECENT, told)
            candidates = self._questions.trials(history, shown, ASKED, exactly=False)
            found = self._asking.candidates(candidates, history, ASKED)
        except ModelError as error:
            self._pause_until = len(history.finished) + PAUSE
            how = f"the {self._strategy.name} strategy goes on alone for {PAUSE} trials at least"
            self._emit(Degraded(what="fallback", where=TRIALS, cause=error_line(error), continuation=how))
        if guidelines:
            self._archive.add(
                GuidelinesStated(round=number, trials=trials, guidelines=guidelines, prompt_id=asked)
            )
        return found
