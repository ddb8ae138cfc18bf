"""Tokens of texts whose true number is not known: before a call, and after it where a server counts none.

Two estimates. The one from above (`estimate_*`) holds caps: no tokenizer known to us gives more. The likely
one (`likely_*`) is what is booked for an answer whose server counted nothing. Both count what was said, and
nothing of the JSON around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tunesmith.agent.models.wire import ANSWER_TOKENS, said_in

MESSAGE_OVERHEAD = 10
"""Tokens a chat template adds around one message, at most, in the templates known to us."""
LIKELY_OVERHEAD = 4
"""Tokens that it adds in most of them."""

_PIECES = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)
_LIKELY = re.compile(r"[A-Za-z]+|[0-9]+|\s+|[^\x00-\x7f]+|.", re.DOTALL)
TYPICAL_CHARACTERS = 4
"""Characters a token stands for in English and JSON, about: OpenAI's own rule of thumb."""


def typical_tokens(text: str) -> int:
    """Tokens that a text is about worth; for caps there is `estimate_tokens`, which errs upwards."""
    return -(-len(text) // TYPICAL_CHARACTERS)


def estimate_tokens(text: str) -> int:
    """Tokens of a text, estimated from above without knowing the tokenizer.

    Two letters a token, one for every digit, sign and run of spaces, one for every byte of the rest.
    Tokenizers usually join more than that, several times more in prose and little in tables of numbers,
    and none known to us joins less: the worst case must not come out too small, or a cap would not hold.
    """
    total = 0
    for match in _PIECES.finditer(text):
        piece = match.group()
        if piece[0].isascii():
            total += (len(piece) + 1) // 2 if piece[0].isalpha() else 1
        else:
            total += len(piece.encode(errors="replace"))
    return total


def likely_tokens(text: str) -> int:
    """Tokens of a text as most tokenizers count them: a short word, two digits or a sign each."""
    total = 0
    for match in _LIKELY.finditer(text):
        piece = match.group()
        if piece.isspace():
            total += piece != " "  # a single space belongs to the word after it
        elif not piece.isascii():
            total += -(-len(piece.encode(errors="replace")) // 3)
        elif piece[0].isdigit():
            total += -(-len(piece) // 2)
        else:
            total += 1 + (len(piece) - 1) // 6
    return total


def estimate_prompt(body: dict[str, Any]) -> int:
    """Tokens the request's messages, tools and schema take, estimated from above."""
    texts, messages = _prompt_texts(body)
    return sum(map(estimate_tokens, texts)) + MESSAGE_OVERHEAD * (messages + 1)


def likely_prompt(body: dict[str, Any]) -> int:
    """Tokens the request's messages, tools and schema are likely to take."""
    texts, messages = _prompt_texts(body)
    return sum(map(likely_tokens, texts)) + LIKELY_OVERHEAD * (messages + 1)


def likely_answer(events: Iterable[dict[str, Any]]) -> int:
    """Tokens of what completions or the chunks of a stream say, for servers that count nothing."""
    return sum(map(likely_tokens, said_in(events)))


def answer_limit(body: dict[str, Any]) -> int:
    """The most tokens the answers to a request may have.

    Of two limits the larger counts: which of them a server obeys is not known.
    """
    stated = [body.get(name) for name in ("max_completion_tokens", "max_tokens")]
    limit = max((n for n in stated if isinstance(n, int) and n > 0), default=ANSWER_TOKENS)
    choices = body.get("n")
    return limit * (choices if isinstance(choices, int) and choices > 1 else 1)


def _prompt_texts(body: dict[str, Any]) -> tuple[list[str], int]:
    messages = [m for m in body.get("messages") or [] if isinstance(m, dict)]
    parts = [str(m["content"]) for m in messages if m.get("content")]
    parts += [json.dumps(m["tool_calls"]) for m in messages if m.get("tool_calls")]
    parts += [json.dumps(body[key]) for key in ("tools", "response_format") if body.get(key)]
    return parts, len(messages)
