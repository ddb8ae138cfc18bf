"""The model as a proposer for the hybrid: binds its two kinds of question to one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.agent.methods.hybrid.candidates import ALPHA, candidates
from tunesmith.agent.methods.hybrid.opening import Opening, opening
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.trial import Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
    from tunesmith.task import Task


class ModelProposer:
    """Asks a language model for beliefs and configurations; each method is one structured call.

    Args:
        model: The model; every fault leaves it as a ModelError, which is not caught here.
        task: Its words go into every prompt.
        emit: Takes repairs and rejections.
        alpha: How far beyond the best the target lies, as a share of the range of observed scores.
    """

    def __init__(self, model: LanguageModel, task: Task, emit: Emit, *, alpha: float = ALPHA) -> None:
        self._model, self._words, self._emit, self._alpha = model, task.words(), emit, alpha

    def opening(self, history: History, n: int) -> Opening:
        """Beliefs, and up to `n` diverse configurations, from the task's description alone."""
        return opening(self._model, self._words, history, n, self._emit)

    def warm_start(self, history: History, n: int) -> list[Proposal]:
        """The configurations of an opening alone."""
        return self.opening(history, n).proposals

    def candidates(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` configurations that should reach a target beyond the best value so far."""
        return candidates(self._model, self._words, history, n, self._emit, alpha=self._alpha)
