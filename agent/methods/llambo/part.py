"""What LLAMBO's parts share: a model that is asked, a task in words, and a space as prompts show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tunesmith.agent.methods.llambo.asking import Answers, ask
from tunesmith.agent.methods.llambo.context import Stage, TaskWords, facts
from tunesmith.agent.methods.llambo.examples import Example, arranged, running, shown
from tunesmith.agent.methods.llambo.formats import format_configuration, view
from tunesmith.agent.methods.llambo.goals import weights_of, with_one_metric
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.models import LanguageModel, Samples
from tunesmith.data_card import DataCard
from tunesmith.errors import ModelError, UsageError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.space import Space
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Configuration, Trial

BLIND_METRIC = "score"


def silent(event: Any) -> None:
    """An `emit` that drops events."""


class ModelPart:
    """Base of the parts that ask a language model. Its ModelErrors pass through unless documented otherwise.

    Args:
        model: Asked by `sample`.
        space: The search space; must be that of the histories given.
        words: The task in words, included as far as the protocol's context allows.
        protocol: Templates, samples, formats, temperatures and the like; None: the repaired preset.
        data: Facts about the data; None: sentences about data are left out.
        emit: Gets what was repaired, refused and left out.
        seed: Of the orders in which examples are shown, and of what is drawn at random.
    """

    where: str
    """Names the part in events."""

    def __init__(
        self,
        model: LanguageModel,
        space: Space,
        words: TaskWords | str = "",
        protocol: LlamboSettings | None = None,
        data: DataCard | None = None,
        emit: Emit = silent,
        *,
        seed: int = 0,
    ) -> None:
        self.space, self.seed = space, seed
        self.protocol = LlamboSettings() if protocol is None else protocol
        self._model, self._words, self._data, self._emit = model, words, data, emit
        self._view = view(space, self.protocol)

    def _facts(self, history: History, stage: Stage = "history") -> str:
        return facts(
            self._words,
            self._data,
            self.protocol,
            metric=history.metric,
            direction=history.direction,
            stage=stage,
        )

    def _metric(self, history: History) -> str:
        return BLIND_METRIC if self.protocol.blinded else history.metric

    def _text(self, configuration: Configuration, joint: str = ": ") -> str:
        return format_configuration(self.space, configuration, self.protocol, joint=joint)

    def _degraded(self, what: Literal["fallback", "warning"], cause: str, continuation: str) -> None:
        self._emit(Degraded(what=what, where=self.where, cause=cause[:500], continuation=continuation))


class ProposingPart(ModelPart):
    """A part whose questions are answered by configurations."""

    def _ask(
        self, prompt: Prompt, n: int, temperature: float, max_tokens: int, *, several: bool = False
    ) -> Answers:
        return ask(
            self._model,
            prompt,
            self._view.space,
            self._emit,
            self.where,
            n=n,
            temperature=temperature,
            top_p=self.protocol.top_p,
            max_tokens=max_tokens,
            several=several,
        )

    def _stopped(self, error: ModelError, kept: Sequence[Configuration], n: int, what: str) -> None:
        """Record that the model failed after `kept`; raises `error` where nothing is kept."""
        if not kept:
            raise error
        used = f"the {len(kept)} {what} of {n} that had come are used"
        self._degraded("fallback", error_line(error), used)


@dataclass(frozen=True)
class Spent:
    """What questions have cost."""

    calls: int = 0
    tokens: int = 0


class AskedSurrogate(ModelPart):
    """Base of the surrogates that are a language model being asked.

    Attributes:
        prompt_id: Template of the questions.
        spent: Calls and tokens since the last `fit`.
    """

    prompt_id: str
    spent = Spent()
    _history: History | None = None

    def fit(self, history: History) -> None:
        """Take a history as what the questions show; asks nothing yet.

        Raises:
            UsageError: it is of another space, or nothing in it has completed, so that there is no scale.
        """
        if history.space != self.space:
            raise UsageError("the history is of another search space than the surrogate")
        history = with_one_metric(history, weights_of(history, self.seed))
        if not history.completed:
            kept = " and keeps every limit" if history.limits else ""
            raise UsageError(f"no trial has completed{kept}: there is nothing to predict from")
        self._history, self.spent = history, Spent()

    @property
    def history(self) -> History:
        """The history fitted to. Raises UsageError before there is one."""
        if self._history is None:
            raise UsageError("fit a history first: there is nothing to predict from")
        return self._history

    def _shown(self, history: History, rng: np.random.Generator) -> list[Trial]:
        """The trials of one prompt, in its order."""
        return arranged(shown(history, self.protocol.history_limit), self.protocol, rng)

    def _prompt(self, history: History, examples: Sequence[Example], *, joint: str, **more: Any) -> Prompt:
        return render(
            self.prompt_id.removesuffix(".v1"),
            facts=self._facts(history),
            space=self._view.describe(),
            metric=self._metric(history),
            better="larger" if history.direction == "maximize" else "smaller",
            examples=examples,
            running=running(history, self.protocol, joint=joint),
            **more,
        )

    def _sample(self, prompt: Prompt, n: int, max_tokens: int, *, logprobs: int = 0) -> Samples:
        samples = self._model.sample(
            prompt.as_chat(),
            n=n,
            temperature=self.protocol.surrogate_temperature,
            top_p=self.protocol.top_p,
            max_tokens=max_tokens,
            purpose=prompt.id,
            logprobs=logprobs,
        )
        self.spent = Spent(self.spent.calls + samples.calls, self.spent.tokens + samples.tokens)
        return samples

    def _unpredicted(self, count: int, total: int, noun: str, none_left: str) -> None:
        """Record that `count` of `total` candidates got no usable answer."""
        if count:
            continuation = "they are not considered" if count < total else none_left
            self._degraded("fallback", f"no usable {noun} for {count} of {total} candidates", continuation)
