"""What the two surrogates share: one model, one task, one history, and what asking about it has cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.agent.methods.llambo.context import TaskWords, facts
from tunesmith.agent.methods.llambo.examples import Example, running, shown
from tunesmith.agent.methods.llambo.formats import describe_space, format_configuration
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.models import LanguageModel, Samples
from tunesmith.data_card import DataCard
from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.space import Space
from tunesmith.trial import Configuration, Trial

BLIND_METRIC = "score"


def silent(event: Any) -> None:
    """An `emit` for whoever does not listen."""


@dataclass(frozen=True)
class Spent:
    """What questions have cost."""

    calls: int = 0
    tokens: int = 0

    def plus(self, samples: Samples) -> Spent:
        return Spent(self.calls + samples.calls, self.tokens + samples.tokens)


class AskedSurrogate:
    """Base of the surrogates that are a language model being asked.

    Args:
        model: Its ModelErrors pass through.
        space: The search space.
        words: The task in a person's words.
        protocol: Templates, samples, formats, temperature and the like.
        data: Facts about the data, told as far as the protocol's context says.
        seed: Of the orders in which examples are shown.
        emit: Gets what was repaired, refused and left out.
    Attributes:
        prompt_id: Template of the questions.
        spent: Calls and tokens since the last `fit`.
    """

    prompt_id: str

    def __init__(
        self,
        model: LanguageModel,
        space: Space,
        words: TaskWords | str = "",
        protocol: LlamboSettings | None = None,
        *,
        data: DataCard | None = None,
        seed: int = 0,
        emit: Emit = silent,
    ) -> None:
        self.space, self.seed = space, seed
        self.protocol = LlamboSettings() if protocol is None else protocol
        self.spent = Spent()
        self._model, self._words, self._data, self._emit = model, words, data, emit
        self._history: History | None = None

    def fit(self, history: History) -> None:
        """Take a history as what the questions show; asks nothing yet.

        Raises:
            UsageError: it is of another space, or nothing in it has completed, so that there is no scale.
        """
        if history.space != self.space:
            raise UsageError("the history is of another search space than the surrogate")
        if not history.completed:
            raise UsageError("no trial has completed: there is nothing to predict from")
        self._history, self.spent = history, Spent()

    @property
    def history(self) -> History:
        """The history fitted to. Raises UsageError before there is one."""
        if self._history is None:
            raise UsageError("fit a history first: there is nothing to predict from")
        return self._history

    def _told(self, history: History) -> tuple[Trial, ...]:
        return shown(history, self.protocol.history_limit)

    def _prompt(
        self, name: str, history: History, examples: Sequence[Example], *, joint: str, **more: Any
    ) -> Prompt:
        blinded = self.protocol.blinded
        metric = BLIND_METRIC if blinded else history.metric
        told = facts(
            self._words,
            self._data,
            self.protocol,
            metric="" if blinded else history.metric,
            direction=history.direction,
        )
        return render(
            name,
            facts=told,
            space=describe_space(self.space, self.protocol),
            metric=metric,
            better="larger" if history.direction == "maximize" else "smaller",
            examples=examples,
            running=running(history, self.protocol, joint=joint),
            **more,
        )

    def _written(self, configuration: Configuration, joint: str) -> str:
        return format_configuration(self.space, configuration, self.protocol, joint=joint)

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
        self.spent = self.spent.plus(samples)
        return samples
