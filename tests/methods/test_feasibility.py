"""Failures teach where trials work, from the first one on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.agent.methods.gp.failure_signs import sign_of
from tunesmith.agent.methods.gp.failure_words import regions
from tunesmith.agent.methods.gp.feasibility import feasibility_of
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.space import Float, Int, Space
from tunesmith.trial import Origin, Proposal, TrialState

RATES = Space({"lr": Float(1e-6, 1e-1, scale="log"), "width": Int(8, 128)})
SIZES = Space(
    {
        "batch_size": Int(8, 512, scale="log"),
        "width": Int(64, 4096, scale="log"),
        "micro_batches": Int(1, 16, scale="log"),
        "lr": Float(1e-5, 1e-1, scale="log"),
    }
)
UNNAMED = Space({"p": Float(0, 1), "q": Float(0, 1)})
KINDS = [TrialState.DIVERGED, TrialState.CRASHED, TrialState.OUT_OF_MEMORY, TrialState.TIMED_OUT]


def run(study, space, fails, value, n, seed, state=TrialState.DIVERGED, default=None):
    """`n` trials of the Gaussian process where `fails` says which configurations fail."""
    s, strategy = study(space, value, default), GaussianProcessStrategy(space, seed)
    for _ in range(n):
        (proposal,) = strategy.propose(s.history, 1)
        bad = fails(proposal.configuration)
        s.tell(proposal, **({"state": state, "value": None} if bad else {}))
    return s.history


@pytest.mark.parametrize("seed", [0, 2])
def test_where_all_early_trials_fail_few_of_the_later_ones_do(study, seed):
    past = run(study, RATES, lambda c: c["lr"] > 3e-4, lambda c: 0.9 - abs(c["lr"] - 1e-4) * 100, 25, seed)
    assert len(past.failures) <= 8
    assert past.incumbent.value > 0.8985, "the best place is close to the border"


@pytest.mark.parametrize("state", KINDS, ids=lambda s: s.value)
def test_without_telling_names_one_failure_moves_the_search_to_the_other_end(study, state):
    past = run(
        study, UNNAMED, lambda c: c["p"] + c["q"] > 0.6, lambda c: c["p"], 8, 1, state, {"p": 0.9, "q": 0.8}
    )
    second = past.trials[1].configuration
    assert math.dist((second["p"], second["q"]), (0.9, 0.8)) > 0.8
    assert len(past.failures) <= 5 and past.completed


def tell_all(study, space, rng, n, fails, state):
    s = study(space, lambda c: 1.0)
    for configuration in space.sample(rng, n):
        s.tell(configuration, **({"state": state, "value": None} if fails(configuration) else {}))
    return s.history


def memory(c):
    return math.log(c["batch_size"] * c["width"] / c["micro_batches"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), n=st.integers(1, 25))
def test_a_memory_failure_leaves_smaller_configurations_likelier_to_work(study, seed, n):
    rng = np.random.default_rng(seed)
    past = tell_all(study, SIZES, rng, n, lambda c: memory(c) > 9.5, TrialState.OUT_OF_MEMORY)
    model = feasibility_of(SIZES, past)
    if model is None:
        assert not past.failures
        return
    for trial in past.failures:
        smaller = SIZES.validate({**trial.configuration, "batch_size": 8, "width": 64, "micro_batches": 16})
        rows = np.stack([SIZES.encode(c)[0] for c in (trial.configuration, smaller)])
        here, there = model.log_works(rows)
        assert here < there <= 0


@pytest.mark.parametrize("n", [12, 40])
def test_the_border_is_drawn_from_successes_and_failures(study, n):
    rng = np.random.default_rng(3)
    border = 10.0
    past = tell_all(study, SIZES, rng, n, lambda c: memory(c) > border, TrialState.OUT_OF_MEMORY)
    model = feasibility_of(SIZES, past)
    others = SIZES.sample(rng, 500)
    works = np.exp(model.log_works(np.stack([SIZES.encode(c)[0] for c in others])))
    right = (works > 0.5) == np.array([memory(c) <= border for c in others])
    assert right.mean() >= (0.85 if n == 12 else 0.92)


def test_each_kind_is_a_model_of_its_own(study):
    s = study(SIZES, lambda c: 1.0)
    small = {"batch_size": 32, "width": 256, "micro_batches": 4, "lr": 1e-3}
    s.tell(SIZES.validate(small))
    s.tell(SIZES.validate({**small, "lr": 0.05}), state=TrialState.DIVERGED, value=None)
    s.tell(
        SIZES.validate({**small, "width": 4096, "batch_size": 512}),
        state=TrialState.OUT_OF_MEMORY,
        value=None,
    )
    crash, memory, rate = (
        SIZES.encode(SIZES.validate({**small, **more}))[0][None]
        for more in ({"micro_batches": 3}, {"width": 3000, "batch_size": 400}, {"lr": 0.03})
    )
    kinds = {m.kind: m for m in feasibility_of(SIZES, s.history).kinds}
    assert set(kinds) == {TrialState.DIVERGED, TrialState.OUT_OF_MEMORY}
    assert kinds[TrialState.OUT_OF_MEMORY].log_works(rate) > kinds[TrialState.OUT_OF_MEMORY].log_works(memory)
    assert kinds[TrialState.DIVERGED].log_works(memory) > kinds[TrialState.DIVERGED].log_works(rate)
    diverged = {t.number for t in kinds[TrialState.OUT_OF_MEMORY].passed}
    assert 1 in diverged, "what diverged had the memory for it"


def test_a_repaired_configuration_counts_by_its_latest_end(study):
    s = study(UNNAMED, lambda c: 1.0)
    first = UNNAMED.validate({"p": 0.5, "q": 0.5})
    s.tell(first, state=TrialState.CRASHED, value=None)
    s.tell(first)
    assert feasibility_of(UNNAMED, s.history) is None


@pytest.mark.parametrize("ended", [(), (TrialState.CRASHED,)], ids=["nothing", "after a crash"])
def test_a_candidate_of_others_runs_unless_it_lies_among_the_failures(study, ended):
    s = study(UNNAMED, lambda c: 1.0)
    for state in ended:
        s.tell(UNNAMED.validate({"p": 0.9, "q": 0.9}), state=state, value=None)
    near, far = (proposed({"p": x, "q": x}) for x in (0.88, 0.1))
    strategy = GaussianProcessStrategy(UNNAMED, 0)
    (chosen,) = strategy.propose(s.history, 1, [near, far])
    assert chosen.configuration == (far if ended else near).configuration
    if ended:
        (own,) = strategy.propose(s.history, 1, [near])
        assert own.configuration != near.configuration


def proposed(values):
    return Proposal(configuration=UNNAMED.validate(values), origin=Origin.USER, reason="A thought.")


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("batch_size", (1, 0, 0)),
        ("model__n_layers", (1, 0, 1)),
        ("num_micro_batches", (-1, 0, 0)),
        ("micro_batch_size", (1, 0, 0)),
        ("optimizer.lr", (0, 1, 0)),
        ("lr_decay", (0, 0, 0)),
        ("warmup_ratio", (0, -1, 0)),
        ("epochs", (0, 0, 1)),
        ("hidden_dropout", (0, 0, 0)),
        ("batch_norm", (0, 0, 0)),
        ("x", (0, 0, 0)),
    ],
)
def test_names_tell_which_way_failures_lie(name, signs):
    kinds = (TrialState.OUT_OF_MEMORY, TrialState.DIVERGED, TrialState.TIMED_OUT)
    assert tuple(sign_of(name, kind) for kind in kinds) == signs
    assert sign_of(name, TrialState.CRASHED) == 0


def test_a_reason_tells_where_memory_failed_and_that_the_proposal_keeps_below(study):
    default = {"batch_size": 32, "width": 256, "micro_batches": 4, "lr": 1e-3}
    s = study(SIZES, lambda c: c["width"] / 4096)
    s.tell(SIZES.validate(default))
    for size in (128, 200, 400):
        failed = SIZES.validate({**default, "batch_size": size, "width": 1000 + size})
        s.tell(failed, state=TrialState.OUT_OF_MEMORY, value=None)
        s.tell(SIZES.validate({**default, "batch_size": size}))
        s.tell(SIZES.validate({**default, "width": 1000 + size}))
    (region,) = regions(s.history, feasibility_of(SIZES, s.history))
    there = [t for t in s.history if region.holds(t.configuration)]
    assert len(region.sides) == 2 and all(t in there for t in s.history.failures)
    assert (region.failed, region.trials) == (len(s.history.failures), len(there))
    (proposal,) = GaussianProcessStrategy(SIZES, 0).propose(s.history, 1)
    assert str(region).startswith("memory failed at ") and " with " in str(region)
    assert str(region)[1:] in proposal.reason
