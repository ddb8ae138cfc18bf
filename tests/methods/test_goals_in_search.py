from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunesmith.agent.methods.goals.hypervolume import log_expected_gain, undominated
from tunesmith.agent.methods.goals.violation import violations
from tunesmith.agent.methods.gp.several import seen_by
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.goals import Goal, Limit
from tunesmith.history import History
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.trial import Origin, Proposal, Trial, TrialState

PLANE = Space({"a": Float(-10, 10), "b": Float(-10, 10)})
UNIT = Space({"a": Float(0, 1), "b": Float(0, 1), "c": Float(0, 1)})
MIXED = Space({"lr": Float(1e-4, 1, scale="log"), "width": Int(1, 64), "kind": Categorical(["p", "q", "r"])})


def history(space, *, others=(), limits=(), default=None, trials=()):
    goals = tuple(Goal(metric=name, direction=direction) for name, direction in others)
    bounds = tuple(Limit.read(metric, text) for metric, text in limits)
    return History(space, "loss", "minimize", default=default, trials=trials, others=goals, limits=bounds)


def run(strategy, past, measure, n, workers=1):
    """`n` trials; `measure` gives the values of a configuration, or None where it fails."""
    for _ in range(n):
        proposal = strategy.propose(past, 1)[0]
        values = measure(proposal.configuration)
        ended = {"state": TrialState.CRASHED}
        if values is not None:
            ended = {"state": TrialState.COMPLETED, "value": values["loss"], "values": values}
        past = past.with_trial(Trial(number=len(past), proposal=proposal, **ended))
    return past


def at_border(c):
    """The best that keeps latency <= 5 is 5, at a = 5, b = 1; without the limit it is -10."""
    return {"loss": c["a"] + abs(c["b"] - 1), "latency": 10 - c["a"]}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_best_at_the_border_of_a_limit_is_approached_from_inside(seed):
    past = history(PLANE, limits=[("latency", "<= 5")])
    past = run(GaussianProcessStrategy(PLANE, seed), past, at_border, 25)
    assert past.incumbent is not None and past.incumbent.value < 5.3
    assert len(past.feasible) >= 8


def test_while_nothing_keeps_the_limits_the_search_goes_where_they_are_nearly_kept():
    past = history(PLANE, limits=[("latency", "<= 0.5"), ("size", ">= 3")])  # a small corner of the plane
    past = run(GaussianProcessStrategy(PLANE, 3), past, lambda c: {**at_border(c), "size": c["b"] - 5}, 20)
    first = next(i for i, t in enumerate(past) if t in past.feasible)
    assert first < 12
    broken = violations(past, past.trials[:first])
    assert broken[-1] < np.median(broken)


@pytest.mark.parametrize("seed", [1, 5])
def test_a_small_feasible_part_is_found_early_enough_to_search_it(seed):
    """Gardner et al. 2014, second simulation: two small feasible places, of which one is far better."""
    space = Space({"x": Float(0, 6), "y": Float(0, 6)})

    def measure(c):
        x, y = c["x"], c["y"]
        return {"loss": float(np.sin(x) + y), "c": float(np.sin(x) * np.sin(y))}

    past = history(space, limits=[("c", "<= -0.95")])
    past = run(GaussianProcessStrategy(space, seed), past, measure, 30)
    assert past.incumbent is not None and past.incumbent.value < 0.27


def test_what_is_poor_in_one_metric_is_told_apart_where_others_are_good():
    """Half are nearly best by `cost`; a floor on poor scores would make all the others equal."""
    values = [0.0, 0.0, 0.01, 0.02, 0.02, 0.03, 0.04, 0.5, 1.0, 1.5, 2.0, 3.0]
    trials = tuple(
        Trial(
            number=i,
            proposal=Proposal(configuration=c, origin=Origin.RANDOM, reason=""),
            state=TrialState.COMPLETED,
            value=3.0 - cost,
            values={"loss": 3.0 - cost, "cost": cost},
        )
        for i, (c, cost) in enumerate(zip(UNIT.sample(np.random.default_rng(0), 12), values, strict=True))
    )
    past = history(UNIT, others=[("cost", "minimize")], trials=trials)
    surrogate = GaussianProcessSurrogate(UNIT)
    surrogate.fit(seen_by(past, past.others[0]))
    expected, _ = surrogate.predict([t.configuration for t in trials[-2:]])
    assert expected[1] - expected[0] > 0.5


