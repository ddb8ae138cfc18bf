"""Spaces that cannot be, and conditions."""

import numpy as np
import pytest

from tunesmith.errors import SpaceError
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space


@pytest.mark.parametrize(
    "make, key",
    [
        (lambda: Float(1, 0), "low"),
        (lambda: Float(0, 1, "log"), "low"),
        (lambda: Float(0, 0.5, "logit"), "low"),
        (lambda: Float(0.1, 1, "logit"), "low"),
        (lambda: Float(0, float("inf")), "high"),
        (lambda: Float(float("nan"), 1), "low"),
        (lambda: Float(-1e308, 1e308), "high"),
        (lambda: Float("0", 1), "low"),
        (lambda: Float(True, 1), "low"),
        (lambda: Float(0, 1, "cubic"), "scale"),
        (lambda: Float(0, 1, step=0), "step"),
        (lambda: Float(0, 1, step="x"), "step"),
        (lambda: Float(0, 1, step=1e-300), "step"),
        (lambda: Float(1e-3, 1, "log", step=0.1), "step"),
        (lambda: Int(0, 10, "log"), "scale"),
        (lambda: Int(1, 10, "log", step=2), "scale"),
        (lambda: Int(0.5, 10), "low"),
        (lambda: Int(0, 2**63), "high"),
        (lambda: Int(0, 10**400), "high"),
        (lambda: Int(0, 5, step=0), "step"),
        (lambda: Categorical([]), "choices"),
        (lambda: Categorical("adam"), "choices"),
        (lambda: Categorical([print]), "choices"),
        (lambda: Categorical([{1: "a"}]), "choices"),
        (lambda: Categorical(["half a pair: \ud800"]), "choices"),
        (lambda: Categorical([[0] * 2000]), "choices"),
        (lambda: Ordinal([]), "values"),
    ],
)
def test_an_impossible_parameter_is_refused_with_the_key_at_fault(make, key):
    with pytest.raises(SpaceError) as caught:
        make()
    assert caught.value.key == (key,)


