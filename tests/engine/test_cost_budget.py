"""A budget of costs: no trial starts that it cannot pay for, by any way of proposing one."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from fakes.inline_engine import SPACE, EngineMaker, Follow, InlineExecutor, completed, proposal
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.api.earlier import nothing_left
from tunesmith.budget import Budget
from tunesmith.commands import Try
from tunesmith.errors import TaskError, ToolError
from tunesmith.events import CommandDone, Degraded, Noted, Progress, RunFinished, TrialStarted
from tunesmith.interfaces import Decision
from tunesmith.space import Int, Space
from tunesmith.trial import Origin, Outcome, TrialState

COST = "4 * k + x"


def started_within(maker: EngineMaker, budget: float) -> None:
    """Whether at every start what was paid and what ran, that start included, was within the budget."""
    costs: dict[int, float] = {}
    for event in maker.events():
        if event.kind == "trial_started":
            assert event.cost is not None
            costs[event.number] = event.cost
            assert sum(costs.values()) <= budget * (1 + 1e-9), f"at trial {event.number}"
        elif event.kind == "trial_finished" and event.outcome.state is TrialState.LOST:
            del costs[event.number]


@pytest.mark.parametrize("seed", range(2))
def test_no_start_ever_exceeds_the_budget_also_where_trials_are_lost(tmp_path: Path, seed: int):
    chance = random.Random(seed)

    def train(job):
        if chance.random() < 0.4:
            return None  # goes on
        if chance.random() < 0.2:
            return Outcome(state=TrialState.LOST, message="the machine slept", loss="interrupted")
        return completed(job)

    budget = chance.uniform(20, 60)
    maker = EngineMaker(tmp_path)
    ended = maker.engine(
        executor=InlineExecutor(3, train),
        workers=3,
        seed=seed,
        cost=COST,
        budget=Budget(trials=100, cost=budget),
    ).run()
    started_within(maker, budget)
    assert ended.status == "finished" and ended.by_budget
    assert "cost units has" in ended.reason or "cost budget" in ended.reason
    # It went on until hardly anything could be paid for: the cheapest costs 4.
    assert budget - ended.spend.cost < 4.1 and ended.spend.cost == pytest.approx(ended.history.cost)
    maker.close()


def test_what_is_left_is_searched_for_the_cheapest_and_the_end_names_it(maker: EngineMaker):
    ended = maker.engine(cost=COST, default=None, budget=Budget(trials=50, cost=30)).run()
    left = 30 - ended.spend.cost
    assert left < 4.1 and ended.history.trials[0].cost is not None
    assert ended.reason == (
        f"the budget of 30 cost units has {left:.3g} left, less than the cheapest configuration (4)"
    )
    progress = maker.events(Progress)[-1]
    assert (progress.cost, progress.cost_total) == (pytest.approx(ended.spend.cost), 30)


def test_ten_trials_of_a_tenth_fit_a_budget_of_one(maker: EngineMaker):
    space = Space({"k": Int(1, 40)})
    executor = InlineExecutor(train=lambda job: Outcome(TrialState.COMPLETED, values={"score": 1.0}))
    engine = maker.engine(
        executor=executor,
        cost="0.1 + 0 * k",
        space=space,
        default=None,
        budget=Budget(trials=50, cost=1.0),
    )
    done = engine.run()
    assert len(done.history) == 10 and done.reason == "the cost budget of 1 is used"


def test_a_strategy_is_told_what_it_may_spend_and_one_that_ignores_it_is_helped_out(maker: EngineMaker):
    told = []

    class Dear(RandomStrategy):
        def propose(self, history, n, candidates=()):
            told.append(history.affordable)
            return [proposal(random.Random(len(history)).random(), 4)]

    ended = maker.engine(strategy=Dear(SPACE, 0), cost=COST, budget=Budget(trials=9, cost=40)).run()
    started_within(maker, 40)
    assert told[0] == pytest.approx(40) and 40 - ended.spend.cost < 4.1
    assert any(t.proposal.origin is Origin.RANDOM for t in ended.history)
    assert any("cost budget" in event.cause for event in maker.events(Degraded))


def test_a_person_a_policy_and_the_queue_are_refused_what_cannot_be_paid(maker: EngineMaker):
    refused = []

    def decide(briefing, toolbox):
        if not refused:
            try:
                toolbox.launch_trials([proposal(0.1, 3), proposal(0.2, 4)])
            except ToolError as error:
                refused.append(str(error))
        return Decision(reason="These.", launch=(proposal(0.3, 4), proposal(0.25, 4)), wake_after=99)

    engine = maker.engine(policy=Follow(decide), cost=COST, budget=Budget(trials=9, cost=25))
    maker.store.events.post(Try(values={"x": 0.9, "k": 4}, reason="mine"))
    maker.store.events.post(Try(values={"x": 0.8, "k": 4}, reason="mine too"))
    engine.run()
    started_within(maker, 25)
    assert "costs 12.1, and 8.1 of the budget of 25 is left" in refused[0]
    replies = [(event.ok, event.reply) for event in maker.events(CommandDone)]
    assert replies[0][0] and replies[1] == (
        False,
        "Not queued: it costs 16.8, and 8.1 of the cost budget are left.",
    )
    assert any("A queued configuration is not run: it costs 16.3" in n.text for n in maker.events(Noted))


def test_costs_survive_whatever_is_left_of_the_records(maker: EngineMaker):
    first = maker.engine(cost=COST, budget=Budget(trials=3, cost=60)).run()
    costs = [trial.cost for trial in first.history]
    assert costs[0] == 8.5
    folder = maker.path / "job"
    for lost in (["study.journal"], ["run.db"], ["trials"], ["study.journal", "run.db"]):
        maker.close()
        for name in lost:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        engine = maker.engine(cost=COST, budget=Budget(trials=3, cost=60))
        assert [trial.cost for trial in engine.history] == costs, lost
        assert engine.spend.cost == pytest.approx(sum(costs))
        assert [event.cost for event in maker.events(TrialStarted)] == costs


def test_a_run_begun_without_costs_goes_on_with_them_and_a_raised_budget_lets_it_go_on(maker: EngineMaker):
    begun = maker.engine(budget=Budget(trials=2)).run()
    assert [trial.cost for trial in begun.history] == [None, None]
    limited = maker.engine(cost=COST, budget=Budget(trials=20, cost=30))
    assert limited.history.trials[0].cost == 8.5
    ended = limited.run()
    more = maker.engine(cost=COST, budget=Budget(trials=20, cost=60))
    log = [
        *maker.events(),
        RunFinished(reason=ended.reason, status="finished", by_budget=True, budget_cost=30),
    ]
    args = (
        log,
        ended.spend,
        more.task.model_copy(update={"budget": Budget(trials=20, cost=30)}),
        more.history,
    )
    assert nothing_left(*args) == ended.reason
    assert nothing_left(log, ended.spend, more.task, more.history) is None
    lower = maker.task(cost=COST, budget=Budget(trials=20, cost=20))
    assert nothing_left(log, ended.spend, lower, more.history) == "the cost budget of 20 is used"
    cheaper = maker.task(cost="0.1 + 0 * k", budget=Budget(trials=20, cost=30))
    assert nothing_left(log, ended.spend, cheaper, more.history) is None
    assert len(more.run().history) > len(ended.history)
    assert 60 - more.spend.cost < 4.1


def test_a_default_that_alone_costs_more_than_the_budget_is_told_before_the_run(maker: EngineMaker):
    with pytest.raises(
        TaskError, match=r"budget.cost: is 5, and the default alone costs 8.5; it is tried first"
    ):
        maker.task(cost=COST, budget=Budget(trials=3, cost=5))
    assert maker.task(cost=COST, budget=Budget(trials=3, cost=8.5)).budget.cost == 8.5
