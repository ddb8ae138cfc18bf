"""Answers from the records, by what is asked: keywords, trial numbers, names of hyperparameters. No model.

Each intent is a pure function of the records. The first that fits answers.
"""

from __future__ import annotations

from tunesmith.agent.conversation.asked import read_question
from tunesmith.agent.conversation.intents import beliefs, best, running, trials
from tunesmith.agent.conversation.intents.base import LONGEST, Intent
from tunesmith.agent.conversation.records import Records
from tunesmith.text.cleaning import clean

INTENTS: tuple[Intent, ...] = (
    running.SAID,
    trials.COMPARE,
    trials.LOG,
    trials.WHY,
    best.GUIDELINES,
    running.FAILED,
    trials.DOING,
    beliefs.NEXT,
    beliefs.WORTH,
    beliefs.SURE,
    running.CHANGED,
    running.COST,
    running.SPACE,
    beliefs.ABOUT,
    beliefs.MATTERS,
    best.BEST,
    running.RUNNING,
    beliefs.EVERYTHING,
)
"""In the order in which they are tried."""


def answer_from_records(text: str, records: Records) -> str:
    """The answer of the first intent that fits; else what can be asked."""
    found = intent_of(text, records)
    if found is None:
        return help_text(records, unknown=not is_help(text))
    asked = read_question(text, records.history.space)
    return clean(found.answer(asked, records), LONGEST, lines=True)


def intent_of(text: str, records: Records) -> Intent | None:
    """What a text asks for; None where that cannot be told."""
    asked = read_question(text, records.history.space)
    if is_help(text) or not asked.words:
        return None
    return next((intent for intent in INTENTS if intent.fits(asked, records)), None)


def is_help(text: str) -> bool:
    return text.strip().lstrip("/").rstrip("?! ").casefold() in (
        "help",
        "",
        "what can i ask",
        "what can you do",
    )


def help_text(records: Records, *, unknown: bool) -> str:
    """What can be asked without a model."""
    name = clean(next(iter(records.history.space.names), "lr"), 40)
    shown = [(intent.example.format(parameter=name), intent.about) for intent in INTENTS]
    width = max(len(example) for example, _ in shown)
    lines = [f"  {example:{width}}  {about}" for example, about in shown]
    first = (
        "This was not understood. Without a language model these can be asked:" if unknown else "You can ask:"
    )
    last = "Commands, such as /try, /freeze, /narrow, /trials, /pause and /stop: /help lists them."
    return "\n".join([first, *lines, last])