def test_limits_that_nothing_can_keep_end_in_no_incumbent_and_no_fault():
    past = history(
        MIXED, limits=[("latency", "<= -1")], default=MIXED.validate({"lr": 0.1, "width": 8, "kind": "p"})
    )
    strategy = GaussianProcessStrategy(MIXED, 0, words="a network", trials=30, noise="measure")
    past = run(strategy, past, lambda c: {"loss": c["lr"], "latency": float(c["width"])}, 16)
    assert past.incumbent is None and len(past.completed) == 16
    assert strategy.recommend(past) is None
    judged = strategy.judge(
        past,
        [Proposal(configuration=MIXED.sample(np.random.default_rng(1))[0], origin=Origin.MODEL, reason="")],
    )
    assert judged[0].expected is not None
    chosen = [t for t in past.trials[4:] if t.proposal.provenance.stage is None]
    assert np.median([t.values["latency"] for t in chosen]) <= 10


@pytest.mark.parametrize("constant", [0.0, 7.0], ids=["always kept", "never kept"])
def test_a_limited_metric_that_never_changes_says_nothing(constant):
    past = history(PLANE, limits=[("latency", "<= 5")])
    past = run(GaussianProcessStrategy(PLANE, 0), past, lambda c: {"loss": c["a"], "latency": constant}, 8)
    assert len(past.completed) == 8


def test_a_limit_on_the_primary_metric_itself_failures_and_wild_values():
    def measure(c):
        if c["b"] > 8:
            return None
        wild = 1e300 if c["a"] < -9 else 1.0
        return {"loss": c["a"] ** 2 + c["b"] ** 2, "latency": wild * c["a"]}

    past = history(PLANE, limits=[("loss", ">= 9"), ("latency", "<= 1")])
    past = run(GaussianProcessStrategy(PLANE, 2), past, measure, 25)
    assert past.incumbent is not None and 9 <= past.incumbent.value < 12


def two_metrics(c):
    """ZDT1's: the front is at b = c = 0."""
    g = 1 + 4.5 * (c["b"] + c["c"])
    return {"loss": c["a"], "size": -g * (1 - (c["a"] / g) ** 0.5)}


def hypervolume(past):
    rows = sorted((t.values["loss"], -t.values["size"]) for t in past.feasible)
    total, worst = 0.0, 6.0
    for loss, size in rows:
        if loss < 1.1 and size < worst:
            total, worst = total + (1.1 - loss) * (worst - size), size
    return total


def test_the_front_of_two_metrics_is_found_where_random_search_does_not_find_it():
    past = history(UNIT, others=[("size", "maximize")])
    found = run(GaussianProcessStrategy(UNIT, 0), past, two_metrics, 20)
    drawn = run(RandomStrategy(UNIT, 0), past, two_metrics, 20)
    assert hypervolume(found) > 6.0 > hypervolume(drawn) + 0.5
    assert len(found.front) >= 6


def test_two_metrics_under_a_limit_in_a_mixed_space_with_a_batch():
    def measure(c):
        size = float(c["width"])
        return {"loss": (np.log10(c["lr"]) + 2) ** 2 + 8 / size + 0.2 * (c["kind"] != "q"), "size": size}

    past = history(MIXED, others=[("size", "minimize")], limits=[("size", "<= 20")])
    strategy = GaussianProcessStrategy(MIXED, 1)
    past = run(strategy, past, measure, 20)
    batch = strategy.propose(past, 3)
    assert len({p.configuration.digest for p in batch}) == 3
    assert batch == strategy.propose(past, 3)
    assert len(past.feasible) >= 10 and len(past.front) >= 3


