"""Questions beside the loop: in order, bounded, never waited for, answered or refused at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.inline_engine import EngineMaker
from tunesmith.commands import Action, Ask, Stop
from tunesmith.events import ActionsProposed, Answered, Asked, CommandDone, Degraded, Woken
from tunesmith.interfaces import Question, Speaker, Understood
from tunesmith.tools.engine.answering import MOST_WAITING


class Scripted:
    """Answers by a function."""

    def __init__(self, reply: Callable[[Question], tuple[str, tuple[Action, ...]]]) -> None:
        self.reply, self.asked = reply, list[Question]()
        self.closed = False

    def answer(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        self.asked.append(question)
        text, actions = self.reply(question)
        say(text, "model")
        return Understood(actions)

    def answer_from_records(self, question: Question, say: Callable[[str, Speaker], None]) -> Understood:
        say(f"records: {question.text}", "records")
        return Understood()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[EngineMaker]:
    made = EngineMaker(tmp_path / "run")
    yield made
    made.close()


def text_of(maker: EngineMaker, command_id: int) -> str:
    pieces = [e for e in maker.events(Answered) if e.command_id == command_id]
    assert [e.final for e in pieces] == [False] * (len(pieces) - 1) + [True]
    return "".join(e.text for e in pieces)


def test_questions_are_answered_in_order_one_too_many_is_refused_and_the_agent_is_not_asked(
    maker: EngineMaker,
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def reply(question: Question) -> tuple[str, tuple[Action, ...]]:
        begun.set()
        assert go_on.wait(600)
        return f"{len([e for e in question.talk if isinstance(e, Asked)])} {question.text}", ()

    conversation = Scripted(reply)
    engine = maker.engine(conversation=conversation)
    post = maker.store.events.post
    first = post(Ask(text="q0"))
    engine.asked_to_stop()
    assert begun.wait(600)
    ids = [first, *(post(Ask(text=f"q{n}")) for n in range(1, MOST_WAITING + 2))]
    engine.asked_to_stop()
    done = maker.events(CommandDone)
    assert [e.ok for e in done] == [True] * (MOST_WAITING + 1) + [False]
    assert done[0].reply == "Answering." and "place 3" in done[2].reply and "waiting" in done[-1].reply
    go_on.set()
    engine.run()
    engine.close()
    assert [q.text for q in conversation.asked] == [f"q{n}" for n in range(len(conversation.asked))]
    assert all(text_of(maker, number) for number in ids[:-1]), "by the model, or else from the records"
    assert text_of(maker, first).endswith(" q0")
    assert not [e for e in maker.events(Woken) if "message" in e.triggers]


def test_a_question_that_hangs_ends_with_the_run(maker: EngineMaker) -> None:
    forever, begun = threading.Event(), threading.Event()

    def hang(question: Question) -> tuple[str, tuple[Action, ...]]:
        begun.set()
        forever.wait()
        return "too late", (Stop(),)

    conversation = Scripted(hang)
    engine = maker.engine(conversation=conversation)
    hanging, waiting = (maker.store.events.post(Ask(text=t)) for t in ("hang", "wait"))
    engine.asked_to_stop()
    assert begun.wait(600)
    engine._answering.close(timeout_s=0.05)
    late = maker.store.events.post(Ask(text="late"))
    engine.asked_to_stop()
    forever.set()
    assert [text_of(maker, n) for n in (hanging, waiting)] == ["records: hang", "records: wait"]
    assert "too late" not in text_of(maker, hanging) and conversation.closed
    assert [e.reply for e in maker.events(CommandDone) if e.command_id == late] == ["The run has ended."]
    assert not maker.events(ActionsProposed)


def test_a_fault_is_told_and_the_next_question_is_answered(maker: EngineMaker) -> None:
    begun = threading.Event()

    def reply(question: Question) -> tuple[str, tuple[Action, ...]]:
        if question.text == "bad":
            raise KeyError("lr")
        begun.set()
        return "fine", ()

    engine = maker.engine(conversation=Scripted(reply))
    bad, good = (maker.store.events.post(Ask(text=t)) for t in ("bad", "good"))
    engine.asked_to_stop()
    assert begun.wait(600)
    engine._answering.close(timeout_s=600)
    assert "could not be answered: KeyError" in text_of(maker, bad) and text_of(maker, good) == "fine"
    assert [e.where for e in maker.events(Degraded)] == ["conversation"]


def test_what_is_asked_when_the_run_ends_is_answered_from_the_records(maker: EngineMaker) -> None:
    engine = maker.engine(conversation=Scripted(lambda question: ("model", ())))
    engine.run()
    last = maker.store.events.post(Ask(text="how good?"))
    refused = maker.store.events.post(Stop())
    engine.close()
    assert text_of(maker, last) in ("records: how good?", "model")
    assert [(e.command_id, e.ok) for e in maker.events(CommandDone)] == [(last, True), (refused, False)]
