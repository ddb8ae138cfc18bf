"""`agenttts` with a language model: what competes, how often, when it is asked, and what its faults cost."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from fakes.small_pipeline import CAPS, empty, task, told
from tunesmith.agent.methods.agenttts.method import METHOD
from tunesmith.agent.methods.base import MethodContext
from tunesmith.agent.methods.hybrid.gate import is_open, side, steps_of
from tunesmith.agent.models import open_model
from tunesmith.bench.scripted_planner import scripted_planner
from tunesmith.events import Degraded, GuidelinesStated
from tunesmith.history import History
from tunesmith.testing.studies import distinct
from tunesmith.trial import Origin, Prediction, Proposal, Provenance

TASK = task()


class Run:
    """The parts of the method with a function as its model, asked before every trial as the rules ask."""

    def __init__(self, answer: Any, earlier: Any = (), competing: Any = ()) -> None:
        self.events: list[Any] = []
        self.model = open_model(answer, CAPS, self.emit, mode="live")
        context = MethodContext(
            TASK,
            self.emit,
            self.model,
            name="agenttts",
            settings=METHOD.settings(),
            earlier=earlier,
            competing=competing,
        )
        self.parts = METHOD.build(context)

    def emit(self, event: Any) -> Any:
        self.events.append(event)
        return event

    def run(self, most: int, history: History | None = None) -> History:
        history = empty(TASK) if history is None else history
        while len(history) < most:
            self.parts.suggester(history, 1)
            (proposal,) = self.parts.strategy.propose(history, 1, self.parts.suggester.left)
            history = told(TASK, history, proposal)
        return history

    @property
    def rounds(self) -> list[GuidelinesStated]:
        return [e for e in self.events if isinstance(e, GuidelinesStated)]


@cache
def alone(n: int) -> History:
    """The same search without a model."""
    context = MethodContext(TASK, lambda event: event, name="agenttts", settings=METHOD.settings())
    strategy, history = METHOD.build(context).strategy, empty(TASK)
    while len(history) < n:
        history = told(TASK, history, strategy.propose(history, 1)[0])
    return history


def of_model(n: int, mean: float = 0.99) -> list[Proposal]:
    """A model's allocations that it expects much of."""
    return [
        Proposal(
            configuration=configuration,
            origin=Origin.MODEL,
            reason="It is good.",
            prompt_id="agenttts/trials.v1",
            provenance=Provenance(model_prediction=Prediction(mean=mean, std=0.01)),
        )
        for configuration in distinct(TASK.space, n)
    ]


def test_rounds_are_few_and_what_the_model_proposes_competes_and_says_so():
    made = Run(scripted_planner)
    history = made.run(12)
    assert len(made.rounds) == made.model.usage.calls / 2 and 2 <= len(made.rounds) <= 4
    assert made.rounds[0].trials >= 4, "guidelines need trials to rest on"
    known = {t.configuration for t in history}
    assert {t.number for t in history} >= {n for r in made.rounds for g in r.guidelines for n in g.evidence}
    assert all(r.guidelines for r in made.rounds) and len(known) == 12


def test_the_gate_holds_whatever_the_model_proposes():
    made = Run(scripted_planner)
    history = empty(TASK)
    poor = [p for p in of_model(60) if p.configuration["find.model"] == "small"]
    for _ in range(14):
        was_open = is_open(steps_of(history))
        (proposal,) = made.parts.strategy.propose(history, 1, poor)
        assert was_open or side(proposal) != "model"
        if not was_open and proposal.provenance.side == "surrogate":
            assert "The gate kept the language model out" in proposal.reason
        history = told(TASK, history, proposal)
    sides = [side(t.proposal) for t in history]
    assert sides.count("model") <= 7


def test_a_choice_of_the_models_keeps_what_both_predicted_and_its_reason():
    made, history = Run(scripted_planner), alone(3)
    best = distinct(TASK.space, 300)
    chosen = next(c for c in best if c["find.model"] == "large" and c.digest not in history.taken)
    given = [p for p in of_model(300) if p.configuration == chosen]
    for _ in range(6):
        (proposal,) = made.parts.strategy.propose(history, 1, given)
        if proposal.origin is Origin.MODEL:
            assert proposal.provenance.side == "model" and "It is good." in proposal.reason
            assert proposal.provenance.model_prediction == Prediction(mean=0.99, std=0.01)
            assert proposal.provenance.surrogate_prediction is not None
            assert proposal.prompt_id == "agenttts/trials.v1"
        history = told(TASK, history, proposal)


@pytest.mark.parametrize(
    "answer",
    [
        lambda messages: "I had rather not.",
        lambda messages: 1 / 0,
        lambda messages: json.dumps({"guidelines": [], "candidates": []}),
    ],
    ids=["prose", "a fault", "nothing"],
)
def test_a_model_of_no_use_changes_no_trial_and_the_loss_is_told(answer):
    made = Run(answer)
    history = made.run(8)
    assert [t.proposal for t in history] == [t.proposal for t in alone(8)]
    lost = [e for e in made.events if isinstance(e, Degraded)]
    assert lost and not made.rounds
    assert made.model.usage.calls <= 6, "it is left in peace for a while"


def test_a_resumed_run_asks_no_sooner_and_goes_on_alike():
    whole = Run(scripted_planner)
    history = whole.run(9)
    first = Run(scripted_planner)
    part = first.run(6)
    second = Run(scripted_planner, earlier=first.events, competing=first.parts.suggester.left)
    assert [t.proposal for t in second.run(9, part)] == [t.proposal for t in history]
    assert [r.round for r in (*first.rounds, *second.rounds)] == [r.round for r in whole.rounds]
