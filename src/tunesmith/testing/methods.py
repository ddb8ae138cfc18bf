"""What every method passes. Inherit `MethodCases` and give it the fixture `method`; no model is called.

class TestHalton(MethodCases):
    @pytest.fixture
    def method(self):
        return my_package.METHOD
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tunesmith.agent.methods.base import Method, MethodContext, MethodParts, StrategySuggester
from tunesmith.history import History
from tunesmith.space import Space
from tunesmith.task import Task
from tunesmith.testing.studies import ENDS, FINITE, SPACES, distinct, empty_history, finished, task_for
from tunesmith.trial import Origin, Proposal, Trial, TrialState

Build = Callable[[Task], MethodParts]
SPACE_IDS = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())


class MethodCases:
    """Cases for a `Method` without a language model, which every method can do without.

    A method for one kind of problem only gives its own tasks by `task_for`.
    """

    def task_for(self, space: Space, **changes: Any) -> Task:
        """A task over `space`, or one of as many configurations that the method can run.

        Args:
            space: One of `studies.SPACES`, or `studies.FINITE`, which has 6 configurations.
            changes: Keys of the task.
        """
        return task_for(space, **changes)

    def task_with_goals(self, space: Space, several: bool, limits: bool, feasible: bool) -> Task:
        """The same with several metrics and limits, which some of the trials are to keep, or none."""
        goals: dict[str, Any] = {"metrics": {"score": "maximize"}}
        if several:
            goals["metrics"]["latency_ms"] = "minimize"
        if limits:
            goals["limits"] = {"score": ">= 0.8" if feasible else ">= 2"}
        return Task.model_validate({**goals, "space": space, "default": task_for(space).default})

    @pytest.fixture
    def build(self, method: Method) -> Build:
        """Builds the method's parts for a task, with default settings."""
        settings = method.settings()
        return lambda task: method.build(
            MethodContext(task, lambda event: event, name="under test", settings=settings)
        )

    def test_settings_have_defaults_and_read_back_as_written(self, method: Method) -> None:
        settings = method.settings()
        assert method.settings.model_validate(settings.model_dump(mode="json")) == settings
        with pytest.raises(ValueError, match="no_such_setting"):
            method.settings.model_validate({"no_such_setting": 1})

    def test_it_says_in_one_line_what_it_does(self, method: Method) -> None:
        assert 0 < len(method.summary) <= 110 and "\n" not in method.summary

    @SPACE_IDS
    def test_proposals_are_legal_new_and_finite_whatever_became_of_those_before(
        self, build: Build, space: Space
    ) -> None:
        task = self.task_for(space)
        strategy, history = build(task).strategy, empty_history(task)
        for i in range(10):
            (proposal,) = strategy.propose(history, 1)
            check_legal([proposal], history)
            history = finished(history, proposal, ENDS[i % len(ENDS)])
        assert history.trials[0].configuration == task.default, "the default is tried first"

    @SPACE_IDS
    def test_a_batch_holds_nothing_twice_and_nothing_that_runs(self, build: Build, space: Space) -> None:
        task = self.task_for(space)
        strategy, history = build(task).strategy, empty_history(task)
        for proposal in strategy.propose(history, 3):
            history = history.with_trial(Trial(number=len(history), proposal=proposal))
        assert len(history.pending) == 3
        batch = strategy.propose(history, 3)
        assert len(batch) == 3
        check_legal(batch, history)

    @SPACE_IDS
    def test_a_resumed_run_goes_on_as_one_that_was_never_stopped(self, build: Build, space: Space) -> None:
        task = self.task_for(space, seed=7)
        strategy, history = build(task).strategy, empty_history(task)
        for _ in range(6):
            (proposal,) = strategy.propose(history, 1)
            assert build(task).strategy.propose(history, 1) == [proposal]
            history = finished(history, proposal)

    def test_another_seed_gives_other_proposals(self, build: Build) -> None:
        def sequence(seed: int) -> list[Any]:
            task = self.task_for(SPACES["numbers"], seed=seed)
            strategy, history = build(task).strategy, empty_history(task)
            for _ in range(4):
                history = finished(history, strategy.propose(history, 1)[0])
            return [trial.configuration for trial in history]

        assert sequence(1) != sequence(2)

    def test_a_finite_space_is_used_up_and_then_nothing_is_proposed(self, build: Build) -> None:
        task = self.task_for(FINITE)
        strategy, history = build(task).strategy, empty_history(task)
        for proposal in strategy.propose(history, 4):
            history = finished(history, proposal)
        rest = strategy.propose(history, 9)
        assert len(history) == 4 and len(rest) == 2
        for proposal in rest:
            history = finished(history, proposal)
        assert strategy.propose(history, 1) == []
        assert {t.configuration for t in history} == set(distinct(task.space, 6))

    def test_a_history_of_nothing_but_failures_is_no_reason_to_stop(self, build: Build) -> None:
        task = self.task_for(SPACES["branches"])
        strategy, history = build(task).strategy, empty_history(task)
        for state in (TrialState.CRASHED, TrialState.OUT_OF_MEMORY, TrialState.TIMED_OUT, TrialState.LOST):
            (proposal,) = strategy.propose(history, 1)
            history = finished(history, proposal, state)
        check_legal(strategy.propose(history, 2), history)

    def test_candidates_of_others_may_be_given_and_are_never_proposed_twice(self, build: Build) -> None:
        task = self.task_for(SPACES["numbers"])
        others = [
            Proposal(configuration=c, origin=Origin.MODEL, reason="A model's.")
            for c in distinct(task.space, 4)
        ]
        history = finished(empty_history(task), others[0])
        found = build(task).strategy.propose(history, 3, others)
        assert len(found) == 3
        check_legal(found, history)

    @pytest.mark.parametrize("feasible", [True, False], ids=["some feasible", "none feasible"])
    def test_it_goes_on_with_the_metrics_and_limits_that_it_says_it_can_do(
        self, method: Method, build: Build, feasible: bool
    ) -> None:
        task = self.task_with_goals(SPACES["branches"], method.several_metrics, method.limits, feasible)
        strategy, history = build(task).strategy, empty_history(task)
        for i in range(8):
            (proposal,) = strategy.propose(history, 1)
            check_legal([proposal], history)
            history = finished(history, proposal, ENDS[i % len(ENDS)])
        assert build(task).strategy.propose(history, 2) == strategy.propose(history, 2)
        assert feasible or not method.limits or history.incumbent is None

    def test_suggestions_are_legal_and_new_too(self, build: Build) -> None:
        task = self.task_for(SPACES["numbers"])
        parts, history = build(task), empty_history(task)
        suggester = parts.suggester or StrategySuggester(parts.strategy)
        history = finished(history, parts.strategy.propose(history, 1)[0])
        found = suggester(history, 3)
        assert len(found) == 3
        check_legal([*found, *suggester.left], history)


def check_legal(proposals: list[Proposal], history: History) -> None:
    """Legal in the space, different, neither tried nor running, with finite figures and a reason."""
    digests = [proposal.configuration.digest for proposal in proposals]
    assert len(set(digests)) == len(digests) and not history.taken & set(digests)
    for proposal in proposals:
        assert not history.space.problems(proposal.configuration)
        made = proposal.provenance
        numbers = [proposal.expected or 0.0, proposal.spread or 0.0, *proposal.details.values()]
        numbers += [made.acquisition or 0.0, made.prior_weight, made.spread_factor]
        assert np.isfinite(numbers).all() and (proposal.spread or 0.0) >= 0
        assert proposal.reason and len(proposal.reason) <= 2000
