"""Any Python function as a language model: a local pipeline, a client of one's own, a person."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tunesmith.agent.models.base import Answer, Capabilities, Provider, Request
from tunesmith.errors import InvalidAnswer, ModelError, ModelUnavailable
from tunesmith.settings import ModelSettings
from tunesmith.text.cleaning import error_line

Answering = Callable[[list[dict[str, Any]]], str]
"""From messages (`role`, `content`) to one answer in plain text."""


class PythonFunction(Provider):
    """Calls a function once for each answer. It is given the messages alone.

    Temperature, token limit and stop words are the function's own concern. Its calls are counted; its tokens
    are not known and count as 0, and neither are dollars, so a cap on them is not applied.

    Args:
        answer: May be called from several threads.
        name: The model's name in events and in the report.
    """

    capabilities = Capabilities(tools=False, schema=False, choices=False, logprobs=False)
    priced = False

    def __init__(self, answer: Answering, name: str = "") -> None:
        self._answer = answer
        self._name = name or str(getattr(answer, "__name__", type(answer).__name__))
        self.place = f"the function {self._name}"

    @property
    def model(self) -> str:
        return self._name

    def respond(self, request: Request, timeout_s: float) -> Answer:
        try:
            text = self._answer([dict(message) for message in request["messages"]])
        except ModelError:
            raise
        except Exception as error:  # the user's code: whatever it raises must not end a study
            cause = error_line(error, 300)
            raise ModelUnavailable(f"{self.place}, which answers as a model, failed: {cause}") from error
        if not isinstance(text, str):
            raise InvalidAnswer(f"{self.place}, used as a model, gave a {type(text).__name__}, not a str")
        # No finish reason: whether an answer was cut is not known.
        usage = {"prompt_tokens": 0, "completion_tokens": 0}
        return {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}


def from_settings(settings: ModelSettings) -> PythonFunction:
    """The function that TUNESMITH_MODEL names as `module:function`."""
    module, _, name = (settings.model or "").partition(":")
    try:
        return PythonFunction(getattr(importlib.import_module(module), name), f"{module}:{name}")
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelUnavailable(
            f"TUNESMITH_MODEL={settings.model!r} names no function ({error}). Write it as module:function."
        ) from None
