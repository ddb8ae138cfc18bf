"""The loop of AgentTTS as published (arXiv 2508.00890, Alg. 1): a design, then rounds.

    initial design (Eq. 5, no model) -> [ guidelines from the trials -> a batch of trials by them ] x 5

Rounds are archived as events, so a run that is continued takes up its batch where it was left. Where the
model fails, the numeric strategy makes the trials of that round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tunesmith.agent.methods.agenttts.archive import Archive
from tunesmith.agent.methods.agenttts.asking import TRIALS, Asking
from tunesmith.agent.methods.agenttts.paper_design import initial_design
from tunesmith.agent.methods.agenttts.paper_settings import PaperSettings
from tunesmith.agent.methods.agenttts.questions import Questions
from tunesmith.errors import ModelError
from tunesmith.events import Degraded, GuidelinesStated
from tunesmith.guidelines import Guideline
from tunesmith.history import History
from tunesmith.interfaces import Emit, Strategy
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Configuration, Origin, Proposal, Provenance

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
    from tunesmith.task import Task

DESIGN = "initial_design"
"""`Provenance.stage` of the trials of the initial design."""


class PaperStrategy(Strategy):
    """Proposes what the loop runs next. It asks a model, so it is called from a thread that may wait.

    Args:
        task: A pipeline.
        options: The pipeline's settings.
        model: Asked twice a round.
        settings: The preset's.
        fallback: Makes the trials of a round in which the model failed.
        archive: The rounds so far.
        emit: Gets losses and fallbacks.
    """

    name = "agenttts_paper"

    def __init__(
        self,
        task: Task,
        options: PipelineSettings,
        model: LanguageModel,
        settings: PaperSettings,
        *,
        fallback: Strategy,
        archive: Archive,
        emit: Emit,
    ) -> None:
        self.settings, self.fallback, self.archive = settings, fallback, archive
        self._task, self._emit, self._asking = task, emit, Asking(model, options, emit)
        self._questions = Questions(task, options, settings.history_limit)
        design = initial_design(task.space, options)
        self._design = design if settings.capability else design[:1]

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        """As `Strategy.propose`, one round's trials at most; empty once the loop has `ended`."""
        history = replace(history, affordable=self._task.budget.cost_left(history.cost))
        chosen = history.default_first[:n]
        design = [self._of_design(one) for one in self._design]
        chosen = self._runnable(history, [*chosen, *design])[:n]
        if chosen:
            return chosen
        if self._round_over(history):
            if self.ended(history):
                return []
            self._begin_round(history)
        last = self.archive.last
        assert last is not None
        if last.planned:
            return self._runnable(history, last.planned)[:n]
        left = last.trials + self.settings.batch_size - _next_number(history)
        return [p.with_provenance(fallback=True) for p in self.fallback.propose(history, min(n, left))]

    def ended(self, history: History) -> bool:
        """Whether all rounds are over."""
        rounds = self.archive.rounds
        return len(rounds) >= self.settings.iterations and self._round_over(history)

    def calls_left(self, trials_left: int) -> int:
        """Calls that the rest of the run makes, if no answer has to be asked for again."""
        rounds = self.settings.iterations - len(self.archive.rounds)
        return 2 * max(min(rounds, -(-trials_left // self.settings.batch_size)), 0)

    def _of_design(self, configuration: Configuration) -> Proposal:
        return Proposal(
            configuration=configuration,
            origin=Origin.PRIOR,
            reason="Initial design: each model of a stage gets what one sample of the largest costs.",
            provenance=Provenance(stage=DESIGN),
        )

    def _runnable(self, history: History, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Those that have not been run, are legal in the task of now, and can be paid for."""
        legal = [p for p in history.new(proposals) if not history.space.problems(p.configuration)]
        room = history.affordable
        if room is None:
            return legal
        costs = [self._task.cost_of(p.configuration) for p in legal]
        return [p for p, cost in zip(legal, costs, strict=True) if cost is not None and cost <= room]

    def _round_over(self, history: History) -> bool:
        """Whether every trial of the last round has been started; true before the first one."""
        last = self.archive.last
        if last is None:
            return True
        if last.planned:
            return not self._runnable(history, last.planned)
        return _next_number(history) >= last.trials + self.settings.batch_size

    def _begin_round(self, history: History) -> None:
        """Ask for guidelines, then for a batch, and archive both; without an answer the round is numeric."""
        number, planned, asked = len(self.archive.rounds) + 1, list[Proposal](), ""
        guidelines: tuple[Guideline, ...] = ()
        try:
            recent = self.settings.recent_guidelines
            prompt = self._questions.guidelines(history, self.settings, self.archive, recent)
            guidelines = self._asking.guidelines(prompt, history)
            told = GuidelinesStated(round=number, trials=_next_number(history), guidelines=guidelines)
            shown = self.archive.shown(history, recent, told)
            batch = self._questions.trials(history, shown, self.settings.batch_size, exactly=True)
            asked = batch.id
            planned = self._asking.batch(batch, history, self.settings.batch_size)
            cause = "" if planned else "no trial of its answer is new, legal and within the budget"
        except ModelError as error:
            cause = error_line(error)
        if cause:
            how = f"the {self.fallback.name} strategy chooses the trials of round {number}"
            self._emit(Degraded(what="fallback", where=TRIALS, cause=cause[:500], continuation=how))
        self.archive.add(
            GuidelinesStated(
                round=number,
                trials=_next_number(history),
                guidelines=guidelines,
                planned=tuple(p.with_provenance(stage=f"round {number}") for p in planned),
                prompt_id=asked,
            )
        )


def _next_number(history: History) -> int:
    """Number of the next trial."""
    return history.trials[-1].number + 1 if history.trials else 0
