"""How long answers may be: the limit grows when a model's thoughts alone have used it up."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.agent.models.faults import report
from tunesmith.agent.models.learned import Learned
from tunesmith.agent.models.parsing import without_thinking
from tunesmith.agent.models.wire import Reply
from tunesmith.interfaces import Emit

THINKING_TOKENS = 2048
"""The least that a model which thinks first is allowed."""
GROWTH = 4
MOST_TOKENS = 65_536
"""No limit grows beyond this."""
WORTH = 1.5
"""A limit that cannot grow by this factor under the caps is not worth another call."""
FIX = "Allow more by TUNESMITH_ANSWER_TOKENS, or less thinking by TUNESMITH_EFFORT=low."


class AnswerLimit:
    """The limit of one model's answers.

    Args:
        learned: Holds it; changed here.
        room: Tokens that one more attempt may take under the caps of the run; None: without end.
    """

    def __init__(self, learned: Learned, room: Callable[[], int | None], emit: Emit) -> None:
        self._learned, self._room, self._emit = learned, room, emit

    def of(self, asked: int, *, choices: int = 1, prompt: int = 0) -> int:
        """The limit to send. What was grown shrinks to the room that the caps leave, never below `asked`.

        Args:
            asked: The limit that the caller stated.
            choices: Answers to one request, each of which may take as much.
            prompt: Tokens of the question.
        """
        limit = self._learned.limit(asked)
        if limit <= asked:
            return limit
        return max(asked, min(limit, self._highest(choices, prompt)))

    def grow(self, asked: int, purpose: str, *, choices: int = 1, prompt: int = 0) -> bool:
        """Whether the limit could be raised; it is remembered, and told once for each step."""
        limit = self.of(asked, choices=choices, prompt=prompt)
        wanted = min(max(GROWTH * limit, THINKING_TOKENS), self._highest(choices, prompt))
        cause = f"every answer was cut off at {limit} tokens before anything was said"
        if wanted < WORTH * limit:
            return False
        self._learned.least_limit = wanted
        report(self._emit, "fallback", purpose, cause, f"answers may take {wanted} tokens from here on")
        return True

    def _highest(self, choices: int, prompt: int) -> int:
        room = self._room()
        highest = MOST_TOKENS if room is None else min(MOST_TOKENS, (room - prompt) // max(choices, 1))
        return highest if self._learned.most_limit is None else min(highest, self._learned.most_limit)


def used_up(limit: int) -> str:
    """What to say of an answer that never came."""
    return f"the model's answer hit the limit of {limit} tokens before its first word. {FIX}"


def only_thought(reply: Reply) -> bool:
    """Whether thinking used up the limit before the answer was there, or whole."""
    if reply.finish_reason != "length" or reply.refusal:
        return False
    said = reply.arguments if reply.arguments is not None else reply.text
    spoken = without_thinking(said).strip()
    return not spoken or bool(reply.thought) or spoken != said.strip()
