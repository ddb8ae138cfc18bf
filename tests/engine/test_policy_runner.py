"""The thinking beside the loop: faults become fallbacks at the thread's edge, and nothing blocks."""

from __future__ import annotations

import threading

import pytest

from fakes.histories import briefing
from fakes.inline_engine import Follow
from tunesmith.errors import ModelUnavailable
from tunesmith.events import Degraded, Event
from tunesmith.interfaces import Briefing, Decision, Toolbox
from tunesmith.tools.engine.policy_runner import Made, PolicyRunner


def decided(runner: PolicyRunner) -> Made:
    runner.wake(briefing(), lambda about: None)  # type: ignore[arg-type, return-value]
    made = runner.take(timeout_s=600)
    assert isinstance(made, Made)
    return made


class Faulty(Follow):
    """Fails at everything, in a way of choice."""

    name = "faulty"

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault

    def decide(self, briefing: Briefing, toolbox: Toolbox) -> Decision:
        raise self.fault


@pytest.mark.parametrize("fault", [ModelUnavailable("no route"), KeyError("lr")], ids=["model", "bug"])
def test_whatever_a_policy_raises_the_fallback_decides_and_says_so(fault: Exception) -> None:
    emitted: list[Event] = []
    runner = PolicyRunner(Faulty(fault), Follow(), emitted.append)
    taken = decided(runner)
    assert taken.policy == "follow"
    assert [type(event) for event in emitted] == [Degraded]
    assert not runner.busy


def test_without_any_policy_that_works_the_strategy_goes_on_without_a_plan() -> None:
    emitted: list[Event] = []
    runner = PolicyRunner(Faulty(ModelUnavailable("no route")), Faulty(KeyError("lr")), emitted.append)
    taken = decided(runner)
    assert taken.policy == "none" and taken.decision.stop is None
    assert len(emitted) == 2


def test_a_log_that_cannot_be_written_is_an_error_of_the_one_who_takes_the_decision() -> None:
    def full(event: Event) -> None:
        raise OSError(28, "No space left on device")

    runner = PolicyRunner(Faulty(ModelUnavailable("no route")), Follow(), full)
    with pytest.raises(OSError, match="No space"):
        decided(runner)
    assert not runner.busy, "it can be woken again"


def test_it_is_busy_from_being_woken_until_its_decision_is_taken() -> None:
    go_on = threading.Event()

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        assert go_on.wait(600)
        return Decision(reason="At last.")

    runner = PolicyRunner(Follow(decide), Follow(), lambda event: event)
    runner.wake(briefing(), lambda about: None)  # type: ignore[arg-type, return-value]
    assert runner.busy and runner.take() is None
    go_on.set()
    taken = runner.take(timeout_s=600)
    assert taken == ("follow", Decision(reason="At last."))
    assert not runner.busy and runner.take() is None
