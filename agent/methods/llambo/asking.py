"""One question in plain text, several answers, each read; where most cannot be read, one question back.

Strict first, tolerant second, one question back third; what is then missing is left out, and each answer is
counted under the stage that read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tunesmith.agent.models import LanguageModel, Samples
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


def ask(
    model: LanguageModel,
    prompt: Prompt,
    space: Space,
    emit: Emit,
    where: str,
    *,
    n: int,
    temperature: float,
    top_p: float,
    max_tokens: int,
    several: bool = False,
) -> Answers:
    """Ask, read every answer against `space`, and ask once about the first where most cannot be read.

    Args:
        where: Names the part in events.
        n: Answers wanted.
        several: Whether an answer may state several configurations; else its first one counts.
    Raises:
        ModelError: The model is out of reach, refused, or its caps are reached.
    """
    sample = partial(model.sample, temperature=temperature, top_p=top_p, max_tokens=max_tokens)
    messages = prompt.as_chat()
    samples = sample(messages, n=n, purpose=prompt.id)
    read, back, tokens = _read(samples, space, several), list[_Reading](), samples.tokens
    unread = [i for i, (found, _) in enumerate(read) if not found]
    if 2 * len(unread) > len(read):
        text, refused = samples.texts[unread[0]], read[unread[0]][1]
        messages = [
            *messages,
            {"role": "assistant", "content": clean(text, ANSWER_LIMIT, lines=True) or "(nothing)"},
            {"role": "user", "content": repair_question(refused[0], space)},
        ]
        try:
            again = sample(messages, n=1, purpose=f"{prompt.id} (repair)")
        except ModelError as error:
            cause = error_line(error)
            emit(Degraded(what="fallback", where=where, cause=cause, continuation="it was not asked back"))
        else:
            del read[unread[0]]
            back, tokens = _read(again, space, several), tokens + again.tokens
    with ParseTally(emit, where) as tally:
        for readings, asked_back in ((read, False), (back, True)):
            for found, refused in readings:
                for outcome in found or refused[:1]:
                    tally.count(outcome, asked_back=asked_back)
    return Answers(tuple(tuple(found) for found, _ in (*read, *back) if found), tokens)


_Reading = tuple[list[Parsed], list[Refused]]


def _read(samples: Samples, space: Space, several: bool) -> list[_Reading]:
    """The configurations and the refusals of each answer."""
    readings = []
    for text, finished in zip(samples.texts, samples.finished, strict=True):
        outcomes = parse_configurations(text, space, finished=finished)
        found = [outcome for outcome in outcomes if isinstance(outcome, Parsed)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        first_only = not several and isinstance(outcomes[0], Parsed)
        readings.append((found[:1] if first_only else found, refused))
    return readings
