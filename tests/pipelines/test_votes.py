"""Samples become one output by the same rules one at a time and as arrays."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.allocation import AGGREGATORS, StageChoice
from tunesmith.tools.pipelines.aggregation import FUSE, Drawn, still_wanted, winner
from tunesmith.tools.pipelines.votes import SampleArrays, aggregated


def drawn(texts: str, weights: str = "", scores: str = "") -> list[Drawn]:
    return [
        Drawn(
            text,
            text,
            weight=float(weights[i]) if weights else 1.0,
            score=float(scores[i]) if scores else 0.0,
        )
        for i, text in enumerate(texts)
    ]


def choice(samples: int, aggregator: str = "majority", agree: int | None = None) -> StageChoice:
    return StageChoice("s", "m", samples=samples, aggregator=aggregator, agree=agree)


@pytest.mark.parametrize(
    ("aggregator", "samples", "place"),
    [
        ("majority", drawn("abbca"), 0),
        ("majority", drawn("cabb"), 2),
        ("weighted", drawn("abb", weights="301"), 0),
        ("weighted", drawn("abb", weights="422"), 0),
        ("best_of_n", drawn("abc", scores="020"), 1),
        ("best_of_n", drawn("abc", scores="011"), 1),
        ("check_then_vote", drawn("aabb", scores="0011"), 2),
        ("check_then_vote", drawn("aabb", scores="0000"), 0),
        ("fusion", drawn("ab"), FUSE),
        ("fusion", drawn("a"), 0),
    ],
)
def test_which_sample_is_the_stages_output(aggregator: str, samples: list[Drawn], place: int):
    assert winner(choice(len(samples), aggregator), samples) == place


def test_sampling_stops_as_soon_as_enough_agree_and_draws_together_what_cannot_end_it():
    early = choice(8, agree=3)
    assert [still_wanted(early, drawn("aabca"[:n])) for n in range(6)] == [3, 2, 1, 1, 1, 0]
    assert still_wanted(choice(4, agree=3), drawn("abc")) == 1  # no more than are allowed
    checked = choice(8, "check_then_vote", agree=2)
    assert still_wanted(checked, drawn("aaab", scores="0011")) == 1  # only those that pass count
    assert winner(choice(4, "fusion", agree=2), drawn("aa")) == 0  # agreed: nothing to fuse


@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_arrays_of_samples_are_joined_as_single_ones_are(aggregator: str):
    rng = np.random.default_rng(5)
    rows, most = 60, 7
    leads = rng.integers(0, 3, (rows, most))
    weights = rng.random((rows, most)).round(1)
    checks = rng.random((rows, most)).round(1)
    fused = {n: np.full(rows, 100 + n) for n in range(2, most + 1)}
    arrays = SampleArrays(np.arange(10, 10 + rows), leads, weights, checks, fused)
    for samples, agree in itertools.product((1, 2, 5, 7), (None, 1, 2, 3)):
        asked = choice(samples, aggregator, agree)
        found = aggregated(arrays, asked, np.arange(10, 10 + rows))
        for row in range(rows):
            have: list[Drawn] = []
            while still_wanted(asked, have):
                i = len(have)
                text, score = str(leads[row, i]), float(checks[row, i])
                have.append(Drawn(text, text, weight=float(weights[row, i]), score=score))
            place = winner(asked, have)
            lead = 100 + len(have) if place == FUSE else int(have[place].text)
            assert (found.leads[row], found.drawn[row], found.fused[row]) == (lead, len(have), place == FUSE)


def test_what_the_arrays_lack_is_named():
    arrays = SampleArrays(np.array([2, 4]), np.zeros((2, 3), dtype=int))
    for asked, states, message in (
        (choice(4), [2], "s: 4 samples of m are asked for, and there are 3"),
        (choice(2), [2, 3], "s: no samples of m for state 3"),
        (choice(2, "best_of_n"), [2], "needs the verifier's scores"),
        (choice(2, "fusion"), [2], "no fusion of 2 samples of m"),
    ):
        with pytest.raises(UsageError, match=message):
            aggregated(arrays, asked, np.array(states))
