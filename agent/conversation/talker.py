"""One question of a person, answered: by one call of a language model, or from the records alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tunesmith.agent.conversation import checking, memory
from tunesmith.agent.conversation.asked import read_question
from tunesmith.agent.conversation.facts import facts_text
from tunesmith.agent.conversation.form import Said, commands_of
from tunesmith.agent.conversation.instructions import cannot_follow
from tunesmith.agent.conversation.intents import answer_from_records, intent_of, is_help
from tunesmith.agent.conversation.intents.base import LONGEST
from tunesmith.agent.conversation.records import Records, no_log
from tunesmith.errors import ModelBudgetReached, ModelError, ModelUnavailable
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit, Question, Speaker, Understood
from tunesmith.prompts import render
from tunesmith.text.cleaning import clean, error_line, fenced

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

log = logging.getLogger(__name__)
PURPOSE = "conversation"
ANSWER_TOKENS = 2000
"""Longest answer of the model, its hidden reasoning included; it grows for a model that thinks."""
LONGEST_WORDS = 180
LONGEST_LOG = 1500
"""Characters of the end of a trial's log."""
SAID = 6000
"""Characters of a person's words that a model is given."""
GRACE_S = 5.0
"""How much longer than the model's own limit is waited for it: a function knows no limit."""
WITHOUT = "Answered from the records, without a model."
Open = Callable[[], "LanguageModel"]
"""Opens the conversation's model at the first question. Raises ModelError."""


class Talker:
    """A conversation.

    Args:
        emit: Stores an event; called from the answering thread.
        opens: The model; None where the run has none.
        log_of: The end of a trial's log.
        wait_s: How long the model may take for one answer; None: as long as it may by its own settings.
    """

    def __init__(
        self,
        emit: Emit,
        opens: Open | None = None,
        *,
        wait_s: float | None = None,
        log_of: Callable[[int], str] = no_log,
    ) -> None:
        self._emit, self._opens, self._wait_s, self._log_of = emit, opens, wait_s, log_of
        self._model: LanguageModel | None = None
        self._busy: threading.Thread | None = None  # a call that was given up and has not ended

    def answer(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        """By the model where there is one and it answers, else from the records, and says so."""
        records = Records.of(question, self._log_of)
        typed = question.text.lstrip().startswith("/")  # `/why 7` has its answer in the records
        if self._opens is None or typed or is_help(question.text):
            return self._from_records(question, records, "", say)
        try:
            said = self._asked(question, records)
        except ModelError as error:
            return self._from_records(question, records, self._why_not(error), say)
        space = records.history.space
        actions, faults = commands_of(said, space)
        text = clean(said.answer, LONGEST, lines=True).strip()
        cannot = [f"That cannot be followed: {fault}." for fault in faults]
        wrong = checking.correction(checking.faults(text, said.cites, records.history, records.left))
        parts = [text, *cannot, wrong]
        if not any(parts):
            parts = ["It is handed to the run." if actions else "The model gave no answer."]
        say("\n".join(part for part in parts if part), "model")
        return Understood(actions, followed=not faults)

    def answer_from_records(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        """At once, without a model."""
        cause = "" if self._opens is None else "the run has ended, and the model is not waited for."
        return self._from_records(question, Records.of(question, self._log_of), cause, say)

    def close(self) -> None:
        """Break off what is being asked."""
        if self._model is not None:
            self._model.close()

    def _from_records(
        self, question: Question, records: Records, cause: str, say: Callable[[str, Speaker], None]
    ) -> Understood:
        space = records.history.space
        text = cannot_follow(question.text, space, surely=True)
        known = not text and intent_of(question.text, records) is not None
        if not text:
            text = "" if known else cannot_follow(question.text, space)
            text = text or answer_from_records(question.text, records)
        last = WITHOUT if not cause else f"{WITHOUT[:-1]}: {cause}"
        say(f"{text}\n{last}" if known or cause else text, "records")
        return Understood(followed=known or is_help(question.text))

    def _why_not(self, error: ModelError) -> str:
        cause = clean(str(error), 300).replace("budget.model.", "budget.conversation.").rstrip(".")
        if isinstance(error, ModelBudgetReached):
            return f"the conversation's budget is used up, as {cause}."
        how = "answered from the records without a model"
        self._emit(Degraded(what="fallback", where=PURPOSE, cause=error_line(error, 500), continuation=how))
        return f"{cause}."

    def _asked(self, question: Question, records: Records) -> Said:
        """The model's answer. Raises ModelError."""
        if self._busy is not None and self._busy.is_alive():
            raise ModelUnavailable("the model has still not answered an earlier question")
        messages = prompt_of(question, records)
        if self._model is None:
            assert self._opens is not None
            self._model = self._opens()
        model = self._model
        wait_s = model.timeout_s + GRACE_S if self._wait_s is None else self._wait_s
        found: list[Said | BaseException] = []

        def call() -> None:
            try:
                done = model.complete(messages, Said, purpose=PURPOSE, max_tokens=ANSWER_TOKENS)
                found.append(done.value)
            except BaseException as error:  # noqa: BLE001 - a thread's edge: raised again below
                found.append(error)

        thread = threading.Thread(target=call, name="tunesmith-asks", daemon=True)
        thread.start()
        thread.join(wait_s)
        if not found:
            self._busy = thread
            raise ModelUnavailable(f"the model gave no answer within {wait_s:g} s")
        if isinstance(found[0], Said):
            return found[0]
        if isinstance(found[0], ModelError):
            raise found[0]
        log.error("asking the model failed", exc_info=found[0])
        raise ModelUnavailable(error_line(found[0], 300))


def prompt_of(question: Question, records: Records) -> list[dict[str, str]]:
    """What the model is asked: the records, the talk so far, and the question, of bounded size."""
    history = records.history
    asked = read_question(question.text, history.space)
    talk = memory.as_text(memory.remembered(question.talk, but=question.command_id))
    return render(
        "conversation/question",
        records=facts_text(asked, records),
        talk=fenced(talk, "the talk so far", 9000) if talk else "",
        said=fenced(question.text, "the person", SAID),
        longest=LONGEST_WORDS,
    ).as_chat()
