"""What went with better results, and what failures share."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.histories import SPACE, configured, history, trial
from tunesmith.tools.analysis.effects import effects
from tunesmith.tools.analysis.failures import failure_patterns
from tunesmith.trial import TrialState


def _random(n: int, seed: int, score):
    rng = np.random.default_rng(seed)
    sampled = SPACE.sample(rng, n)
    return history(*[trial(i, dict(c), float(score(c, rng))) for i, c in enumerate(sampled)])


def test_the_parameter_that_decides_is_found_with_its_direction():
    for sign in (1, -1):
        past = _random(30, 1, lambda c, rng, s=sign: s * np.log(c["lr"]) + 0.1 * rng.standard_normal())
        first = effects(past)[0]
        assert first.parameter == "lr" and first.strength * sign > 0.9 and first.trials == 30


def test_a_choice_that_decides_is_found():
    past = _random(30, 2, lambda c, rng: (c["optimizer"] == "adam") + 0.1 * rng.standard_normal())
    assert ("optimizer", "adam") in [(e.parameter, e.choice) for e in effects(past)]


@pytest.mark.long
def test_noise_seldom_looks_like_an_effect():
    alarms = sum(
        bool(effects(_random(20, seed, lambda c, rng: rng.standard_normal()))) for seed in range(200)
    )
    assert alarms <= 20  # 5 % are expected; 20 of 200 would be twice that


def test_failures_on_one_side_of_a_value_are_a_pattern():
    fine = [trial(n, configured(lr=10.0 ** -(2 + n / 4)), 0.5) for n in range(8)]
    failed = [trial(8 + n, configured(lr=0.03 * (n + 1)), state=TrialState.DIVERGED) for n in range(3)]
    (pattern,) = failure_patterns(history(*fine, *failed))
    assert (pattern.kind, pattern.parameter, pattern.relation, pattern.value) == (
        "diverged",
        "lr",
        ">=",
        0.03,
    )
    assert (pattern.failures, pattern.others, pattern.out_of) == (3, 0, 8)


def test_failures_that_share_a_choice_are_a_pattern():
    rng = np.random.default_rng(0)
    widths = rng.integers(8, 257, 12).tolist()
    fine = [trial(n, configured(width=widths[n]), 0.5) for n in range(6)]
    failed = [
        trial(6 + n, configured(width=widths[n], optimizer="sgd", momentum=0.5), state=TrialState.CRASHED)
        for n in range(3)
    ]
    (pattern,) = failure_patterns(history(*fine, *failed))
    assert (pattern.parameter, pattern.relation, pattern.value) == ("optimizer", "=", "sgd")


@pytest.mark.parametrize("failures", [1, 2])
def test_failures_among_their_like_are_no_pattern(failures):
    fine = [trial(n, configured(lr=10.0 ** -(1 + n / 4)), 0.5) for n in range(12)]
    failed = [
        trial(12 + n, configured(lr=0.004 + n * 0.0001), state=TrialState.CRASHED) for n in range(failures)
    ]
    assert failure_patterns(history(*fine, *failed)) == ()
