"""What beliefs say of functions whose optimum is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from tunesmith.agent.beliefs import beliefs_at
from tunesmith.agent.methods.gp.calibration import band
from tunesmith.beliefs import BINS, HONEST, Beliefs, ParameterBelief
from tunesmith.events import ElicitedPrior
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.task import Task
from tunesmith.trial import Configuration, Origin, Proposal, Trial, TrialState

SPACE = Space(
    {
        "a": Float(0.0, 1.0),
        "b": Float(1e-4, 1.0, scale="log"),
        "unused": Float(0.0, 1.0),
        "kind": Categorical(["plain", "other", "third"]),
        "depth": Float(0.0, 1.0, when={"kind": "other"}),
        "on": Bool(),
        "size": Ordinal([1, 2, 4, 8]),
        "count": Int(1, 3),
    }
)


def loss(values: Any) -> float:
    bad = {"plain": 0.0, "other": 0.4, "third": 0.6}[values["kind"]]
    return float((values["a"] - 0.3) ** 2 * 4 + (np.log10(values["b"]) + 2) ** 2 / 4 + bad)


def task(space: Space = SPACE, **keys: Any) -> Task:
    return Task(**{"metric": "loss", "direction": "minimize", "space": space, "seed": 3, **keys})


def ended(number: int, configuration: Configuration, value: float, **keys: Any) -> Trial:
    proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason="")
    given = {"state": TrialState.COMPLETED, "value": value, "values": {"loss": value}, **keys}
    return Trial(number=number, proposal=proposal, **given)


@cache
def history(n: int, f: Callable[[Any], float] = loss, space: Space = SPACE, seed: int = 0) -> History:
    drawn = space.sample(rng_for(seed, "test"), n) if n else []
    trials = tuple(ended(i, c, f(c)) for i, c in enumerate(drawn))
    return replace(task(space).empty_history(), trials=trials)


def of(beliefs: Beliefs, name: str) -> ParameterBelief:
    return next(p for p in beliefs.parameters if p.name == name)


@pytest.mark.parametrize("n", [0, 1, 2, 24], ids=str)
def test_everything_is_a_distribution_and_the_same_twice(n: int) -> None:
    beliefs = beliefs_at(task(), history(n))
    assert beliefs == beliefs_at(task(), history(n))
    assert Beliefs.model_validate_json(beliefs.model_dump_json()) == beliefs
    assert {p.name for p in beliefs.parameters} == set(SPACE.names)
    for p in beliefs.parameters:
        assert sum(p.prior) == pytest.approx(1, abs=1e-4) and min(p.prior) >= 0
        assert sum(p.posterior) == pytest.approx(1, abs=1e-4) and min(p.posterior) >= 0
        assert sum(source.weight for source in p.sources) == pytest.approx(1)
        assert all(0 <= source.weight <= 1 for source in p.sources)
        assert len(p.posterior) == (BINS if p.kind in ("float", "int") else len(p.ticks))
        assert 0 <= p.active <= 1 and (p.active == 1 or p.name == "depth")
        assert p.probability >= 0.79 or not p.low
        if p.importance is not None:
            assert p.importance_low is not None and p.importance_high is not None
            assert 0 <= p.importance_low <= p.importance_high <= 1
    if n >= 2:
        assert sum(p.importance or 0 for p in beliefs.parameters) == pytest.approx(1, abs=1e-4)
    assert beliefs.progress is None or 0 <= beliefs.progress.probability <= 1


def test_before_any_trial_the_belief_is_the_prior() -> None:
    job = task(default=dict(SPACE.sample(rng_for(1))[0]))
    beliefs = beliefs_at(job, job.empty_history())
    assert all(p.prior == p.posterior and not p.moved for p in beliefs.parameters)
    assert all(source.name != "results" for p in beliefs.parameters for source in p.sources)
    assert any(source.name == "default" for source in of(beliefs, "a").sources)
    assert "priors alone" in beliefs.basis and beliefs.best is None and beliefs.progress is None


def test_a_known_optimum_is_found_and_what_does_not_matter_is_flat() -> None:
    beliefs = beliefs_at(task(), history(60))
    a, b = of(beliefs, "a"), of(beliefs, "b")
    assert float(a.low) <= 0.3 <= float(a.high) and float(a.high) - float(a.low) < 0.35
    assert float(b.low) <= 0.01 <= float(b.high) < 0.2
    assert of(beliefs, "kind").expected == "plain" and of(beliefs, "kind").probability > 0.8
    assert of(beliefs, "unused").flat and not a.flat and not b.flat
    important = [p.name for p in beliefs.parameters[:3]]
    assert set(important) == {"a", "b", "kind"}
    assert of(beliefs, "depth").active < 0.2
    assert next(s for s in a.sources if s.name == "results").weight > 0.4
    assert beliefs.predicted is not None and abs(beliefs.predicted.mean) < 0.1
    slice_ = a.slice
    assert slice_ is not None
    assert float(slice_.values[int(np.argmin(slice_.mean))]) == pytest.approx(0.3, abs=0.1)
    assert all(
        low <= mean <= high for low, mean, high in zip(slice_.low, slice_.mean, slice_.high, strict=True)
    )


ONE = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})


def valley(values: Any) -> float:
    return float((values["x"] - 0.2) ** 2 + (values["y"] - 0.5) ** 2)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_expected_value_is_that_of_the_predicted_best_or_it_says_that_it_is_unsure(scale: Any) -> None:
    space = Space(
        {"lr": Float(1e-5, 1e-1, scale="log"), "width": Int(8, 128, scale=scale), "idle": Float(0, 1)}
    )

    def bowl(values: Any) -> float:
        return float((np.log10(values["lr"]) + 3) ** 2 / 4 + ((values["width"] - 40) / 40) ** 2)

    widths = (8, 128, 40, 64, 24, 100, 16, 80, 48, 34, 110, 44)
    drawn = space.sample(rng_for(5), len(widths))
    tried = [space.validate({**c, "width": w}) for c, w in zip(drawn, widths, strict=True)]
    trials = tuple(ended(i, c, bowl(c)) for i, c in enumerate(tried))
    job = task(space)
    beliefs = beliefs_at(job, replace(job.empty_history(), trials=trials))
    width, idle = of(beliefs, "width"), of(beliefs, "idle")
    assert beliefs.predicted is not None
    assert int(width.low) <= 40 <= int(width.high)
    assert width.unsure or abs(int(width.expected) - 40) <= 12
    assert idle.unsure or idle.flat
    for p in beliefs.parameters:
        best = beliefs.predicted.configuration[p.name]
        assert float(p.low) <= float(p.expected) <= float(p.high)
        assert not p.unsure or not p.moved or p.moved.startswith(f"now mostly {p.low} to {p.high}")
        if float(p.low) < best < float(p.high):
            assert p.expected == space.format_value(p.name, best)


def test_a_prior_counts_less_the_more_results_contradict_it() -> None:
    wrong = [ElicitedPrior(parameter="x", low=0.85, best=0.9, high=0.95)]

    def weight(n: int) -> float:
        beliefs = beliefs_at(task(ONE), history(n, valley, ONE), wrong)
        return next(source.weight for source in of(beliefs, "x").sources if source.name == "model")

    weights = [weight(n) for n in (0, 8, 30)]
    assert weights[0] == pytest.approx(0.5) and weights[0] > weights[1] > weights[2]
    x = of(beliefs_at(task(ONE), history(30, valley, ONE), wrong), "x")
    assert float(x.low) <= 0.2 <= float(x.high) < 0.5 and x.moved


def test_progress_fades_as_the_optimum_is_approached() -> None:
    few = beliefs_at(task(ONE), history(4, valley, ONE)).progress
    done = history(40, valley, ONE)
    best = ended(40, ONE.validate({"x": 0.2, "y": 0.5}), 0.0)
    late = beliefs_at(task(ONE, budget={"trials": 43}), done.with_trial(best)).progress
    assert few is not None and late is not None and late.trials == 2
    assert few.probability > 0.6 > 0.2 > late.probability and few.gain > 10 * late.gain
    assert late.text.startswith("unlikely") and "or more" in late.text
    assert "a rough guess" in few.text and "guess" not in late.text


def test_without_differences_it_says_so_and_keeps_to_the_prior() -> None:
    same = beliefs_at(task(ONE), history(6, lambda _: 0.5, ONE))
    assert any("equal" in fault for fault in same.faults) and same.progress is None
    failed = replace(
        history(5, valley, ONE),
        trials=tuple(
            t.model_copy(update={"state": TrialState.CRASHED, "value": None, "values": {}})
            for t in history(5, valley, ONE)
        ),
    )
    assert any("failed" in fault for fault in beliefs_at(task(ONE), failed).faults)


def test_what_runs_is_meant_to_teach_something() -> None:
    running = [
        Proposal(configuration=c, origin=origin, reason="")
        for c, origin in zip(ONE.sample(rng_for(9), 2), (Origin.SURROGATE, Origin.DEFAULT), strict=True)
    ]
    beliefs = beliefs_at(task(ONE), history(10, valley, ONE).with_running(running))
    assert [each.number for each in beliefs.next] == [10, 11]
    assert "% likely better than trial" in beliefs.next[0].text and "default" in beliefs.next[1].text


def test_a_small_grid_with_limits_and_several_metrics() -> None:
    space = Space({"w": Int(1, 6), "k": Categorical(["p", "q"])}, constraints=["w <= 5"])
    job = Task(
        metrics={"accuracy": "maximize", "cost": "minimize"},
        limits={"cost": "<= 4"},
        space=space,
        seed=0,
    )
    trials = []
    for i, c in enumerate(space.all_configurations()[::2]):
        values = {"accuracy": 0.1 * float(c["w"]), "cost": float(c["w"])}
        trials.append(ended(i, c, values["accuracy"], values=values))
    beliefs = beliefs_at(job, replace(job.empty_history(), trials=tuple(trials)))
    w = of(beliefs, "w")
    assert int(w.high) <= 5 and any("Pareto" in fault for fault in beliefs.faults)
    assert beliefs.best is not None and beliefs.best.configuration["w"] == 4


def test_the_shares_that_are_called_right_are_those_of_the_spreads_errors() -> None:
    assert band(1.0, HONEST[0]) == pytest.approx(1.0, abs=0.02)
    assert band(1.0, HONEST[1] - 0.01) < 2.0 < band(1.0, HONEST[1] + 0.01)
