"""The language model of a conversation: the run's own, under a budget and in a recording of its own.

    conversation.jsonl         requests and replies, as `exchanges.jsonl` has those of the search
    conversation_calls.jsonl   attempts, written down before they are made

So a question neither takes from the budget of the search nor changes what its recording is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.events import Event, ModelCalled, Noted
from tunesmith.interfaces import Emit

if TYPE_CHECKING:
    from tunesmith.agent.models import Answering, LanguageModel, Provider
    from tunesmith.settings import ModelSettings

EXCHANGES, CALLS = "conversation.jsonl", "conversation_calls.jsonl"
"""Names of the files in a run folder."""


def conversation_model(
    choice: ModelSettings | Provider | Answering | None,
    caps: ModelCaps,
    emit: Emit,
    folder: Path,
    *,
    replay: Path | None = None,
    search: LanguageModel | None = None,
    spent: Callable[[], ModelSpend],
) -> LanguageModel:
    """The model for questions; connects to nothing.

    Args:
        folder: Of the run.
        replay: The search's recording that is replayed; the conversation's is beside it.
        search: The model of the search, whose experience with the server is shared.
        spent: What earlier sessions spent on questions.
    Raises:
        ModelError: It cannot be used; in a replay also, where no conversation was recorded.
    """
    from tunesmith.agent.models import open_model

    def told(event: Event) -> Event:
        if isinstance(event, ModelCalled):
            event = event.model_copy(update={"budget": "conversation"})
        # What is noted is the model's price, which the search has said already.
        return event if isinstance(event, Noted) else emit(event)

    return open_model(
        choice,
        caps,
        told,
        exchanges=(folder if replay is None else replay.parent) / EXCHANGES,
        mode="record" if replay is None else "replay",
        calls=folder / CALLS,
        spent=spent(),
        max_retries=1,
        learned=None if search is None else search.learned,
    )
