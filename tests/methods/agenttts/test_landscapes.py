"""`agenttts` on made-up pipelines: far fewer trials than random draws, also where an insight is false."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.agent.methods.agenttts.beliefs import Belief
from tunesmith.agent.methods.agenttts.options import Options
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.agent.methods.agenttts.strategy import AgentTTSStrategy
from tunesmith.bench.pipelines.synthetic import Landscape
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.trial import Origin, Proposal, Trial, TrialState

MOST = 16
NEAR = 0.01


def tuned(
    landscape: Landscape, strategy: AgentTTSStrategy, trials: int, *, items: int | None = None
) -> History:
    """A run that ends at the first trial within NEAR of the optimum."""
    history = History(landscape.settings.space, "quality", "maximize")
    for _ in range(trials):
        (proposal,) = strategy.propose(history, 1)
        history = history.with_trial(run(landscape, proposal, len(history), items))
        if history.best_so_far[-1] >= landscape.optimum - NEAR:
            break
    return history


def run(landscape: Landscape, proposal: Proposal, number: int, items: int | None = None) -> Trial:
    measured = landscape.evaluate(proposal.configuration)
    scores = measured.scores[:items]
    shown = {f"{stage}.score": value for stage, value in measured.stages.items()}
    return Trial(
        number=number,
        proposal=proposal,
        state=TrialState.COMPLETED,
        value=float(scores.mean()),
        values={"quality": float(scores.mean()), "cost": measured.cost, **shown},
        items={"quality": Items(tuple(scores)).pack()},
    )


def method(landscape: Landscape, seed: int, **settings: bool) -> AgentTTSStrategy:
    return AgentTTSStrategy(landscape.settings, landscape.settings.space, seed, AgentTTSSettings(**settings))


@pytest.mark.parametrize("kind", ["usual", "bigger_is_worse", "no_saturation", "no_interaction"])
def test_it_needs_far_fewer_trials_than_random_draws(kind: str) -> None:
    taken, at_random = [], []
    for seed in (101, 102, 103):
        landscape = Landscape(kind, seed)
        history = tuned(landscape, method(landscape, seed), MOST)
        taken.append(len(history))
        at_random.append(1 / float((landscape.values >= landscape.optimum - NEAR).mean()))
        costs = [landscape.evaluate(t.configuration).cost for t in history]
        assert max(costs) <= (landscape.settings.item_budget or 0) * (1 + 1e-9), "within the budget"
    assert np.median(taken) <= min(10, np.median(at_random)), (taken, at_random)


@pytest.mark.parametrize("seed", [3, 4])  # landscapes where the models of a stage differ by much
def test_bigger_is_better_is_dropped_within_a_handful_of_trials_and_said_so(seed: int) -> None:
    landscape = Landscape("bigger_is_worse", seed)
    strategy = method(landscape, 0)
    history = History(landscape.settings.space, "quality", "maximize")
    dropped: list[Belief] = []
    for number in range(6):
        (proposal,) = strategy.propose(history, 1)
        history = history.with_trial(run(landscape, proposal, number))
        held = [b for b in strategy.beliefs(history) if b.insight == "capability"]
        dropped = [b for b in held if b.status == "dropped"]
        if dropped:
            break
    assert dropped, [b.text for b in held]
    assert "a larger model is not better at stage" in dropped[0].text
    assert len(dropped[0].evidence) == 2 and "on the same 200 items" in dropped[0].text
    for number in range(len(history), len(history) + 2):
        (proposal,) = strategy.propose(history, 1)
        history = history.with_trial(run(landscape, proposal, number))
    reasons = [t.proposal.reason for t in history]
    about = f"a larger model is not better at stage {dropped[0].stage}".capitalize()
    assert [about in reason for reason in reasons].count(True) == 1, "said when it is dropped, and not again"


@pytest.mark.parametrize("insight", ["capability", "saturation", "interaction"])
def test_an_insight_that_is_switched_off_is_believed_nowhere(insight: str) -> None:
    landscape = Landscape("usual", 1)
    strategy = method(landscape, 0, **{insight: False})
    history = tuned(landscape, strategy, 4)
    assert insight not in {belief.insight for belief in strategy.beliefs(history)}
    assert not strategy.known(history).posterior.confidence[insight].any()


def test_every_option_can_be_run_also_where_a_field_means_nothing_beside_the_others() -> None:
    stage = {"samples": [1, 2, 4], "agree": [None, 3], "aggregator": ["majority", "weighted"]}
    repair = {**stage, "models": ["one", "two"], "when": "stages.py:failed", "rounds": [0, 1, 2]}
    made = {"answer": {"models": ["one"], **stage}, "repair": repair}
    settings = PipelineSettings.model_validate({"stages": made})
    options = Options(settings)
    rows = options.rows(np.random.default_rng(0))
    every = [settings.space.validate(options.configuration(row)) for row in rows]
    assert len(set(every)) == len(rows) == settings.space.cardinality == 7 * (1 + 2 * 2 * 7)


def test_a_landscape_is_the_same_each_time_and_its_seeds_differ() -> None:
    one, same, other = Landscape("usual", 1), Landscape("usual", 1), Landscape("usual", 2)
    assert one.problem == same.problem != other.problem
    assert (one.values == same.values).all()


def test_of_allocations_that_scored_alike_the_cheaper_one_is_recommended() -> None:
    landscape = Landscape("usual", 102)
    best = np.flatnonzero(landscape.values == landscape.optimum)
    dearest_first = sorted(
        (
            {f"{c.stage}.{field}": getattr(c, field) for c in choices for field in ("model", "samples")}
            for choices in (landscape.feasible[i] for i in best)
        ),
        key=lambda values: -landscape.evaluate(values).cost,
    )
    assert len(dearest_first) > 1
    space = landscape.settings.space
    history = History(space, "quality", "maximize")
    for values in (dearest_first[0], dearest_first[-1]):
        proposal = Proposal(configuration=space.validate(values), origin=Origin.RANDOM, reason="")
        history = history.with_trial(run(landscape, proposal, len(history), None))
    strategy = method(landscape, 0)
    recommended = strategy.recommend(history)
    assert recommended is not None and recommended.trial == 1 and recommended.best_trial == 0
    assert "scored no worse than trial 0 and costs 64% less" in recommended.text(history)
    first = strategy.propose(History(space, "quality", "maximize"), 1)[0]
    assert first.reason.startswith("Quality hardly known yet, at a cost of"), first.reason
