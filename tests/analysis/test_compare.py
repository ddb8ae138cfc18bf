"""Paired comparison: verdicts that a statistician would sign."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tunesmith.tools.analysis.compare import compare_paired, levels

values = st.floats(-1e6, 1e6)
pairs = st.lists(st.tuples(values, values), min_size=0, max_size=8)


def compare(first, second, direction="maximize"):
    return compare_paired(first, second, direction=direction, metric="accuracy")


def test_the_interval_is_the_paired_t_interval_of_scipy():
    first, second = [0.91, 0.93, 0.92, 0.95, 0.90], [0.88, 0.92, 0.90, 0.91, 0.89]
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    result = compare(first, second)
    assert result.low == pytest.approx(expected.low) and result.high == pytest.approx(expected.high)
    assert result.verdict == "better"
    assert result.difference == pytest.approx(0.022)


def test_pairing_finds_a_small_steady_gain_that_varies_less_than_the_seeds_do():
    seeds = np.array([0.5, 0.9, 0.1, 0.7, 0.3])
    noise = np.array([0.001, -0.001, 0.0, 0.002, -0.002])
    assert compare(seeds + 0.02 + noise, seeds).verdict == "better"
    assert stats.ttest_ind(seeds + 0.02 + noise, seeds).pvalue > 0.9  # unpaired, nobody could tell


def test_lower_is_better_when_minimising():
    result = compare([0.1, 0.2, 0.15], [0.5, 0.62, 0.55], "minimize")
    assert result.verdict == "better"
    assert result.difference == pytest.approx(0.4066, abs=1e-3)
    assert result.first_mean == pytest.approx(0.15)


@given(pairs, st.sampled_from(["maximize", "minimize"]))
def test_swapping_the_sides_flips_the_verdict_and_mirrors_the_interval(given_pairs, direction):
    first, second = [a for a, _ in given_pairs], [b for _, b in given_pairs]
    one, other = compare(first, second, direction), compare(second, first, direction)
    assert {one.verdict, other.verdict} in ({"better", "worse"}, {"not distinguishable"})
    if one.low is not None:
        assert one.low == -other.high and one.high == -other.low
    if one.difference is not None:
        assert one.difference == -other.difference


@pytest.mark.parametrize(
    ("first", "second"),
    [([], []), ([0.9], [0.1]), ([0.5] * 5, [0.5] * 5), ([0.9, 0.1, 0.8], [0.2, 0.7, 0.6])],
    ids=["no pair", "one pair", "all equal", "both ways"],
)
def test_without_evidence_nothing_is_claimed(first, second):
    result = compare(first, second)
    assert result.verdict == "not distinguishable"
    assert "not distinguishable" in result.sentence or "cannot be compared" in result.sentence
    assert (result.low is None) == (len(first) < 2)


def test_differences_that_only_the_rounding_of_32_bits_tells_apart_are_told_as_one():
    first, second = [np.float32(0.83), np.float32(0.81)], [np.float32(0.85), np.float32(0.83)]
    sentence = compare([float(v) for v in first], [float(v) for v in second]).sentence
    assert "by 0.02, the same difference on every seed over 2 paired seeds" in sentence


@pytest.mark.parametrize("gain", [0.02, 1 / 3], ids=str)
def test_training_that_ignores_its_seed_is_judged_by_its_one_difference(gain):
    base = [0.1, 0.2, 0.3, 0.4, 0.7]
    result = compare([value + gain for value in base], base)
    assert result.verdict == "better"
    assert "the same difference on every seed" in result.sentence


def test_about_one_comparison_in_twenty_of_equals_is_wrong():
    rng = np.random.default_rng(7)
    wrong = sum(
        compare(rng.normal(size=5), rng.normal(size=5)).verdict != "not distinguishable" for _ in range(2000)
    )
    assert 0.03 < wrong / 2000 < 0.07


@pytest.mark.parametrize("bad", [math.nan, math.inf], ids=str)
def test_a_value_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        compare([0.1, bad], [0.1, 0.2])


def test_the_sentence_reads_as_a_person_would_say_it():
    result = compare([0.91, 0.93, 0.92], [0.80, 0.84, 0.82])
    assert result.sentence == (
        "The best configuration is better than the default by 0.1 (95% interval 0.0752 to 0.125) "
        "over 3 paired seeds: mean accuracy 0.92 against 0.82."
    )
    worse = compare([0.80, 0.84, 0.82], [0.91, 0.93, 0.92])
    assert worse.sentence.startswith(
        "The best configuration is worse than the default by 0.1 (95% interval 0.0752"
    )


def test_the_looks_of_a_comparison_that_goes_on_err_together_as_often_as_one_test():
    looks = [5, 10, 20, 40]
    shares = levels(looks)
    assert (
        sum(shares) == pytest.approx(0.05)
        and shares == sorted(shares)
        and levels([5]) == [pytest.approx(0.05)]
    )
    rng = np.random.default_rng(11)
    wrong = 0
    for _ in range(400):
        pairs = rng.normal(size=40)
        verdicts = [
            compare_paired(pairs[:n], np.zeros(n), direction="maximize", metric="a", level=share).verdict
            for n, share in zip(looks, shares, strict=True)
        ]
        wrong += any(verdict != "not distinguishable" for verdict in verdicts)
    assert wrong / 400 < 0.075  # 5 %, and two binomial standard errors
