"""Round trips that must hold for every kind of parameter."""

import json
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fakes.spaces import KINDS, rows, spaces
from tunesmith.space import Float, Ordinal, Space

SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_comes_back_from_the_unit_cube(kind):
    @given(KINDS[kind], SEEDS)
    def holds(parameter, seed):
        space = Space({"x": parameter})
        for configuration in space.sample(np.random.default_rng(seed), 5):
            row, active = space.encode(configuration)
            assert active.all() and ((0 <= row) & (row <= 1)).all()
            back = space.decode(row)
            assert back == configuration and type(back["x"]) is type(configuration["x"])
            if isinstance(parameter, Float) and parameter.size is None:
                assert back["x"] == pytest.approx(
                    configuration["x"], rel=1e-9, abs=1e-9 * (parameter.high - parameter.low)
                )
            else:
                assert back["x"] == configuration["x"]

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_an_optuna_distribution_and_back_allows_the_same_values(kind):
    @given(KINDS[kind])
    def holds(parameter):
        space = Space({"x": parameter})
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Optuna warns where it changes a range
            distribution = space.to_distributions()["x"]
        back = Space.from_distributions({"x": distribution}).parameters["x"]
        assert back.size == parameter.size
        if isinstance(parameter, Float) and parameter.scale == "logit":
            assert (back.low, back.high, back.scale) == (parameter.low, parameter.high, "linear")
        elif isinstance(parameter, Ordinal):
            assert back.listed == parameter.listed
        else:
            assert back == parameter
        for value in Space({"x": parameter}).sample(np.random.default_rng(0), 3):
            internal = distribution.to_internal_repr(value["x"])
            assert distribution._contains(internal)  # what `study.add_trial` will check
            assert distribution.to_external_repr(internal) == value["x"]

    holds()


@given(spaces())
def test_plain_data_json_pickle_and_pydantic_give_the_same_space_back(space):
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space
    assert pickle.loads(pickle.dumps(space)) == space
    adapter = TypeAdapter(Space)
    assert adapter.validate_python(adapter.dump_python(space)) == space


@given(spaces(), SEEDS)
def test_samples_are_legal_and_decode_is_the_inverse_of_encode(space, seed):
    for configuration in space.sample(np.random.default_rng(seed), 5):
        assert space.problems(configuration) == ()
        assert space.validate(dict(configuration)).digest == configuration.digest
        assert space.decode(space.encode(configuration)[0]) == configuration


@given(spaces(), SEEDS)
def test_many_rows_hold_the_values_that_each_of_them_holds(space, seed):
    some = np.random.default_rng(seed).random((7, space.dimensions))
    for row, values in zip(some, space.values_of(some), strict=True):
        assert list(values.items()) == list(space.values_of(row[None, :])[0].items())
        if not space.problems(values):
            assert dict(space.decode(row)) == values
            assert [type(v) for v in space.decode(row).values()] == [type(v) for v in values.values()]


@pytest.mark.long
@given(spaces(), SEEDS)
def test_rounding_lands_on_legal_points_and_stays_there(space, seed):
    rounded = space.round(rows(space, seed))
    np.testing.assert_allclose(space.round(rounded), rounded, rtol=0, atol=1e-12)
    mask = space.active(rounded)
    for row, active in zip(rounded, mask, strict=True):
        configuration = space.decode(row)
        encoded, encoded_active = space.encode(configuration)
        # Near 1 on a logit scale the floats themselves lie further apart than a cell of the digest.
        np.testing.assert_allclose(encoded, row, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(encoded_active, active)


@given(spaces(), SEEDS)
def test_inactive_columns_rest_at_one_place(space, seed):
    rounded = space.round(rows(space, seed))
    rest = np.array([0.0 if column.kind == "onehot" else 0.5 for column in space.columns])
    np.testing.assert_array_equal(
        np.where(space.active(rounded), rest, rounded), np.broadcast_to(rest, rounded.shape)
    )


@given(spaces(), SEEDS)
def test_a_printed_configuration_snaps_to_a_near_one(space, seed):
    """People and models copy what they are shown; it must lead back to about the same place."""
    for configuration in space.sample(np.random.default_rng(seed), 3):
        shown = {name: space.format_value(name, configuration[name]) for name in configuration}
        back, _ = space.snap(shown)
        assert back.keys() == configuration.keys()
        for name, parameter in space.parameters.items():
            if name in configuration and not parameter.one_hot and not isinstance(parameter, Ordinal):
                distance = abs(parameter.to_unit(back[name]) - parameter.to_unit(configuration[name]))
                assert distance <= (0.01 if parameter.size is None else 0), (name, shown)


JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.integers(10**300, 10**400), st.sampled_from(["1e-3", "nan", "A", "true", "1e999", "0x10", "a"]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(spaces(), st.data())
def test_anything_is_either_snapped_to_a_legal_configuration_or_refused_by_name(space, data):
    from tunesmith.errors import InvalidConfiguration

    junk = data.draw(st.dictionaries(st.sampled_from([*space.names, "bogus", ""]), JUNK))
    problems = space.problems(junk)
    assert all(str(problem) and len(str(problem)) < 3000 for problem in problems)
    try:
        snapped, changes = space.snap(junk)
    except InvalidConfiguration as error:
        assert error.problems and problems
    else:
        assert space.problems(snapped) == ()
        assert bool(changes) == bool(problems)


@given(spaces(), SEEDS)
def test_the_nearest_legal_value_of_every_problem_is_legal(space, seed):
    for name, parameter in space.parameters.items():
        for wrong in (1e30, -1e30, float("inf"), "0.3", 0.3, 3, True, "A"):
            problem = parameter.check(name, wrong)
            if problem is not None and problem.nearest is not None:
                assert parameter.check(name, problem.nearest) is None, problem
