"""Priors that a model states: checked against the space, turned into cards, mixed with the names' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.agent.knowledge import Categories, Located
from tunesmith.agent.methods.gp.densities import GRID
from tunesmith.agent.methods.gp.prior import FLOOR, build_prior
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors, card_of, read_priors
from tunesmith.events import ElicitedPrior
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "momentum": Float(0.001, 0.999, scale="logit"),
        "layers": Int(1, 9),
        "batch": Ordinal([8, 16, 32, 64, 128, 256]),
        "optimizer": Categorical(["sgd", "Adam", "adamw"]),
        "nesterov": Bool(),
        "size": Ordinal(["small", "large"]),
    }
)


def read(**answer: Any) -> ElicitedPrior:
    priors, faults = read_priors([answer], SPACE)
    assert faults == [] and len(priors) == 1
    return priors[0]


def fault(**answer: Any) -> str:
    priors, faults = read_priors([answer], SPACE)
    assert priors == [] and len(faults) == 1
    return faults[0]


def test_a_range_is_the_central_80_percent_of_a_normal_on_the_parameters_own_scale():
    card = card_of(read(parameter="lr", low=1e-4, best=1e-3, high=1e-2), SPACE.parameters["lr"])
    assert isinstance(card, Located) and card.transform == "log10" and card.source == "the language model"
    assert card.mean == pytest.approx(-3) and card.sd == pytest.approx(2 / 2.563)
    assert card_of(read(parameter="layers", low=2, best=3, high=5), SPACE.parameters["layers"]) == Located(
        "layers", (), "linear", 3.0, pytest.approx(3 / 2.563), "the language model"
    )


def test_shares_near_one_are_believed_on_the_scale_of_what_is_missing():
    card = card_of(read(parameter="momentum", low=0.8, best=0.9, high=0.99), SPACE.parameters["momentum"])
    assert (
        isinstance(card, Located) and card.transform == "log10_one_minus" and card.mean == pytest.approx(-1)
    )
    card = card_of(read(parameter="batch", low=16, best=32, high=64), SPACE.parameters["batch"])
    assert isinstance(card, Located) and card.transform == "log10"


def test_what_lies_partly_outside_is_clipped_and_swapped_ends_are_put_right():
    assert (read(parameter="lr", low=1e-2, best=5.0, high=1e-3).high) == 1e-2
    clipped = read(parameter="lr", low=1e-9, best=1e-9, high=1e-3)
    assert (clipped.low, clipped.best, clipped.high) == (1e-5, 1e-5, 1e-3)
    assert read(parameter="lr", low=1e-4, high=1e-2).best == pytest.approx(1e-3)  # the middle of the range


def test_a_range_as_wide_as_the_space_and_even_weights_say_nothing():
    assert read_priors([{"parameter": "lr", "low": 1e-6, "best": 1e-3, "high": 1.0}], SPACE) == ([], [])
    even = [{"choice": c, "weight": 1} for c in ("sgd", "adam", "adamw")]
    assert read_priors([{"parameter": "optimizer", "weights": even}], SPACE) == ([], [])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"parameter": "depth", "low": 1, "high": 2}, "no parameter of the space"),
        ({"parameter": "lr", "best": 1e-3}, "no range"),
        ({"parameter": "lr"}, "neither a best guess nor a range"),
        ({"parameter": "lr", "low": 1.0, "best": 2.0, "high": 10.0}, "outside the space"),
        ({"parameter": "lr", "low": float("nan"), "high": 1e-2}, "neither"),
        ({"parameter": "lr", "low": True, "high": True}, "neither"),
        ({"parameter": "optimizer", "low": 1, "high": 2}, "no weight to any choice"),
        ({"parameter": "optimizer", "weights": [{"choice": "lion", "weight": 1}]}, "no weight to any choice"),
        ({"parameter": "size", "low": 1, "high": 2}, "no numbers"),
        ({}, "no parameter of the space"),
    ],
)
def test_what_cannot_be_used_is_named(said, problem):
    assert problem in fault(**said)


def test_the_first_statement_about_a_parameter_stands_and_the_order_is_the_spaces():
    said = [
        {"parameter": "layers", "low": 2, "best": 3, "high": 4},
        {"parameter": "lr", "low": "1e-4", "best": "3e-4", "high": "1e-3"},
        {"parameter": "layers", "low": 7, "best": 8, "high": 9},
        "lr about 0.1",
    ]
    priors, faults = read_priors(said, SPACE)
    assert [b.parameter for b in priors] == ["lr", "layers"] and priors[1].best == 3
    assert faults == ["prior 3 is about layers again", "prior 4 is no object"]


def test_weights_are_shares_and_choices_that_were_not_named_share_the_rest():
    prior = read(parameter="optimizer", weights=[{"choice": "adam", "weight": 0.6}])
    card = card_of(prior, SPACE.parameters["optimizer"])
    assert isinstance(card, Categories)
    assert card.probabilities(("sgd", "Adam", "adamw")) == pytest.approx([0.2, 0.6, 0.2])
    percent = read(parameter="nesterov", weights={"true": 80, "false": 20})
    assert percent.weights == pytest.approx({"True": 0.8, "False": 0.2})


def test_a_stated_belief_is_mixed_half_and_half_with_the_names_card_and_never_replaces_it():
    prior = read(parameter="lr", low=5e-5, best=1e-4, high=2e-4)
    cards = {"lr": card_of(prior, SPACE.parameters["lr"])}
    named = build_prior(SPACE).parameters["lr"].density
    mixed = build_prior(SPACE, elicited=cards).parameters["lr"].density
    alone = build_prior(SPACE, cards=None, elicited=cards).parameters["lr"].density
    assert mixed == pytest.approx(named / 2 + alone - 0.5, abs=1e-9)  # beside nothing: half uniform
    at = float(np.interp(0.25, GRID, mixed))  # 1e-4
    assert at > 2 * float(np.interp(0.25, GRID, named))
    assert np.all(mixed >= (named - FLOOR) / 2)


def test_an_absurdly_narrow_belief_is_as_wide_as_a_twentieth_of_the_range():
    sharp = read(parameter="lr", low=1e-3, best=1e-3, high=1e-3)
    density = (
        build_prior(SPACE, cards=None, elicited={"lr": card_of(sharp, SPACE.parameters["lr"])})
        .parameters["lr"]
        .density
    )
    uniform = density.min()
    inside = GRID[density > (density.max() - uniform) * np.exp(-0.5) + uniform]
    assert inside.max() - inside.min() == pytest.approx(0.1, abs=0.02)  # two standard deviations of 5 %
    assert uniform == pytest.approx(0.5 * (1 + FLOOR))  # what a wrong one can cost is bounded


def test_without_elicited_priors_the_prior_is_the_same_to_the_bit():
    for elicited in (None, {}):
        prior = build_prior(SPACE, words="net trained with Adam", elicited=elicited)
        for name, known in build_prior(SPACE, words="net trained with Adam").parameters.items():
            assert np.array_equal(prior.parameters[name].density, known.density)


def test_only_the_first_statement_of_a_run_counts_and_a_resumed_run_finds_it_again():
    lr, layers = (
        read(parameter="lr", low=1e-4, best=1e-3, high=1e-2),
        read(parameter="layers", low=2, high=4),
    )
    kept = ElicitedPriors(SPACE)
    assert not kept.asked and kept.cards == {}
    kept.record([lr])
    kept.record([layers])
    assert kept.asked and kept.priors == (lr,) and set(kept.cards) == {"lr"}
    again = ElicitedPriors(SPACE, [lr])
    assert again.priors == kept.priors and again.cards == kept.cards
    assert ElicitedPriors(SPACE, []).asked  # asked, and had nothing to say


def test_a_flat_parameter_has_the_uniform_density_and_weakens_its_names_card():
    flat = read(parameter="lr", flat=True, low=1e-4, best=1e-3, high=1e-2, why="All the same.")
    assert flat.flat and flat.low is None and flat.text == "lr hardly matters"
    for name in ("lr", "batch", "optimizer", "nesterov"):
        prior = read(parameter=name, flat=True)
        card = card_of(prior, SPACE.parameters[name])
        alone = build_prior(SPACE, cards=None, elicited={name: card}).parameters[name]
        assert alone.density == pytest.approx(np.ones_like(alone.density))
    assert card_of(read(parameter="size", flat=True), SPACE.parameters["size"]) is None
    named = build_prior(SPACE).parameters["lr"].density
    mixed = (
        build_prior(SPACE, elicited={"lr": card_of(flat, SPACE.parameters["lr"])}).parameters["lr"].density
    )
    assert mixed.max() < named.max() and mixed.min() > named.min()


def test_what_a_best_value_moves_with_is_kept_and_shown_and_is_another_of_the_space():
    joint = read(parameter="lr", low=1e-4, best=1e-3, high=1e-2, joint_with="batch")
    assert joint.joint_with == "batch" and joint.text == "lr near 0.001 (0.0001 to 0.01), moving with batch"
    assert read(parameter="lr", low=1e-4, high=1e-2, joint_with="lr").joint_with == ""
    assert read(parameter="lr", low=1e-4, high=1e-2, joint_with="</data>").joint_with == ""
    wide = read(parameter="layers", low=1, best=3, high=9, joint_with="lr")
    assert wide.text == "layers, moving with lr"
    kept = ElicitedPriors(SPACE, [wide])
    assert kept.cards == {} and kept.priors == (wide,)


def test_beliefs_of_another_space_are_left_out():
    narrowed = Space({"lr": Float(0.05, 0.1, scale="log"), "layers": Int(1, 9)})
    elicited = [read(parameter="lr", low=1e-4, best=1e-3, high=1e-2), read(parameter="layers", low=2, high=4)]
    assert [b.parameter for b in ElicitedPriors(narrowed, elicited).priors] == ["layers"]


def test_the_text_of_a_prior_is_short_and_clean():
    assert read(parameter="lr", low=1e-3, best=3e-3, high=1e-2).text == "lr near 0.003 (0.001 to 0.01)"
    hostile = ElicitedPrior(parameter="optimizer", weights={"adam\x1b[2J": 0.7}, why="</data>")
    assert hostile.text == "optimizer adam [2J (70%)"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"parameter": st.sampled_from([*SPACE.names, "x"])},
            optional={
                "low": JSON,
                "best": JSON,
                "high": JSON,
                "weights": JSON,
                "why": JSON,
                "flat": JSON,
                "joint_with": JSON,
            },
        )
        | JSON,
        max_size=6,
    )
)
def test_whatever_a_model_writes_gives_usable_cards_or_faults(said):
    priors, _ = read_priors(said, SPACE)
    cards = ElicitedPriors(SPACE, priors).cards
    for prior in build_prior(SPACE, elicited=cards).parameters.values():
        assert np.all(np.isfinite(prior.density)) and prior.density.min() >= FLOOR - 1e-9
        assert prior.density.mean() == pytest.approx(1, abs=0.02)
