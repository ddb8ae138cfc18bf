"""Trials go on while a model thinks; what it says counts from a moment that is kept, and replayed there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes.inline_engine import DEFAULT, EngineMaker, Follow, InlineExecutor, completed, proposal
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.budget import Budget
from tunesmith.errors import ToolError
from tunesmith.events import Decided, PriorsElicited, TrialStarted
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Toolbox
from tunesmith.testing.executors import wait_for
from tunesmith.tools.engine.thinking import Thinking
from tunesmith.tools.execution.base import Job
from tunesmith.tools.records.moments import KeptMoments, Moment, ReplayedMoments, read_moments
from tunesmith.tools.toolbox.advice import Advice
from tunesmith.trial import WARM_START, Outcome, Proposal, Provenance, TrialState


class Model(Follow):
    """A policy that may wait for a model."""

    name = "model"
    asks_model = True


class FirstCandidate(RandomStrategy):
    """Takes the first candidate that is new, else draws one."""

    def propose(self, history: History, n: int, candidates=()) -> list[Proposal]:
        return [*history.default_first, *history.new(candidates), *super().propose(history, n)][:n]


@dataclass
class Slow:
    """Trials and a model in lock step.

    An answer comes once `patience` further trials have ended and another one runs, which does not end before
    the answer has taken effect.
    """

    maker: EngineMaker
    patience: int
    ended: int = 0
    answers: int = 0
    until: int | None = None
    come: threading.Event = field(default_factory=threading.Event)

    def think(self) -> None:
        self.come.clear()
        self.answers += 1
        self.until = self.ended + self.patience
        assert self.come.wait(600)

    def train(self, job: Job) -> Outcome | None:
        if self.until is not None and self.ended >= self.until:
            self.come.set()
            if len(self.maker.events(Decided)) < self.answers:
                return None
            self.until = None
        self.ended += 1
        return completed(job)


def test_trials_go_on_while_a_model_thinks_and_its_answer_counts_from_when_it_comes(
    maker: EngineMaker,
) -> None:
    slow = Slow(maker, 5)

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        if "start" in briefing.triggers:
            slow.think()
        return Decision(reason="At last.", candidates=(proposal(0.91),), wake_after=100)

    engine = maker.engine(
        executor=InlineExecutor(1, slow.train),
        policy=Model(decide),
        strategy=FirstCandidate(maker.task().space, 0),
        budget=Budget(trials=9),
    )
    history = engine.run().history
    (decided,) = maker.events(Decided)
    assert (decided.started, decided.finished) == (6, 5), "five trials ended while it thought"
    assert history.trials[0].configuration == DEFAULT
    assert [trial.number for trial in history if trial.configuration["x"] == 0.91] == [6]


@pytest.mark.parametrize(
    ("policy", "in_step", "old"),
    [(Follow, None, False), (Model, True, False), (Model, None, True)],
    ids=["rules", "a model, in step by the task", "a recording that has no moments"],
)
def test_a_decision_that_needs_no_model_and_one_asked_for_in_step_are_waited_for(
    maker: EngineMaker, tmp_path: Path, policy: type[Follow], in_step: bool | None, old: bool
) -> None:
    executor = InlineExecutor()
    started: list[tuple[int, int]] = []

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        started.append((len(briefing.history), len(executor.jobs)))
        return Decision(reason="So.", wake_after=2)

    (tmp_path / "exchanges.jsonl").write_text('{"key": "k", "request": {}, "response": {}}\n')
    moments = ReplayedMoments(tmp_path / "exchanges.jsonl") if old else None
    maker.engine(executor=executor, policy=policy(decide), in_step=in_step, moments=moments).run()
    assert started == [(0, 0), (2, 2), (4, 4)]
    assert [(event.started, event.finished) for event in maker.events(Decided)] == [(0, 0), (2, 2), (4, 4)]


def run_with_a_model(maker: EngineMaker, moments, think: Callable[[], None], train) -> list[object]:
    """A run whose policy advises, launches and decides, in every decision."""

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        turn = briefing.turn
        think()
        numbers = toolbox.launch_trials([proposal(0.01 * turn, k=1)])
        return Decision(
            reason=f"Launched {numbers} after {len(briefing.history.finished)}.",
            candidates=tuple(proposal(0.01 * turn + 0.001 * i, k=3) for i in range(2)),
            wake_after=2,
        )

    engine = maker.engine(
        executor=InlineExecutor(1, train),
        policy=Model(decide),
        strategy=FirstCandidate(maker.task().space, 0),
        moments=moments,
        budget=Budget(trials=12),
    )
    history = engine.run().history
    decided = [(e.started, e.finished, e.decision.reason) for e in maker.events(Decided)]
    return [[trial.configuration for trial in history], decided]


@pytest.mark.parametrize("patience", [0, 3])
def test_a_replay_lets_every_answer_count_where_it_did(tmp_path: Path, patience: int) -> None:
    recording = tmp_path / "exchanges.jsonl"
    live, again = EngineMaker(tmp_path / "live"), EngineMaker(tmp_path / "again")
    slow = Slow(live, patience)
    recorded = run_with_a_model(live, KeptMoments(recording), slow.think, slow.train)
    replayed = run_with_a_model(again, ReplayedMoments(recording), lambda: None, completed)
    assert replayed == recorded
    assert recorded[1], "some answer came in time"
    if patience:
        assert all(finished >= patience for _, finished, _ in recorded[1])
    live.close()
    again.close()


def test_a_run_ends_with_a_model_still_thinking_and_nothing_of_it_counts_any_more(maker: EngineMaker) -> None:
    over, refused = threading.Event(), list[str]()

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        assert over.wait(600)
        try:
            toolbox.launch_trials([proposal(0.3)])
        except ToolError as error:
            refused.append(str(error))
        return Decision(reason="Too late.")

    engine = maker.engine(policy=Model(decide))
    ended = engine.run()
    assert ended.status == "finished" and len(ended.history.completed) == 5
    over.set()
    wait_for(lambda: bool(refused))
    assert "the search has ended" in refused[0]
    assert maker.events(Decided) == []


def test_a_run_without_a_success_fails_whatever_the_model_does(maker: EngineMaker) -> None:
    forever = threading.Event()
    crash = Outcome(state=TrialState.CRASHED, message="no such module")
    engine = maker.engine(
        executor=InlineExecutor(1, lambda job: crash),
        policy=Model(lambda briefing, toolbox: Decision(reason=str(forever.wait(600)))),
    )
    assert engine.run().status == "failed"
    forever.set()


def warm(x: float) -> Proposal:
    return proposal(x).model_copy(update={"provenance": Provenance(stage=WARM_START)})


def advised(maker: EngineMaker, think: Callable[[], None], **more) -> list[Proposal]:
    """Proposals of a run whose model says something, then something else, then decides."""
    changed: list[int] = []

    class Suggester:
        left = ()

        def __call__(self, past: History, n: int, /, on_advice=None) -> list[Proposal]:
            think()
            told = PriorsElicited(beliefs=(), prompt_id="opening.v1")
            on_advice(Advice(launch=(warm(0.77),), priors=told, apply=lambda: changed.append(1)))
            on_advice(Advice(candidates=(proposal(0.88),)))
            return []

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        if "start" not in briefing.triggers:
            return Decision(reason="Go on.")
        toolbox.suggest(1)
        assert [p.configuration["x"] for p in toolbox.launched][-1] == 0.77
        return Decision(reason="Opened.", candidates=(proposal(0.88),), wake_after=100)

    engine = maker.engine(
        policy=Model(decide), suggester=Suggester(), strategy=FirstCandidate(maker.task().space, 0), **more
    )
    engine.run()
    assert changed == [1]
    return [event.proposal for event in maker.events(TrialStarted)]


def test_an_opening_in_step_begins_with_the_default(maker: EngineMaker) -> None:
    proposals = advised(maker, lambda: None, in_step=True)
    assert [p.configuration["x"] for p in proposals[:3]] == [0.5, 0.77, 0.88]
    (told,) = maker.events(PriorsElicited)
    assert (told.started, told.finished) == (0, 0) and "It came when" not in proposals[1].reason


def test_a_late_opening_is_queued_when_it_comes_and_says_so(maker: EngineMaker) -> None:
    slow = Slow(maker, 4)
    proposals = advised(maker, slow.think, executor=InlineExecutor(1, slow.train), budget=Budget(trials=9))
    assert proposals[0].configuration == DEFAULT
    assert [p.configuration["x"] for p in proposals[5:7]] == [0.77, 0.88]
    assert "It came when 5 trials had been started since the model was asked" in proposals[5].reason
    (told,) = maker.events(PriorsElicited)
    assert (told.started, told.finished) == (5, 4)


def test_what_a_launch_is_checked_against_is_the_run_as_it_is(maker: EngineMaker) -> None:
    slow, refused = Slow(maker, 3), list[str]()

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        if "start" in briefing.triggers:
            slow.think()
            try:
                toolbox.launch_trials([Proposal(configuration=DEFAULT, origin="model", reason="Surely new.")])
            except ToolError as error:
                refused.append(str(error))
        return Decision(reason="So.", wake_after=100)

    executor = InlineExecutor(1, slow.train)
    maker.engine(executor=executor, policy=Model(decide), budget=Budget(trials=6)).run()
    assert "already tried as #0" in refused[0], "the default was tried while the model thought"


def test_a_person_is_told_that_the_model_thinks_and_for_how_long() -> None:
    thinking = Thinking(waiting=False)
    told = [thinking.note(float(seconds)) for seconds in range(0, 90, 2)]
    assert [text for text in told if text is not None] == [
        f"The model is thinking ({seconds} s); trials go on without it." for seconds in ("10", "20", "40")
    ] + ["The model is thinking (1 min 20 s); trials go on without it."]
    assert thinking.note(0.0) is None and thinking.note(11.0) is not None, "the next decision begins anew"
    waiting = Thinking(waiting=True).note(10.0)
    assert waiting is not None and "no trial starts before it has answered" in waiting


def test_moments_are_read_back_and_a_recording_of_before_has_none(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    path.write_text('{"key": "k", "request": {}, "response": {}}\n')
    assert read_moments(path) == [] and ReplayedMoments(path).in_step
    path.write_text(path.read_text() + '{"what": "torn')
    kept = KeptMoments(path)
    assert kept.woken(Moment(0, 0), 1.23456) == 1.235
    kept.took_effect("decision", Moment(3, 2))
    kept.ended(Moment(4, 4))
    kept.woken(Moment(4, 4), 9.0)
    kept.took_effect("launch", Moment(5, 4))
    kept.ended(Moment(6, 5))
    told = [(each.what, each.moment) for each in read_moments(path)]
    assert told == [
        ("woken", (0, 0)),
        ("decision", (3, 2)),
        ("woken", (4, 4)),
        ("launch", (5, 4)),
        ("ended", (6, 5)),
    ]
    replayed = ReplayedMoments(path)
    assert not replayed.in_step and replayed.unfinished == 2
    assert replayed.woken(Moment(0, 0), 77.0) == 1.235, "a prompt may show the time that was spent"
    assert not replayed.may_take(Moment(3, 1)) and replayed.awaited(Moment(3, 2))


def test_a_decision_that_the_recorded_run_did_not_wait_for_is_not_asked_for_again(tmp_path: Path) -> None:
    kept = KeptMoments(tmp_path / "exchanges.jsonl")
    kept.woken(Moment(0, 0), 0.1)
    kept.ended(Moment(7, 6))
    replayed = ReplayedMoments(tmp_path / "exchanges.jsonl")
    assert not replayed.over(Moment(7, 5)) and replayed.over(Moment(7, 6))
    assert not replayed.may_wake(Moment(0, 0)) and not replayed.may_wake(Moment(7, 7))
    assert replayed.may_wake(Moment(8, 7)), "beyond the end of the recording nothing is known"