def test_a_batch_fills_different_gaps_of_the_front():
    space = Space({"a": Float(0, 1)})
    past = history(space, others=[("size", "minimize")])
    for number, a in enumerate([0.0, 0.15, 0.4, 0.7, 1.0, 0.55]):
        c = space.validate({"a": a})
        trial = Trial(
            number=number,
            proposal=Proposal(configuration=c, origin=Origin.USER, reason=""),
            state=TrialState.COMPLETED,
            value=a,
            values={"loss": a, "size": 1 - a},
        )
        past = past.with_trial(trial)
    chosen = sorted(p.configuration["a"] for p in GaussianProcessStrategy(space, 0).propose(past, 3))
    assert np.diff(chosen).min() > 0.05


def test_the_expected_gain_of_hypervolume_is_that_of_samples():
    rng = np.random.default_rng(0)
    front, reference = rng.random((5, 3)), np.zeros(3)
    means, stds = rng.random((3, 2)), 0.05 + 0.3 * rng.random((3, 2))
    boxes = undominated(front, reference)
    gains = np.exp(log_expected_gain(means, stds, boxes))
    points = 2.5 * rng.random((20_000, 3))  # their share that only the new point dominates
    free = ~(points[:, None] <= front[None]).all(axis=2).any(axis=1)
    assert np.isclose(
        np.prod(np.minimum(boxes.upper, 2.5) - boxes.lower, axis=1).sum(), 2.5**3 * free.mean(), rtol=0.02
    )
    for i in range(2):
        drawn = means[:, i] + stds[:, i] * rng.standard_normal((500, 3))
        sampled = (points[free][None, ::10] <= drawn[:, None]).all(axis=2).mean() * 2.5**3 * free.mean()
        assert np.isclose(gains[i], sampled, rtol=0.25)


def test_far_from_the_front_candidates_are_still_ranked():
    boxes = undominated(np.array([[1.0, 1.0]]), np.zeros(2))
    gains = log_expected_gain(np.array([[-60.0, -50.0], [-50.0, -50.0]]), np.ones((2, 2)), boxes)
    assert np.isfinite(gains).all() and gains[0] < gains[1]


def test_without_limits_and_further_metrics_nothing_changes():
    past = history(PLANE)
    strategy = GaussianProcessStrategy(PLANE, 0)
    past = run(strategy, past, lambda c: {"loss": c["a"] ** 2 + c["b"]}, 9)
    bare = replace(past, trials=tuple(t.model_copy(update={"values": {}}) for t in past))
    assert strategy.propose(past, 2) == strategy.propose(bare, 2)


def test_reasons_say_what_a_choice_has_to_do_with_limits_and_metrics():
    past = run(GaussianProcessStrategy(PLANE, 0), history(PLANE, limits=[("latency", "<= 5")]), at_border, 12)
    none_yet, some = past.trials[2].proposal.reason, past.trials[-1].proposal.reason
    early = any(trial in past.feasible for trial in past.trials[:2])
    assert ("No trial keeps every limit yet" in none_yet) is not early
    assert "Keeps latency <= 5 with probability" in some and "against the best feasible" in some
    several = history(UNIT, others=[("size | [b]x", "maximize")])

    def measure(c):
        values = two_metrics(c)
        return {"loss": values["loss"], "size | [b]x": values["size"]}

    found = run(GaussianProcessStrategy(UNIT, 0), several, measure, 12)
    reason = found.trials[-1].proposal.reason
    assert reason.startswith("Largest expected gain for the Pareto front") and "size | [b]x" in reason
    assert " of it" in reason
    assert found.trials[-1].proposal.expected is not None  # of the primary metric, in its own units