@pytest.mark.parametrize(
    "parameters, text",
    [
        ({}, "at least one"),
        ({"": Bool()}, "name"),
        ({"constraints": Bool()}, "name"),
        ({"a\x1b[0m": Bool()}, "name"),
        ({"a": 3}, "should be a Float"),
        ({"a": Bool(when={"b": True})}, "not a parameter"),
        ({"a": Bool(when={"a": True})}, "itself"),
        ({"a": Bool(when="b")}, "mapping"),
        ({"a": Bool(), "b": Bool(when={"a": []})}, "no value"),
        ({"a": Bool(), "b": Bool(when={"a": "yes"})}, "never be active"),
        ({"a": Float(0, 1), "b": Bool(when={"a": 0.5})}, "a float"),
        ({"a": Bool(when={"b": True}), "b": Bool(when={"a": True})}, "circle"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_impossible_space_is_refused_in_words(parameters, text):
    with pytest.raises(SpaceError, match=text):
        Space(parameters)


def test_steps_are_the_decimals_a_person_would_write():
    space = Space({"x": Float(0, 1, step=0.1)})
    assert [c["x"] for c in space.all_configurations()] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def test_a_chain_of_conditions_is_followed():
    space = Space(
        {
            "c": Float(0, 1, when={"b": ["x", "y"], "a": True}),
            "b": Categorical(["x", "y", "z"], when={"a": True}),
            "a": Bool(),
        }
    )
    assert space.order == ("a", "b", "c") and space.names == ("c", "b", "a")
    assert dict(space.validate({"a": False})) == {"a": False}
    assert list(space.validate({"a": True, "b": "y", "c": 0.5})) == ["c", "b", "a"]
    assert [p.kind for p in space.problems({"a": False, "c": 0.5})] == ["inactive"]
    assert [p.kind for p in space.problems({"a": True, "b": "z", "c": 0.5})] == ["inactive"]


def test_cardinality_counts_what_conditions_and_constraints_leave():
    conditional = {"a": Bool(), "b": Int(1, 10, when={"a": True}), "c": Categorical(["x", "z"])}
    assert Space(conditional).cardinality == (10 + 1) * 2
    nested = Space({"n": Int(0, 9), "m": Ordinal([1, 2, 3], when={"n": [2, 5]}), "k": Bool(when={"m": 3})})
    assert nested.cardinality == len(nested.all_configurations()) == 8 + 2 * (2 + 2)
    assert Space({"a": Int(1, 5), "b": Int(1, 5)}, ["a < b"]).cardinality == 10
    assert Space({"a": Int(1, 5), "x": Float(0, 1)}).cardinality is None
    assert Space({f"p{i}": Int(1, 1000) for i in range(5)}).cardinality == 10**15


def test_uniform_draws_give_every_integer_step_and_choice_its_share():
    space = Space(
        {
            "i": Int(1, 4),
            "o": Ordinal(["s", "m", "l", "xl"]),
            "c": Categorical(list("abcd")),
            "f": Float(0, 3, step=1),
        }
    )
    drawn = space.sample(np.random.default_rng(1), 4000)
    for name in space:
        _, counts = np.unique([str(c[name]) for c in drawn], return_counts=True)
        assert len(counts) == 4 and counts.min() > 880


def test_optuna_distributions_without_a_counterpart_are_refused():
    from optuna.distributions import CategoricalDistribution

    with pytest.raises(SpaceError, match="choices"), pytest.warns(UserWarning, match="persistent"):
        Space.from_distributions({"x": CategoricalDistribution((print, "a"))})
    with pytest.raises(SpaceError, match="no distribution"):
        Space.from_distributions({"x": 3})


@pytest.mark.parametrize(
    "data, key",
    [
        ({"lr": {"type": "float", "low": 0}}, ("lr",)),
        ({"lr": {"low": 0, "high": 1}}, ("lr",)),
        ({"lr": {"type": "real", "low": 0, "high": 1}}, ("lr", "type")),
        ({"lr": {"type": "float", "low": 0, "high": 1, "skale": "log"}}, ("lr", "skale")),
        ({"lr": {"type": "float", "low": 2, "high": 1}}, ("lr", "low")),
        ({"lr": 3}, ("lr",)),
        ({"lr": {"type": "bool"}, "constraints": "a < b"}, ("constraints",)),
        ({"lr": {"type": "float", "low": 0, "high": 1}, "constraints": ["lr < mu"]}, ("constraints", "0")),
    ],
    ids=str,
)
def test_plain_data_that_is_no_space_names_the_key(data, key):
    with pytest.raises(SpaceError) as caught:
        Space.from_dict(data)
    assert caught.value.key == key


def test_the_bounds_are_reached_exactly():
    for parameter in (
        Float(1e-5, 0.1, "log"),
        Float(0.1, 0.7),
        Float(0.01, 0.999, "logit"),
        Float(1, 1.0000001, "log"),
    ):
        assert (parameter.from_unit(0.0), parameter.from_unit(1.0)) == (parameter.low, parameter.high)


@pytest.mark.parametrize(
    "parameter",
    [
        Float(5e-324, 1e-310, "log"),
        Float(5e-324, 1.7e308, "log"),
        Float(0, 5e-324),
        Float(-5e-324, 1e-322),
        Float(0.1, 0.1),
        Float(0, 1, step=0.1),
        Float(0, 1e6, step=1e-5),
        Float(-1e308, 7e307),
    ],
    ids=str,
)
def test_floats_at_the_edge_of_what_there_is_come_back_from_the_unit_cube(parameter):
    space = Space({"x": parameter})
    for configuration in space.sample(np.random.default_rng(0), 50):
        assert space.problems(configuration) == ()
        assert space.decode(space.encode(configuration)[0]) == configuration
        assert space.snap({"x": space.format_value("x", configuration["x"])})
    for bound in (parameter.low, parameter.high):
        assert space.decode(space.encode(space.validate({"x": bound}))[0])["x"] == bound
