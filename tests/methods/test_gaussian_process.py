from __future__ import annotations

from math import log10

import numpy as np
import pytest

from tunesmith.agent.methods.gp.filling import FILLING
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "dropout": Float(0, 0.6),
        "batch_size": Int(8, 256, scale="log"),
        "optimizer": Categorical(["adam", "sgd", "rmsprop"]),
    }
)
DEFAULT = {"lr": 1e-3, "dropout": 0.0, "batch_size": 64, "optimizer": "adam"}


def accuracy(c):
    """Best, 1.0, at lr 10^-2.4, dropout 0.3, batch size 32, sgd."""
    loss = (log10(c["lr"]) + 2.4) ** 2 / 4 + 2 * (c["dropout"] - 0.3) ** 2
    return 1 - loss - 0.05 * abs(log10(c["batch_size"] / 32)) - 0.2 * (c["optimizer"] != "sgd")


def strategy(space=SPACE, seed=0, **options):
    return GaussianProcessStrategy(space, seed, **options)


def proposals(history):
    return [(dict(t.configuration), t.proposal.expected, t.proposal.reason) for t in history]


def test_the_default_comes_first_then_a_uniform_point_then_the_surrogate(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 4)
    origins = [t.proposal.origin for t in s.history]
    assert origins[:2] == [Origin.DEFAULT, Origin.RANDOM]
    assert set(origins[2:]) <= {Origin.SURROGATE, Origin.PRIOR, Origin.LOCAL}
    assert all(t.proposal.expected is not None and t.proposal.spread > 0 for t in s.history.trials[2:])