@pytest.mark.parametrize("metrics", [(), (("size", "minimize"),)], ids=["one metric", "two metrics"])
def test_with_a_budget_of_costs_nothing_is_proposed_that_cannot_be_paid(metrics):
    space = Space({"lr": Float(1e-4, 1, scale="log"), "epochs": Int(8, 64, scale="log")})

    def cost(c):
        return float(c["epochs"])

    def measure(c):
        return {"loss": np.log10(c["lr"]) ** 2 + 4 / c["epochs"], "size": float(c["epochs"])}

    strategy = GaussianProcessStrategy(space, 0, cost=cost)
    past, left = history(space, others=metrics, default=space.validate({"lr": 0.1, "epochs": 64})), 60.0
    spent = []
    while proposals := strategy.propose(replace(past, affordable=left), 2):
        assert sum(cost(p.configuration) for p in proposals) <= left
        values = measure(proposals[0].configuration)
        spent.append(cost(proposals[0].configuration))
        left -= spent[-1]
        ended = {"state": TrialState.COMPLETED, "value": values["loss"], "values": values, "cost": spent[-1]}
        past = past.with_trial(Trial(number=len(past), proposal=proposals[0], **ended))
        assert len(past) <= 60
    assert left < 8
    dear = Proposal(configuration=space.validate({"lr": 1e-3, "epochs": 64}), origin=Origin.MODEL, reason="")
    cheap = Proposal(configuration=space.validate({"lr": 0.9, "epochs": 9}), origin=Origin.MODEL, reason="")
    judged = strategy.judge(replace(past, affordable=20.0), [dear, cheap])
    assert judged[0].configuration == cheap.configuration
    assert judged[1].provenance.acquisition is None
    chosen = strategy.propose(replace(past, affordable=20.0), 1, [dear])
    assert cost(chosen[0].configuration) <= 20
    without = GaussianProcessStrategy(space, 0)
    assert without.propose(past, 2) == strategy.propose(
        past, 2
    )  # costs count where there is a budget of them


def test_what_is_near_the_price_of_all_that_is_left_is_not_bought_first():
    space = Space({"x": Float(0, 1), "epochs": Int(1, 100, scale="log")})
    strategy = GaussianProcessStrategy(space, 1, cost=lambda c: float(c["epochs"]))
    past, left = history(space), 300.0
    for _ in range(10):
        proposal = strategy.propose(replace(past, affordable=left), 1)[0]
        c = proposal.configuration
        left -= float(c["epochs"])
        value = (c["x"] - 0.3) ** 2 - 0.01 * np.log(c["epochs"])
        ended = {"state": TrialState.COMPLETED, "value": value, "values": {"loss": value}}
        past = past.with_trial(Trial(number=len(past), proposal=proposal, cost=float(c["epochs"]), **ended))
    assert past.incumbent is not None and abs(past.incumbent.configuration["x"] - 0.3) < 0.15


def test_where_trials_run_out_before_the_budget_of_costs_does_an_equal_part_is_free():
    space = Space({"x": Float(0, 1), "epochs": Int(1, 1000, scale="log")})

    def spent(trials):
        strategy, past, left = (
            GaussianProcessStrategy(space, 0, cost=price, trials=trials),
            history(space),
            800.0,
        )
        for _ in range(8):
            proposal = strategy.propose(replace(past, affordable=left), 1)[0]
            c = proposal.configuration
            left -= price(c)
            value = (c["x"] - 0.3) ** 2 + 1 / c["epochs"] ** 0.5
            ended = {"state": TrialState.COMPLETED, "value": value, "values": {"loss": value}}
            past = past.with_trial(Trial(number=len(past), proposal=proposal, cost=price(c), **ended))
        return 800 - left, past.incumbent.value

    def price(c):
        return float(c["epochs"])

    (saved, worse), (used, better) = spent(0), spent(8)
    assert saved < 400 < used <= 800
    assert better < worse
