"""Limits and several objectives, as LLAMBO's parts are shown them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fakes.histories import SPACE, history, task
from fakes.histories import limited as limited_task
from fakes.llambo_model import Oracle
from fakes.served_model import ServedModel
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.methods.llambo.composition import compose
from tunesmith.agent.methods.llambo.context import TaskWords
from tunesmith.agent.methods.llambo.discriminative import DiscriminativeSurrogate
from tunesmith.agent.methods.llambo.examples import performances, result
from tunesmith.agent.methods.llambo.goals import weights_of, with_one_metric
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.errors import UsageError
from tunesmith.goals import Goal, Limit
from tunesmith.history import History
from tunesmith.trial import Origin, Proposal, Trial, TrialState

QUICK = LlamboSettings(recalibrate=False, initial=3, samples=2, templates=1)
LIMIT = Limit(metric="latency ## <b>ms", operator="<=", bound=20)


def truth(values: Any) -> float:
    return -abs(math.log10(values["lr"]) + 2.5) - 0.1 * abs(math.log2(values["width"]) - 6)


def limited(broken: Callable[[int], bool], n: int = 6) -> History:
    """A run in which the best values come from the trials that break the limit."""
    past = replace(history(default=False), limits=(LIMIT,))
    for number, found in enumerate(SPACE.sample(np.random.default_rng(0), n)):
        value = 0.9 + number / 100 if broken(number) else 0.1 + number / 100
        past = past.with_trial(
            Trial(
                number=number,
                proposal=Proposal(configuration=found, origin=Origin.RANDOM, reason=""),
                state=TrialState.COMPLETED,
                value=value,
                values={past.metric: value, LIMIT.metric: 25.0 if broken(number) else 12.0},
            )
        )
    return past


def test_a_history_of_one_metric_is_itself() -> None:
    past = history(default=False)
    assert with_one_metric(past, weights_of(past, 0)) is past


def test_an_infeasible_trial_has_no_result_in_prompts_and_is_never_the_best() -> None:
    past = limited(lambda number: number % 2 == 0)
    seen = with_one_metric(past, (1.0,))
    assert [t.number for t in seen.completed] == [1, 3, 5] and seen.incumbent.number == 5
    told = [row["performance"] for row in performances(seen, QUICK, 0, 0)]
    broken = "none (breaks a limit: latency  ‹b›ms is 25, not <= 20)"
    assert told.count(broken) == 3 and set(told) == {broken, "0.110000", "0.130000", "0.150000"}
    blind = LlamboSettings(blinded=True)
    assert result(seen.trials[0], blind, seen.limits) == "breaks a limit"
    assert result(seen.trials[1], QUICK, seen.limits).startswith("##")


def test_a_part_used_alone_takes_no_infeasible_trial_for_the_best(serve: Callable[..., ServedModel]) -> None:
    past = limited(lambda number: number < 4)
    served = serve(Oracle(truth))
    sampler = CandidateSampler(served.model, SPACE, "A net.", QUICK)
    (prompt,) = sampler.prompts(past)
    assert "to 0.151000" in prompt.text and "0.930000" not in prompt.text
    surrogate = DiscriminativeSurrogate(served.model, SPACE, "A net.", QUICK)
    surrogate.fit(past)
    assert [t.number for t in surrogate.history.completed] == [4, 5]
    with pytest.raises(UsageError, match="no trial has completed and keeps every limit"):
        surrogate.fit(limited(lambda number: True))


def test_where_none_is_feasible_the_numeric_strategy_proposes(
    serve: Callable[..., ServedModel],
) -> None:
    oracle = Oracle(truth)
    served = serve(oracle)
    tuner = compose(
        served.model,
        SPACE,
        1,
        "A net.",
        QUICK,
        fallback=GaussianProcessStrategy(SPACE, 1),
        emit=served.events.append,
    )
    (found,) = tuner.propose(limited(lambda number: True), 1)
    assert found.provenance.fallback and "no trial keeps every limit yet" in found.reason
    assert oracle.asked == []
    (found,) = tuner.propose(limited(lambda number: number < 4), 1)
    assert not found.provenance.fallback and "predict" in oracle.asked


def test_several_objectives_are_one_number_whose_best_is_on_the_front(
    serve: Callable[..., ServedModel],
) -> None:
    other = Goal(metric="size", direction="minimize")
    past = replace(limited(lambda number: number == 2), others=(other,))
    trials = tuple(t.model_copy(update={"values": {**t.values, "size": 5.0 - t.number}}) for t in past)
    past = replace(past, trials=trials)
    weights = weights_of(past, 7)
    assert len(weights) == 2 and sum(weights) == pytest.approx(1)
    seen = with_one_metric(past, weights)
    assert not seen.goals.several and seen.direction == "minimize"
    assert seen.incumbent.number == 5, "the last one is best in both metrics"
    served = serve(Oracle(lambda values: -truth(values)))
    tuner = compose(
        served.model,
        SPACE,
        1,
        "A net.",
        QUICK,
        fallback=GaussianProcessStrategy(SPACE, 1),
        emit=served.events.append,
    )
    (found,) = tuner.propose(past, 1)
    assert found.reason.startswith("For weights 0.") and not found.provenance.fallback
    assert found.expected is None and found.spread is None, "what is predicted is no metric of the task"


def test_prompts_say_what_is_looked_for_where_it_is_more_than_one_metric() -> None:
    about, _ = limited_task(0)
    assert TaskWords.of(about).description == (
        "Maximize val_accuracy and minimize latency_ms, with latency_ms <= 20 and params_m <= 5. These "
        "metrics are combined to weighted_objectives, by other weights in each question. "
        "Recognise handwritten digits."
    )
    assert TaskWords.of(task()).description == "Recognise handwritten digits."
