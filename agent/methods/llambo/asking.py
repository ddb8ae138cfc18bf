"""One question in plain text, several answers, each read; what cannot be read is asked about once.

Strict first, tolerant second, one question back third; what is then missing is simply not there, and each
answer is counted under where it came to.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.agent.models import LanguageModel
from tunesmith.agent.models.replies import (
    Parsed,
    ParseTally,
    Refused,
    parse_configurations,
    repair_question,
)
from tunesmith.errors import ModelError
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt
from tunesmith.space import Space
from tunesmith.text.cleaning import clean, error_line

ANSWER_LIMIT = 4000
"""Characters of an unreadable answer that are shown to the model again."""


@dataclass(frozen=True)
class Answers:
    """What came of one question.

    Attributes:
        found: One list an answer; the configurations it states, as the model's own space has them.
        tokens: Prompt and completion, the question back included.
    """

    found: tuple[tuple[Parsed, ...], ...]
    tokens: int


@dataclass(frozen=True)
class How:
    """How a question is put."""

    n: int
    temperature: float
    top_p: float
    max_tokens: int
    where: str
    """Names the part in events."""
    several: bool = False
    """Whether an answer may state several configurations; else its first one counts."""


def ask(model: LanguageModel, prompt: Prompt, space: Space, how: How, emit: Emit) -> Answers:
    """Ask, read every answer against `space`, and ask once about the first where most cannot be read.

    Raises:
        ModelError: The model is out of reach, refused, or its caps are reached.
    """
    tally = ParseTally(emit, how.where)
    messages = prompt.as_chat()
    samples = model.sample(
        messages,
        n=how.n,
        temperature=how.temperature,
        top_p=how.top_p,
        max_tokens=how.max_tokens,
        purpose=prompt.id,
    )
    cut = samples.cut or (None,) * len(samples.texts)
    read = [
        _read(text, space, how, None if was_cut is None else not was_cut)
        for text, was_cut in zip(samples.texts, cut, strict=True)
    ]
    tokens = samples.tokens
    unread = [i for i, (found, _) in enumerate(read) if not found]
    back = None
    if unread and 2 * len(unread) > len(read):
        first = unread[0]
        back = _ask_back(
            model, messages, samples.texts[first], read[first][1][0], space, how, emit, prompt.id
        )
    for i, (found, refused) in enumerate(read):
        if back is not None and i == unread[0]:
            continue
        for outcome in found or refused[:1]:
            tally.count(outcome)
    answers = [tuple(found) for found, _ in read if found]
    if back is not None:
        (found, refused), spent = back
        tokens += spent
        for outcome in found or refused[:1]:
            tally.count(outcome, asked_back=True)
        answers += [tuple(found)] if found else []
    tally.tell()
    return Answers(tuple(answers), tokens)


def _read(text: str, space: Space, how: How, finished: bool | None) -> tuple[list[Parsed], list[Refused]]:
    outcomes = parse_configurations(text, space, finished=finished)
    found = [outcome for outcome in outcomes if isinstance(outcome, Parsed)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    if not how.several and len(outcomes) > 0 and isinstance(outcomes[0], Parsed):
        found = found[:1]
    return found, refused


def _ask_back(
    model: LanguageModel,
    messages: list[dict[str, str]],
    text: str,
    refused: Refused,
    space: Space,
    how: How,
    emit: Emit,
    purpose: str,
) -> tuple[tuple[list[Parsed], list[Refused]], int] | None:
    """The reading of the answer to the one question back; None where the model could not be asked."""
    again = [
        *messages,
        {"role": "assistant", "content": clean(text, ANSWER_LIMIT, lines=True) or "(nothing)"},
        {"role": "user", "content": repair_question(refused, space)},
    ]
    try:
        samples = model.sample(
            again,
            n=1,
            temperature=how.temperature,
            top_p=how.top_p,
            max_tokens=how.max_tokens,
            purpose=f"{purpose} (repair)",
        )
    except ModelError as error:
        cause = error_line(error)
        emit(Degraded(what="fallback", where=how.where, cause=cause, continuation="it was not asked back"))
        return None
    finished = None if not samples.cut else not samples.cut[0]
    return _read(samples.texts[0], space, how, finished), samples.tokens
