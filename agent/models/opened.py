"""A language model from what a caller has: settings, a provider, a function, a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from tunesmith.agent.models.base import Provider
from tunesmith.agent.models.faults import guarded
from tunesmith.agent.models.function import Answering, PythonFunction
from tunesmith.agent.models.language_model import NOTHING_SPENT, LanguageModel
from tunesmith.agent.models.recording import RecordedConversation, Recording
from tunesmith.agent.models.reservations import Reservations
from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.errors import ModelUnavailable
from tunesmith.interfaces import Emit
from tunesmith.registry import LANGUAGE_MODELS
from tunesmith.settings import ModelSettings

Mode = Literal["live", "record", "replay"]


def open_model(
    choice: ModelSettings | Provider | Answering | None,
    caps: ModelCaps,
    emit: Emit,
    *,
    exchanges: Path | None = None,
    mode: Mode = "record",
    timeout_s: float | None = None,
    calls: Path | None = None,
    spent: ModelSpend = NOTHING_SPENT,
    **options: Any,
) -> LanguageModel:
    """The model that settings name, a provider, or any function from messages to an answer.

    Args:
        choice: May be None when replaying.
        exchanges: The recording, appended to or replayed from; None with mode `live`.
        mode: `live` asks, `record` asks and records, `replay` answers from the recording alone.
        calls: The file that attempts are written to before they are made (`reservations.py`), so that caps
            hold across kills; None: they are kept in memory. Not used in a replay, which spends nothing.
        spent: What earlier sessions of this run spent; `calls` knows it better.
        timeout_s, options: As for `LanguageModel`.
    Raises:
        ModelUnavailable: Nothing is chosen, or its settings cannot be used.
        UnknownName: No package has a provider of that name.
        ReplayMiss: Replaying, and there is no recording.
    """
    settings = choice if isinstance(choice, ModelSettings) else None
    provider: Provider
    if mode != "live" and exchanges is None:
        raise ModelUnavailable(f"mode {mode!r} needs the path of a recording")
    if timeout_s is None and settings is not None:
        timeout_s = settings.timeout_s
    if mode == "replay" and exchanges is not None:
        # A replay is never given the key, so that nothing it writes can hold it.
        provider = RecordedConversation(exchanges, None if settings is None else settings.model)
        options |= {"effort": provider.effort, "answer_tokens": provider.answer_tokens}
        return LanguageModel(provider, caps, emit, timeout_s=provider.timeout_s, spent=spent, **options)
    if choice is None:
        raise ModelUnavailable("no language model is configured: set OPENAI_API_KEY or TUNESMITH_BASE_URL")
    if isinstance(choice, ModelSettings):
        build = LANGUAGE_MODELS.get(choice.provider)
        provider = guarded(lambda: build(choice))
    else:
        provider = choice if isinstance(choice, Provider) else PythonFunction(choice)
    if settings is not None:
        options = {"effort": settings.effort, "answer_tokens": settings.answer_tokens, **options}
    if mode == "record" and exchanges is not None:
        provider = Recording(provider, exchanges, timeout_s, options.get("answer_tokens"))
    kept = None if calls is None else Reservations(calls, spent)
    return LanguageModel(provider, caps, emit, timeout_s=timeout_s, spent=spent, reservations=kept, **options)
