"""Strictness: every fault is told, with its kind and the nearest legal value."""

import math

import numpy as np
import pytest

from tunesmith.errors import InvalidConfiguration, Problem
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space


@pytest.fixture
def space():
    return Space(
        {
            "lr": Float(1e-5, 1e-1, scale="log"),
            "layers": Int(1, 4),
            "units": Int(16, 64, step=16),
            "drop": Float(0, 0.5, step=0.1),
            "optimizer": Categorical(["adam", "sgd"]),
            "momentum": Float(0.0, 0.99, when={"optimizer": "sgd"}),
            "bias": Bool(),
            "size": Ordinal([16, 32, 64]),
        }
    )


LEGAL = {
    "lr": 1e-3, "layers": 2, "units": 32, "drop": 0.3, "optimizer": "adam", "bias": True, "size": 32,
}  # fmt: skip


@pytest.mark.parametrize(
    "change, kind, nearest",
    [
        ({"lr": 5.0}, "out_of_range", 0.1),
        ({"lr": 1e-9}, "out_of_range", 1e-5),
        ({"lr": 10**400}, "out_of_range", 0.1),
        ({"lr": "0.01"}, "wrong_type", 0.01),
        ({"lr": True}, "wrong_type", None),
        ({"lr": None}, "wrong_type", None),
        ({"lr": math.nan}, "not_finite", None),
        ({"lr": math.inf}, "not_finite", 0.1),
        ({"layers": 3.0}, "wrong_type", 3),
        ({"layers": True}, "wrong_type", None),
        ({"layers": 9}, "out_of_range", 4),
        ({"units": 30}, "off_step", 32),
        ({"drop": 0.26}, "off_step", 0.3),
        ({"optimizer": "Adam"}, "out_of_range", "adam"),
        ({"optimizer": "zebra"}, "out_of_range", None),
        ({"optimizer": 3}, "wrong_type", None),
        ({"bias": 1}, "wrong_type", True),
        ({"bias": "no"}, "wrong_type", False),
        ({"size": 40}, "out_of_range", 32),
        ({"size": "64"}, "wrong_type", 64),
        ({"momentum": 0.9}, "inactive", None),
        ({"optimizer": "sgd"}, "missing", None),
        ({"learning_rate": 0.1}, "unknown", None),
    ],
    ids=str,
)
def test_a_fault_is_told_with_its_kind_and_the_nearest_legal_value(space, change, kind, nearest):
    (problem,) = space.problems({**LEGAL, **change})
    assert problem.kind == kind
    assert problem.nearest == nearest and type(problem.nearest) is type(nearest)
    assert problem.allowed and str(problem)


def test_every_fault_is_told_not_only_the_first(space):
    values = {"lr": 9, "optimizer": "sgd", "momentum": 7, "bogus": 1, "layers": 2}
    with pytest.raises(InvalidConfiguration) as caught:
        space.validate(values)
    found = {(problem.key, problem.kind) for problem in caught.value.problems}
    assert found == {
        ("lr", "out_of_range"), ("momentum", "out_of_range"), ("bogus", "unknown"), ("units", "missing"),
        ("drop", "missing"), ("bias", "missing"), ("size", "missing"),
    }  # fmt: skip
    assert caught.value.exit_code == 2


def test_numpy_scalars_count_as_the_values_they_stand_for(space):
    given = {
        **LEGAL,
        "lr": np.float32(0.5e-2),
        "layers": np.int64(3),
        "bias": np.bool_(False),
        "size": np.int8(16),
    }
    configuration = space.validate(given)
    assert [type(configuration[name]) for name in ("lr", "layers", "bias", "size")] == [float, int, bool, int]


def test_a_hostile_value_is_shown_short(space):
    text = str(space.problems({**LEGAL, "lr": "x" * 100_000, "y" * 100_000: 10**9999})[0])
    assert len(text) < 400


def test_a_problem_reads_as_a_sentence():
    problem = Problem("out_of_range", "lr", 5.0, "a number from 1e-5 to 0.1, log scale", 0.1)
    assert (
        str(problem)
        == "'lr' = 5.0: out of range; a number from 1e-5 to 0.1, log scale (nearest legal value: 0.1)"
    )


def test_a_constant_and_a_two_valued_integer_and_thirty_choices_work():
    space = Space(
        {
            "c": Float(0.3, 0.3, "log"),
            "k": Int(7, 7),
            "two": Int(0, 1),
            "many": Categorical([f"c{i}" for i in range(30)]),
        }
    )
    assert space.dimensions == 33 and space.cardinality == 60
    seen = set(space.sample(np.random.default_rng(0), 1000))
    assert len(seen) == 60
    assert all(c["c"] == 0.3 and c["k"] == 7 for c in seen)


def test_an_int_is_taken_for_a_float_and_stored_as_one():
    configuration = Space({"x": Float(0, 3), "y": Categorical([0.5, 1.0])}).validate({"x": 1, "y": 1})
    assert repr(dict(configuration)) == "{'x': 1.0, 'y': 1.0}"


def test_arithmetic_noise_on_a_step_is_forgiven_and_removed():
    configuration = Space({"x": Float(0, 1, step=0.1)}).validate({"x": 0.1 + 0.2})
    assert configuration["x"] == 0.3


def test_a_child_of_a_faulty_parent_is_not_called_missing_or_inactive(space):
    faulty = {**LEGAL, "optimizer": "nope"}
    assert [p.key for p in space.problems(faulty)] == ["optimizer"]
    assert [p.key for p in space.problems({**faulty, "momentum": 0.5})] == ["optimizer"]
