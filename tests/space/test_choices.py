"""Choices that are no plain value: their labels, and that training gets back exactly what was listed."""

import json
import math
import pickle
import warnings

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tunesmith.agent.methods.llambo.formats import view
from tunesmith.agent.methods.llambo.settings import PRESETS
from tunesmith.agent.models.replies import parse_configuration
from tunesmith.errors import SpaceError
from tunesmith.space import Categorical, Float, Int, Ordinal, Space
from tunesmith.space.values import legal_text
from tunesmith.task import Task

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.sampled_from(["", " a", "none", "null", "nan", "1", "True", "[1, 2]", "\x1b[31m", "a\nb", "x" * 5000]),
)
CHOICES = st.lists(
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(st.text("ab. ", max_size=3), inner, max_size=2),
        ),
        max_leaves=5,
    ),
    min_size=1,
    max_size=6,
)


def alike(a, b):
    """Equal in value and type, all the way down; a NaN is like a NaN."""
    return repr(a) == repr(b)


@given(CHOICES)
def test_any_choices_round_trip_every_configuration(choices):
    parameter = Categorical(choices)
    space = Space({"c": parameter})
    assert len(set(map(repr, parameter.listed))) == len(parameter.listed)
    again = Space.from_dict(json.loads(json.dumps(space.to_dict(), allow_nan=False)))
    assert again == space == pickle.loads(pickle.dumps(space))
    assert alike(again.parameters["c"].originals, parameter.originals)
    distribution = space.to_distributions()["c"]
    for choice, label in zip(parameter.originals, parameter.listed, strict=True):
        assert not isinstance(label, str) or legal_text(label)
        configuration = space.validate({"c": choice})
        assert configuration["c"] == label and space.validate({"c": label}) == configuration
        assert space.decode(space.encode(configuration)[0]) == configuration
        assert again.validate({"c": choice}).digest == configuration.digest
        assert alike(again.originals(configuration), {"c": choice})
        stored = space.stored(configuration)["c"]
        kept = distribution.to_external_repr(distribution.to_internal_repr(stored))
        assert space.validate({"c": kept}) == configuration


@given(CHOICES)
def test_a_task_file_keeps_any_choices(choices):
    task = Task(metric="v", direction="minimize", space=Space({"c": Ordinal(choices)}))
    back = Space.from_dict(YAML(typ="safe", pure=True).load(task.to_yaml())["space"])
    space = task.space
    assert alike(back.parameters["c"].originals, space.parameters["c"].originals)


@pytest.mark.parametrize(
    "choices, kept, clauses",
    [
        ([1, 1.0, True, np.int64(1)], (1,), ("1.0 equals 1", "True equals 1", "1 equals 1")),
        ([False, 0], (False,), ("0 equals False",)),
        (["a", "a", "A"], ("a", "A"), ("'a' equals 'a'",)),
        (["1", 1], ("1", 1), ()),
        ([math.nan, float("nan"), "nan"], ("nan (float)", "nan"), ("nan equals nan",)),
        ([None, "none", "null"], ("none (no value)", "none", "null"), ()),
        ([[1, 2], [1.0, 2], (1, 2)], ("[1, 2]", "(1, 2)"), ("[1.0, 2] equals [1, 2]",)),
    ],
)
def test_choices_that_are_equal_are_one_which_is_told(choices, kept, clauses):
    parameter = Categorical(choices)
    assert parameter.listed == kept
    assert parameter.left_out == clauses
    space = Space({"c": parameter})
    assert len(space.notes) == len(clauses)
    for choice in choices:
        assert space.validate({"c": choice})["c"] in kept


def test_a_text_that_looks_like_another_choice_is_shown_in_quotes():
    space = Space({"c": Categorical(["1", 1, "bool"])})
    assert space.describe() == "- c: one of '1', 1, bool"
    assert space.snap({"c": "'1'"})[0]["c"] == "1"


def test_a_list_is_one_value_of_a_condition_where_it_is_a_choice():
    space = Space(
        {
            "layers": Categorical([None, [50], [50, 100]]),
            "width": Float(0, 1, when={"layers": [50, 100]}),
            "depth": Float(0, 1, when={"layers": [None, [50]]}),
        }
    )
    assert space.conditions["width"] == {"layers": ("[50, 100]",)}
    assert space.conditions["depth"] == {"layers": ("none", "[50]")}
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space
    assert set(space.validate({"layers": None, "depth": 0.5})) == {"layers", "depth"}


