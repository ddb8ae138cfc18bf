"""Crossover, mutation and random exploration: only with flat scores, always legal, by history and seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.small_pipeline import BUDGET, empty, problem, quality, ran, task, told
from tunesmith.agent.methods.agenttts.evolve import evolved, scores_are_flat
from tunesmith.agent.methods.agenttts.method import METHOD
from tunesmith.agent.methods.base import MethodContext
from tunesmith.testing.studies import distinct
from tunesmith.trial import Origin, Proposal

TASK = task()
ROWS = (
    ("large", 1, "small", 30),
    ("mid", 20, "large", 2),
    ("large", 2, "small", 8),
    ("small", 60, "large", 4),
    ("mid", 5, "small", 50),
    ("large", 1, "large", 1),
)


def flat(history, value=0.5):
    """The same trials with scores that hardly differ."""
    trials = (
        t.model_copy(update={"value": value + t.number / 1e4, "values": {"quality": value + t.number / 1e4}})
        for t in history
    )
    return replace(history, trials=tuple(trials))


def test_there_are_candidates_exactly_while_the_latest_scores_are_flat():
    history = ran(TASK, *ROWS)
    assert not scores_are_flat(history) and evolved(history, 0) == []
    assert scores_are_flat(flat(history)) and len(evolved(flat(history), 0)) == 8
    assert evolved(flat(ran(TASK, *ROWS[:4])), 0) == [], "four scores are not enough to say so"


def test_candidates_are_legal_new_within_the_budget_and_the_same_for_the_same_history_and_seed():
    history = flat(ran(TASK, *ROWS))
    found = evolved(history, 7, 40)
    assert found == evolved(history, 7, 40) != evolved(history, 8, 40)
    digests = [p.configuration.digest for p in found]
    assert len(set(digests)) == len(digests) == 40 and not history.taken & set(digests)
    assert not any(TASK.space.problems(p.configuration) for p in found)
    assert max(TASK.cost_of(p.configuration) for p in found) <= BUDGET


def test_children_take_stages_of_their_parents_or_change_one_and_a_quarter_explores():
    history = flat(ran(TASK, *ROWS))
    found = evolved(history, 1, 40)
    assert sum(p.origin is Origin.RANDOM for p in found) >= 10
    crossed = 0
    for proposal in (p for p in found if p.origin is Origin.LOCAL):
        parents = [history.get(n).configuration for n in proposal.evidence]
        changed = [
            name for name, value in proposal.configuration.items() if value not in [p[name] for p in parents]
        ]
        assert len(changed) <= 1 and 1 <= len(parents) <= 2
        for name in (n for n in changed if n.endswith("samples")):
            assert min(abs(proposal.configuration[name] - p[name]) for p in parents) <= 10
        crossed += len(parents) == 2 and not changed
    assert crossed >= 2


def test_conditions_and_choices_that_are_no_numbers_are_kept():
    stages = problem()["stages"]
    stages["answer"] = {**stages["answer"], "aggregator": ["majority", "fusion"], "agree": [None, 3]}
    stages["answer"] |= {
        "temperature": {"low": 0.0, "high": 1.0},
        "when": "stages.py:failed",
        "rounds": [0, 1, 2],
    }
    made = task(problem=problem(stages=stages))
    history = empty(made)
    for configuration in distinct(made.space, 8):
        proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason="Drawn.")
        history = told(made, history, proposal, value=0.5, values={"quality": 0.5})
    found = evolved(history, 0, 30)
    assert len(found) == 30 and not any(made.space.problems(p.configuration) for p in found)


@pytest.fixture
def strategy():
    context = MethodContext(TASK, lambda event: event, name="agenttts", settings=METHOD.settings())
    return METHOD.build(context).strategy


def test_without_a_model_a_search_whose_scores_stay_flat_runs_evolved_trials(strategy):
    history = empty(TASK)
    for _ in range(24):
        (proposal,) = strategy.propose(history, 1)
        history = told(TASK, history, proposal, value=0.5, values={"quality": 0.5})
    stages = [t.proposal.provenance.stage for t in history]
    assert stages.count("evolved") >= 3
    assert len({t.configuration.digest for t in history}) == 24


def test_while_scores_differ_the_numeric_strategy_is_alone(strategy):
    history = empty(TASK)
    for _ in range(6):
        (proposal,) = strategy.propose(history, 1)
        assert proposal == strategy.numeric.propose(history, 1)[0]
        value = quality(proposal.configuration) + len(history)
        history = told(TASK, history, proposal, value=value, values={"quality": value})