def test_with_neither_default_nor_name_it_is_a_plain_gaussian_process(study):
    space = Space({"a": Float(0, 1), "b": Float(0, 1)})
    s = study(space, lambda c: c["a"])
    s.run(strategy(space), 6)
    assert s.history.trials[0].proposal.origin is Origin.RANDOM
    assert all(t.proposal.details["trust"] == 0 for t in s.history.trials[2:])
    on, off = strategy(space), strategy(space, priors=False)
    assert on.propose(s.history, 1) == off.propose(s.history, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_much_better_than_random_in_thirty_trials(study, seed):
    ours = study(SPACE, accuracy, default=DEFAULT).run(strategy(seed=seed), 30)
    random = study(SPACE, accuracy, default=DEFAULT).run(RandomStrategy(SPACE, seed), 30)
    assert 1 - ours.incumbent.value < 0.2 * (1 - random.incumbent.value)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("factor", [1.0, 2.0**40, 2.0**-40], ids=["one", "huge", "tiny"])
def test_sign_and_scale_of_the_metric_do_not_matter(study, direction, factor):
    sign = 1 if direction == "maximize" else -1
    plain = study(SPACE, accuracy, default=DEFAULT).run(strategy(), 12)
    other = study(SPACE, lambda c: sign * factor * accuracy(c), default=DEFAULT, direction=direction)
    other.run(strategy(), 12)
    assert [dict(t.configuration) for t in other.history] == [dict(t.configuration) for t in plain]
    last = plain.trials[-1].proposal.expected
    assert other.history.trials[-1].proposal.expected == pytest.approx(sign * factor * last)


@pytest.mark.long
def test_the_same_history_gives_the_same_proposals_bit_for_bit_whoever_asks_and_whatever_came_before(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    long_lived = strategy(words="CNN")
    s.run(long_lived, 40)
    resumed = strategy(words="CNN").propose(s.without_encodings(), 3)
    assert long_lived.propose(s.history, 3) == resumed == strategy(words="CNN").propose(s.history, 3)
    again = study(SPACE, accuracy, default=DEFAULT).run(strategy(words="CNN"), 40)
    assert proposals(again) == proposals(s.history)
    other = study(SPACE, accuracy, default=DEFAULT).run(strategy(seed=1, words="CNN"), 5)
    assert proposals(other)[1:] != proposals(s.history)[1:5]


def test_a_batch_is_new_distinct_and_spread_out(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 12)
    batch = strategy().propose(s.history, 6)
    seen = {t.configuration for t in s.history}
    assert len({p.configuration for p in batch}) == 6
    assert not seen & {p.configuration for p in batch}
    rows = np.stack([SPACE.encode(p.configuration)[0] for p in batch])
    distance = np.abs(rows[:, None] - rows[None]).max(axis=-1)
    assert distance[np.triu_indices(6, 1)].min() > 1e-4


def test_conditions_and_constraints_are_kept(study):
    space = Space(
        {
            "optimizer": Categorical(["sgd", "adam"]),
            "momentum": Float(0, 0.99, when={"optimizer": "sgd"}),
            "epochs": Int(1, 20),
            "warmup": Int(0, 10),
        },
        constraints=["warmup < epochs"],
    )
    s = study(space, lambda c: c.get("momentum", 0.2) - abs(c["epochs"] - c["warmup"] - 3) / 10)
    s.run(strategy(space), 25)
    assert not any(space.problems(t.configuration) for t in s.history)
    assert s.history.incumbent.configuration["optimizer"] == "sgd"
    assert s.history.incumbent.value > 0.75


@pytest.mark.parametrize(
    "scores",
    [
        [0.5] * 10,
        [0.0, 1.0] * 5,
        [0.5, 0.6, -1e12, 0.55, 0.7] * 2,
        [1e308, -1e308, 0.0, 1.0] * 3,
        [1e-310, 0.0] * 4,
    ],
    ids=["constant", "two distinct", "one of -1e12", "beyond squares", "subnormal"],
)
def test_awkward_scores_are_survived(study, scores):
    s = study(SPACE, lambda c: scores[len(s.history) % len(scores)], default=DEFAULT)
    s.run(strategy(), len(scores) + 3)
    assert len({t.configuration for t in s.history}) == len(scores) + 3
    for trial in s.history:
        assert (
            trial.proposal.expected is None
            or np.isfinite([trial.proposal.expected, trial.proposal.spread]).all()
        )


@pytest.mark.parametrize(
    "state",
    [TrialState.DIVERGED, TrialState.CRASHED, TrialState.OUT_OF_MEMORY, TrialState.TIMED_OUT],
    ids=str,
)
def test_where_trials_fail_is_avoided(study, state):
    space = Space({"a": Float(0, 1), "b": Float(0, 1)})
    s = study(space, lambda c: -((c["a"] - 0.55) ** 2) - (c["b"] - 0.5) ** 2)
    failed = 0
    for _ in range(25):
        proposal = strategy(space).propose(s.history, 1)[0]
        if proposal.configuration["a"] > 0.6:
            s.tell(proposal, state=state)
            failed += 1
        else:
            s.tell(proposal)
    assert failed <= 8
    assert s.history.incumbent.value > -0.01


def test_pruned_trials_teach_without_ever_being_the_best(study):
    space = Space({"a": Float(0, 1), "b": Float(0, 1)})
    s = study(space, lambda c: 1 - (c["a"] - 0.3) ** 2 - (c["b"] - 0.8) ** 2)
    for _ in range(25):
        proposal = strategy(space).propose(s.history, 1)[0]
        value = s.objective(proposal.configuration)
        if len(s.history) > 5 and value < np.median(s.history.scores):
            s.tell(proposal, state=TrialState.PRUNED, curve=((1, value / 2), (2, value * 0.9)))
        else:
            s.tell(proposal)
    assert s.history.incumbent.value > 0.995


@pytest.mark.parametrize("corner", [0, 1])
def test_a_default_in_the_worst_corner_does_not_hold_it_back(study, corner):
    space = Space({f"x{i}": Float(0, 1) for i in range(3)})
    target = 0.8 - 0.6 * corner
    s = study(
        space, lambda c: -sum((v - target) ** 2 for v in c.values()), default={n: corner for n in space.names}
    )
    s.run(strategy(space), 30)
    assert s.history.incumbent.value > -0.02


def test_names_that_mislead_are_seen_through(study):
    """The optimum lies 3 standard deviations from the card, beyond where the prior has any say."""
    space = Space({"lr": Float(1e-7, 1e1, scale="log"), "dropout": Float(0, 0.9)})
    s = study(space, lambda c: -((log10(c["lr"]) + 5) ** 2) / 10 - (c["dropout"] - 0.65) ** 2)
    s.run(strategy(space, words="CNN with Adam"), 30)
    assert s.history.incumbent.value > -0.02
    assert s.history.trials[-1].proposal.details["trust"] < 0.3


def candidate(values, origin=Origin.MODEL, **more):
    return Proposal(configuration=SPACE.validate(values), origin=origin, reason="I think so.", **more)


def test_a_good_candidate_of_the_model_wins_and_keeps_its_provenance(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 10)
    own = strategy().propose(s.history, 1)[0]
    # What the surrogate found by a long search, the model offers at once.
    good = candidate(dict(own.configuration), prompt_id="hybrid/candidates.v2", tokens=120)
    chosen = strategy().propose(s.history, 1, [good])[0]
    assert chosen.origin is Origin.MODEL
    assert chosen.provenance.acquisition >= own.provenance.acquisition
    assert (chosen.prompt_id, chosen.tokens) == ("hybrid/candidates.v2", 120)
    assert "language model" in chosen.reason


def test_a_poor_candidate_of_the_model_changes_nothing(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 20)
    poor = candidate({"lr": 1e-5, "dropout": 0.59, "batch_size": 256, "optimizer": "rmsprop"})
    near_the_poor_one = s.tell(SPACE.validate({**poor.configuration, "dropout": 0.58}))
    assert near_the_poor_one.value < 0
    chosen = strategy().propose(s.history, 1, [poor])[0]
    assert chosen.origin is not Origin.MODEL and chosen.configuration != poor.configuration


def test_candidates_already_tried_or_of_another_space_are_dropped(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 5)
    tried = candidate(dict(s.history.trials[1].configuration))
    other = Space({"z": Float(0, 1)}).validate({"z": 0.5})
    foreign = Proposal(configuration=other, origin=Origin.MODEL, reason="?")
    assert strategy().propose(s.history, 1, [tried, foreign]) == strategy().propose(s.history, 1)


def test_judging_fills_in_predictions_and_sorts_by_acquisition(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 12)
    good = candidate({"lr": 10**-2.4, "dropout": 0.3, "batch_size": 32, "optimizer": "sgd"})
    poor = candidate({"lr": 1e-5, "dropout": 0.6, "batch_size": 256, "optimizer": "adam"})
    known = candidate(dict(s.history.incumbent.configuration))
    judged = strategy().judge(s.history, [poor, known, good])
    assert [p.configuration for p in judged] == [good.configuration, poor.configuration, known.configuration]
    assert judged[0].expected == pytest.approx(1.0, abs=0.2)
    assert judged[0].expected > judged[1].expected
    assert judged[0].provenance.acquisition > judged[1].provenance.acquisition
    assert judged[2].provenance.acquisition is None
    assert (judged[0].origin, judged[0].reason) == (Origin.MODEL, "I think so.")


def test_the_reason_names_prediction_best_trial_and_main_difference(study):
    s = study(SPACE, accuracy, default=DEFAULT)
    s.run(strategy(), 12)
    before = s.history
    proposal = strategy().propose(before, 1)[0]
    best = before.incumbent
    assert f"predicted {proposal.expected:.4g}" in proposal.reason
    assert f"the best {best.value:.4g} (trial {best.number})" in proposal.reason
    name = next(n for n in SPACE.names if f"difference is {n} " in proposal.reason)
    new = SPACE.format_value(name, proposal.configuration[name])
    old = SPACE.format_value(name, best.configuration[name])
    assert f"{name} {new} instead of {old}" in proposal.reason
    assert proposal.evidence[0] == best.number
    assert set(proposal.evidence) <= {t.number for t in before}


def test_predictions_are_calibrated_in_metric_units(study):
    """Over runs on a noisy function, about the promised share of values falls within two spreads."""
    rng = np.random.default_rng(0)
    inside = []
    for seed in range(3):
        s = study(SPACE, lambda c: 100 * accuracy(c) + rng.normal(0, 3), default=DEFAULT)
        s.run(strategy(), 10)
        for configuration in SPACE.sample(np.random.default_rng(seed), 40):
            s.tell(configuration)
        surrogate = GaussianProcessSurrogate(SPACE)
        surrogate.fit(s.history)
        fresh = SPACE.sample(np.random.default_rng(100 + seed), 100)
        mean, std = surrogate.predict(fresh)
        truth = np.array([100 * accuracy(c) for c in fresh])
        seen = truth > np.median(truth)  # the lower ones are clipped on purpose
        inside.append(np.mean(np.abs(mean - truth)[seen] < 2 * std[seen]))
    assert 0.8 < np.mean(inside) <= 1.0


@pytest.mark.slow
def test_a_long_history_is_fitted_to_three_hundred_trials_with_the_best_among_them(study):
    s = study(SPACE, accuracy)
    for configuration in SPACE.sample(np.random.default_rng(0), 700):
        s.tell(configuration)
    fitted = GaussianProcessSurrogate(SPACE).fitted(s.history)
    assert len(fitted.trials) == 300
    best = {t.number for t in sorted(s.history.completed, key=lambda t: -t.value)[:100]}
    assert best <= {t.number for t in fitted.trials}
    proposal = strategy().propose(s.history, 1)[0]
    assert proposal == strategy().propose(s.without_encodings(), 1)[0]
    assert proposal.provenance.prior_weight <= 20 / 700
    used = strategy()
    used.with_seed(3).propose(s.history, 1)
    assert used.with_seed(7).propose(s.history, 1) == strategy().with_seed(7).propose(s.history, 1)


def test_after_two_equal_scores_the_space_is_filled_whatever_the_prior(study):
    s = study(SPACE, lambda c: 0.5, default=DEFAULT)
    s.run(strategy(words="CNN with Adam"), 6)
    assert [t.proposal.provenance.stage for t in s.history.trials[2:]] == [FILLING] * 4


def test_running_trials_are_not_proposed_again_and_push_the_next_proposal_away(study):
    space = Space({"a": Float(0, 1), "b": Float(0, 1)})
    s = study(space, lambda c: -((c["a"] - 0.6) ** 2) - c["b"] ** 2)
    s.run(strategy(space), 10)
    first = strategy(space).propose(s.history, 1)[0]
    running = s.history.with_trial(Trial(number=10, proposal=first))
    second = strategy(space).propose(running, 1)[0]
    apart = np.abs(space.encode(first.configuration)[0] - space.encode(second.configuration)[0]).max()
    assert apart > 0.01


AWKWARD = {
    "two values": Int(0, 1),
    "constant float": Float(0.3, 0.3),
    "constant int": Int(5, 5),
    "one choice": Categorical(["only"]),
    "thirty choices": Categorical([f"c{i}" for i in range(30)]),
    "ordinal": Ordinal(["small", "medium", "large"]),
    "flag": Bool(),
    "stepped": Float(0, 1, step=0.25),
    "logit": Float(0.001, 0.999, scale="logit"),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("with_default", [True, False], ids=["default", "no default"])
def test_any_kind_of_parameter_can_be_tuned(study, name, with_default):
    space = Space({name: AWKWARD[name], "x": Float(0, 1)})
    default = dict(space.sample(np.random.default_rng(0))[0]) if with_default else None
    s = study(space, lambda c: c["x"] - (str(c[name]) in ("0", "c0", "True", "small")), default=default)
    s.run(strategy(space), 9)
    assert len({t.configuration for t in s.history}) == 9
    assert not any(space.problems(t.configuration) for t in s.history)


def test_a_huge_loss_does_not_blind_it_to_the_rest(study):
    """One score of -1e12 costs what one bad trial costs."""
    s = study(SPACE, lambda c: -1e12 if len(s.history) == 1 else accuracy(c), default=DEFAULT)
    s.run(strategy(), 25)
    assert s.history.incumbent.value > 0.95
