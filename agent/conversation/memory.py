"""What was said in a run, from its records: bounded, so that a long talk costs no more than a short one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tunesmith.events import ActionsProposed, Answered, Asked, CommandDone, Event
from tunesmith.text.cleaning import clean

MOST_SAID = 10
"""Questions that are remembered, the latest."""
QUESTION, ANSWER, REPLY = 600, 900, 200
"""Characters that are kept of each."""


@dataclass
class Exchange:
    """One thing that a person said, and what came of it."""

    command_id: int
    question: str
    answer: str = ""
    done: list[str] = field(default_factory=list)
    """What was carried out or refused."""


def remembered(events: Sequence[Event], *, but: int | None = None) -> list[Exchange]:
    """The latest talk, oldest first.

    Args:
        but: The command that is being answered.
    """
    told: dict[int, Exchange] = {}
    for event in events:
        if isinstance(event, Asked):
            told[event.command_id] = Exchange(event.command_id, event.text)
            continue
        number = getattr(event, "command_id", None)
        known = told.get(number) if isinstance(number, int) else None
        if known is None:
            continue
        if isinstance(event, Answered):
            known.answer += event.text
        elif isinstance(event, ActionsProposed) and event.waiting:
            known.done.append(f"waits for approval: {', '.join(event.effects)}")
        elif isinstance(event, CommandDone) and event.command != "ask":
            known.done.append(f"{event.command}: {event.reply}")
    if but is not None:
        told.pop(but, None)
    return [each for each in told.values() if each.answer or each.done][-MOST_SAID:]


def as_text(talk: Sequence[Exchange]) -> str:
    """For a prompt, where it stands in a fence."""
    lines = []
    for each in talk:
        lines.append(f"Person: {clean(each.question, QUESTION)}")
        if each.answer:
            lines.append(f"You: {clean(each.answer, ANSWER)}")
        lines += [f"Done: {clean(text, REPLY)}" for text in each.done[-4:]]
    return "\n".join(lines)
