"""A configuration that is trained again: one trial more, in every record."""

from __future__ import annotations

import pytest

from fakes.inline_engine import DEFAULT, SPACE, EngineMaker, InlineExecutor, proposal
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.api.recommending import recommend
from tunesmith.budget import Budget
from tunesmith.events import Degraded, Recommended, RunFinished
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.tools.execution.base import Job
from tunesmith.tools.report.build import build_report
from tunesmith.tools.report.render import to_html, to_markdown
from tunesmith.trial import Origin, Outcome, Provenance, TrialState

NOISE = 0.2


def noisy(job: Job) -> Outcome:
    x = float(job.configuration["x"])
    value = 1 - (x - 0.6) ** 2 + NOISE * float(rng_for(job.seed, "noise").standard_normal())
    return Outcome(state=TrialState.COMPLETED, values={"score": value})


def strategy(trials: int) -> GaussianProcessStrategy:
    return GaussianProcessStrategy(SPACE, 0, noise="measure", trials=trials)


@pytest.mark.long
def test_replicates_are_trials_with_seeds_of_their_own_on_disk_and_after_a_resume(maker: EngineMaker) -> None:
    for trials in (9, 18):
        engine = maker.engine(
            executor=InlineExecutor(1, noisy),
            strategy=strategy(18),
            budget=Budget(trials=trials),
            noise="measure",
        )
        ended = engine.run()
    assert [t.number for t in ended.history] == list(range(18))
    again = [t for t in ended.history if t.proposal.origin is Origin.REPLICATE]
    assert len(again) == 3 and [t.number for t in again[:2]] == [2, 3]
    for trial in again:
        first = ended.history.get(trial.proposal.provenance.replicate_of or 0)
        assert first is not None and first.configuration == trial.configuration
        assert first.seed != trial.seed and first.value != trial.value
    assert maker.store is not None
    reopened = maker.store.load(maker.store.events.append)
    assert reopened == ended.history
    assert not maker.events(Degraded)


def test_the_report_names_the_best_value_and_what_is_recommended(maker: EngineMaker) -> None:
    engine = maker.engine(executor=InlineExecutor(1, noisy), budget=Budget(trials=6))
    history = engine.run().history
    best, store = history.incumbent, maker.store
    assert best is not None and best.value is not None and store is not None
    found = recommend(engine.strategy, history, store.events.append)
    store.events.append(RunFinished(reason="done", status="finished"))
    same = build_report(store.path)
    assert found is not None and maker.events(Recommended)[0].recommendation == found
    assert same.best is not None and same.recommended is not None
    assert same.best.trial == same.recommended.trial == best.number and not same.recommended.differs

    other = next(t for t in history if t.number != best.number)
    found = found.model_copy(
        update={"trial": other.number, "configuration": other.configuration, "spread": 0.1}
        | {"expected": 0.8, "best_expected": 0.7}
    )
    store.events.append(Recommended(recommendation=found, text=found.text(history)))
    data = build_report(store.path)
    assert data.best == same.best, "an old key keeps its meaning"
    assert data.recommended is not None and data.recommended.differs
    assert (data.recommended.trial, data.recommended.seed) == (other.number, other.seed)
    assert data.recommended.sentence == found.text(history)
    for page in (to_markdown(data), to_html(data)):
        assert "Recommended configuration" in page and "Best value seen" in page


def test_a_strategy_that_fails_to_recommend_costs_only_the_recommendation(maker: EngineMaker) -> None:
    class Broken(GaussianProcessStrategy):
        def recommend(self, history: History):
            raise ZeroDivisionError("no")

    engine = maker.engine(strategy=Broken(SPACE, 0), budget=Budget(trials=3))
    history, seen = engine.run().history, []
    found = recommend(engine.strategy, history, seen.append)
    assert found is not None and found.configuration == history.incumbent.configuration
    assert [type(e) for e in seen] == [Degraded, Recommended]


def test_only_a_completed_trial_of_the_same_configuration_may_be_repeated(maker: EngineMaker) -> None:
    engine = maker.engine(budget=Budget(trials=1))
    history = engine.run().history
    good = proposal(0.5, 2, Origin.REPLICATE).model_copy(update={"provenance": Provenance(replicate_of=0)})
    assert history.trials[0].configuration == DEFAULT == good.configuration
    why_not = engine._chooser.why_not
    assert why_not(good, history) is None
    assert "already" in (why_not(good.model_copy(update={"origin": Origin.MODEL}), history) or "")
    assert "trial 7" in (why_not(good.with_provenance(replicate_of=7), history) or "")
    other = proposal(0.25, 2, Origin.REPLICATE).with_provenance(replicate_of=0)
    assert "another configuration" in (why_not(other, history) or "")
