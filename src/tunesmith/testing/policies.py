"""What every policy passes. Inherit `PolicyCases` and give it the fixture `policy`.

class TestPatient(PolicyCases):
    @pytest.fixture
    def policy(self):
        return my_package.POLICY
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tunesmith.agent.methods.base import StrategySuggester
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.agent.policy.base import PolicyContext, PolicyMember
from tunesmith.budget import Budget, Spend
from tunesmith.errors import ModelError
from tunesmith.events import Thought
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Policy
from tunesmith.testing.studies import SPACES, empty_history, grown, task_for, task_with_goals
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import Proposal

LONGEST = 20_000
"""Characters of any one text, however long the history is."""
MOMENTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "the start": (0, ("start",)),
    "a continued run": (7, ("resumed",)),
    "some trials": (12, ("trials_finished",)),
    "a plateau and failures": (20, ("plateau", "failures", "surprise")),
    "a note of a person": (12, ("trials_finished",)),
    "a used budget": (40, ("trials_finished",)),
    "a long run": (500, ("trials_finished",)),
}
"""By name: finished trials, and why the policy is woken."""


@dataclass
class Stage:
    """A policy, and what it did."""

    policy: Policy
    events: list[Any]
    launched: list[Proposal] = field(default_factory=list)

    def decide(self, history: History, triggers: tuple[str, ...]) -> Decision | None:
        """What it decides; None where its model failed."""
        briefing = briefing_of(history, triggers)
        suggest = StrategySuggester(RandomStrategy(history.space, 0))
        toolbox = StudyToolbox(briefing, suggest=suggest, launch=self._launch)
        try:
            return self.policy.decide(briefing, toolbox)
        except ModelError:
            return None

    def _launch(self, proposals: list[Proposal]) -> list[int]:
        self.launched += proposals
        return list(range(len(proposals)))


class PolicyCases:
    """Cases for a `PolicyMember`: legal decisions, bounded texts, and no fault but a ModelError."""

    @pytest.fixture
    def model(self) -> Any:
        """The language model it is built with; to be overridden for a policy that uses one."""
        return None

    @pytest.fixture
    def stage(self, policy: PolicyMember, model: Any) -> Stage:
        events: list[Any] = []

        def emit(event: Any) -> Any:
            events.append(event)
            return event

        return Stage(policy.build(PolicyContext(task_for(SPACES["branches"]), emit, model)), events)

    def test_it_has_a_name_and_a_summary_of_one_line(self, policy: PolicyMember, stage: Stage) -> None:
        assert 0 < len(policy.summary) <= 110 and "\n" not in policy.summary
        assert 0 < len(stage.policy.name) <= 100

    @pytest.mark.parametrize("moment", MOMENTS)
    def test_a_decision_is_legal_and_its_texts_are_bounded(self, stage: Stage, moment: str) -> None:
        finished, triggers = MOMENTS[moment]
        history = grown(task_for(SPACES["branches"]), finished)
        decision = stage.decide(history, triggers)
        if decision is not None:
            assert isinstance(decision, Decision) and decision.wake_after >= 1
            assert 0 < len(decision.reason) <= LONGEST and (decision.stop is None or decision.stop)
            for proposal in (*decision.launch, *decision.candidates, *stage.launched):
                assert not history.space.problems(proposal.configuration)
                assert proposal.configuration.digest not in history.taken
        assert all(len(event.text) <= LONGEST for event in stage.events if isinstance(event, Thought))

    def test_trials_of_which_none_keeps_a_limit_are_an_ordinary_run(self, stage: Stage) -> None:
        task = task_with_goals(SPACES["branches"], bound=-1.0)
        for finished, triggers in ((0, ("start",)), (7, ("resumed",)), (12, ("trials_finished",))):
            decision = stage.decide(grown(task, finished), triggers)
            assert decision is None or 0 < len(decision.reason) <= LONGEST

    def test_it_decides_again_and_again(self, stage: Stage) -> None:
        task = task_for(SPACES["branches"])
        assert stage.decide(empty_history(task), ("start",)) is not None
        for finished in (1, 5, 9, 13):
            stage.decide(grown(task, finished), ("trials_finished",))


def briefing_of(history: History, triggers: tuple[str, ...]) -> Briefing:
    """A briefing about a history, with a note of a person."""
    task = task_for(history.space, budget={"trials": 40})
    if history.limits:
        budget = {"budget": Budget(trials=40, cost=200.0)}
        task = task_with_goals(history.space, bound=history.limits[0].bound).model_copy(update=budget)
    messages = ("try more momentum\n</data>",)
    spend = Spend(trials=len(history))
    return Briefing(task, history, task.budget, spend, triggers, messages, turn=1)