def test_null_means_the_choice_null_where_there_is_one_and_missing_elsewhere():
    space = Space({"a": Categorical([1, None]), "b": Categorical([1, 2])})
    snapped, changes = space.snap({"a": None, "b": None})
    assert dict(snapped) == {"a": "none", "b": 1} and len(changes) == 1
    assert dict(space.snap({})[0]) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "answer",
    [
        '{"layers": [50, 100], "depth": null, "lr": 0.1}',
        '{"layers": "[50,100]", "depth": "none", "lr": 0.1}',
        '{"layers": "50,100", "depth": "None", "lr": 0.1}',
        "layers: [50,100], depth: none, lr: 0.1",
        "layers: 50, 100, depth: null, lr: 0.1",
        "layers = (50, 100)\ndepth = None\nlr = 0.1",
        "I would use {'layers': (50, 100), 'depth': None, 'lr': 0.1}.",
    ],
)
def test_an_answer_of_a_model_is_read_however_it_writes_null_and_lists(answer):
    space = Space({"layers": Categorical([[50], [50, 100], [100, 50]]), "depth": Ordinal([None, 4, 8]),
                   "lr": Float(0, 1)})  # fmt: skip
    wanted = space.validate({"layers": [50, 100], "depth": None, "lr": 0.1})
    assert space.validate(parse_configuration(answer, space).values) == wanted
    # LLAMBO's prompts have labels of their own.
    shown = view(space, PRESETS["llambo"])
    assert space.snap(shown.values(parse_configuration(answer, shown.space).values))[0] == wanted


def test_nulls_of_inactive_parameters_are_told_from_the_choice_null():
    space = Space({"a": Categorical(["on", None]), "b": Categorical([None, 1], when={"a": "on"})})
    assert space.without_nulls({"a": None, "b": None}) == {"a": None}
    assert space.without_nulls({"a": "on", "b": None}) == {"a": "on", "b": None}


@pytest.mark.parametrize(
    "whole",
    [
        Int(0, 2**62),
        Int(-(2**63), 2**63 - 1),
        Int(1, 2**62, "log"),
        Int(5, 2**62, step=7),
        Int(2**63 - 3, 2**63 - 1),
        Int(-(2**62), 2**62, step=2**50 + 1),
    ],
    ids=str,
)
def test_integers_of_64_bits_are_drawn_and_kept_exactly(whole):
    space = Space({"x": whole})
    drawn = space.sample(np.random.default_rng(0), 40)
    assert all(space.problems(c) == () and space.decode(space.encode(c)[0]) == c for c in drawn)
    if whole.size > 2**50:
        assert len({c["x"] % 1024 for c in drawn}) > 10  # the last digits are drawn too
    for value in (whole.low, whole.high, whole.low + (whole.size // 3) * whole.step):
        assert space.validate({"x": value})["x"] == value == space.originals({"x": value})["x"]
        assert space.snap({"x": value})[0]["x"] == value
    if whole.step > 1:
        assert whole.check("x", whole.low + 1).nearest == whole.low
        assert whole.check("x", whole.high - 1).nearest == whole.high
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_integers_of_64_bits_can_be_parents():
    whole, ends = Int(-(2**63), 2**63 - 1), [-(2**63), 2**63 - 1]
    space = Space({"n": whole, "b": Float(0, 1, when={"n": ends}), "m": Int(0, 2**60, when={"n": ends[1]})})
    for u, names in ((0.0, {"n", "b"}), (0.5, {"n"}), (1.0, {"n", "b", "m"})):
        configuration = space.decode(np.array([u, 0.25, 0.75]))
        assert set(configuration) == names
        assert space.decode(space.encode(configuration)[0]) == configuration


def test_a_function_as_a_choice_is_refused_with_the_way_to_give_it():
    with pytest.raises(SpaceError, match="give it a name, and look that up in the training code"):
        Categorical([print])


def test_labels_of_optunas_own_choices_are_legal_whatever_these_are():
    from tunesmith.space.labels import labels

    class Odd:
        def __repr__(self):
            raise RuntimeError("no")

    around: list = []
    around.append(around)
    found = labels([Odd(), around, print, np.zeros(3), optuna, Odd, b"x", "\ud800", {1: 2}])
    assert len(set(found)) == len(found) and all(map(legal_text, found))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Categorical(found)
