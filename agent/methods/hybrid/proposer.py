"""The language model's part: two questions, each one structured call, read part by part as the answer comes.

    opening       before anything is known: an expectation of each hyperparameter, and a zero-shot warm start
    candidates    later: configurations that should reach a target a little beyond the best value so far

What is asked, and how much of it, is in `questions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from tunesmith.agent.methods.hybrid.answer import Answer, Reader
from tunesmith.agent.methods.hybrid.elicited_priors import read_priors
from tunesmith.agent.methods.hybrid.partial import OnPart, Parts
from tunesmith.agent.methods.hybrid.profile import Profile
from tunesmith.agent.methods.hybrid.questions import Question, candidates_question, opening_question
from tunesmith.agent.methods.hybrid.task_facts import task_facts
from tunesmith.errors import ModelError, ReplayMiss
from tunesmith.events import Degraded, ElicitedPrior, Noted
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean, error_line
from tunesmith.tools.analysis.goals_text import goals_text
from tunesmith.trial import WARM_START, Proposal

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel
    from tunesmith.task import Task

OPENING, CANDIDATES = "hybrid.opening", "hybrid.candidates"
"""The two questions as events name them."""
VIEW_LIMIT = 1000
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Opening:
    """A model's answer to the first question.

    Attributes:
        proposals: Configurations to start from, best first, each marked as a warm start.
        priors: Checked against the space; at most one a parameter.
        view: The task as the model sees it, for a person; may be empty.
        prompt_id: The template that was asked with.
    """

    proposals: list[Proposal]
    priors: tuple[ElicitedPrior, ...] = ()
    view: str = ""
    prompt_id: str = ""


class ModelProposer:
    """Asks a language model for priors and configurations.

    Args:
        model: Every fault of it is a ModelError, which is not caught here.
        task: Its description goes into every prompt.
        emit: Receives repairs and rejections.
    """

    def __init__(self, model: LanguageModel, task: Task, emit: Emit) -> None:
        self._model, self._words, self._emit = model, task.words(), emit
        self._task, self._facts = task, task_facts(task)
        self._form = ""  # how it was asked last, in words

    def opening(self, history: History, n: int, on_part: OnPart | None = None) -> Opening:
        """Priors, and up to `n` diverse configurations, from the task's description alone.

        Args:
            on_part: Given each part of the answer as soon as it is complete; all of them are in the opening
                that is returned as well, in the same order within their kind.
        Raises:
            ModelError: the model is out of reach, refused, or gave nothing of use.
        """
        goals = goals_text(history, self._task)
        question = opening_question(self._words, self._facts, goals, history, n, self._model.pace())
        reader = Reader(history, self._emit, OPENING)
        parts = Parts(reader, question.prompt.id, n, on_part, WARM_START)
        answer, tokens = self._asked(question, reader, parts)
        proposals = reader.read(answer, n=n, prompt_id=question.prompt.id, tokens=tokens)
        priors, faults = read_priors(answer.beliefs[: 4 * len(history.space.names)], history.space)
        if faults:
            cause = clean("; ".join(faults), 500)
            left_out = f"{len(faults)} elicited priors were left out"
            self._emit(Degraded(what="rejected", where=OPENING, cause=cause, continuation=left_out))
        marked = [p.with_provenance(stage=WARM_START) for p in proposals]
        return Opening(marked, tuple(priors), clean(answer.view, VIEW_LIMIT), question.prompt.id)

    def candidates(self, history: History, n: int, on_part: OnPart | None = None) -> list[Proposal]:
        """Up to `n` configurations with the model's reason, prediction and evidence.

        Args:
            on_part: As for `opening`.
        Raises:
            ModelError: the model is out of reach, refused, or gave nothing of use.
        """
        goals = goals_text(history, self._task)
        question = candidates_question(self._words, goals, history, n, self._model.pace())
        reader = Reader(history, self._emit, CANDIDATES)
        parts = Parts(reader, question.prompt.id, n, on_part)
        answer, tokens = self._asked(question, reader, parts)
        return reader.read(answer, n=n, prompt_id=question.prompt.id, tokens=tokens)

    def _asked(self, question: Question[A], reader: Reader, parts: Parts) -> tuple[A, int]:
        """The answer and the tokens it took; of one that broke off, what was complete of it."""
        prompt, schema, profile = question
        self._say(profile)
        try:
            completion = self._model.complete(
                prompt.as_chat(),
                schema,
                purpose=prompt.id,
                # A slow model is not asked about a fault of one value: it is moved to the nearest legal one.
                check=None if profile.compact else reader.check,
                max_tokens=profile.max_tokens,
                on_item=parts.add,
            )
        except ReplayMiss:
            raise
        except ModelError as error:
            if not parts:
                raise
            used = f"what was complete of the answer is used: {parts.words}"
            self._emit(
                Degraded(what="repair", where=reader.where, cause=error_line(error), continuation=used)
            )
            # Each part was read by itself: there is no whole left to validate.
            cut = schema.model_construct(None, candidates=parts.candidates, beliefs=parts.beliefs)
            return cast(A, cut), 0
        return completion.value, completion.tokens

    def _say(self, profile: Profile) -> None:
        """Tell how much the model is asked for, and why, whenever that changes."""
        if profile.text != self._form:
            self._form = profile.text
            self._emit(Noted(text=f"The language model is asked {profile.text}: {profile.why}."))
