"""Words: precision from span and scale, descriptions, digests, repairs."""

import pytest

from tunesmith.errors import InvalidConfiguration
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space


@pytest.mark.parametrize(
    "parameter, value, text",
    [
        (Float(0, 0.5), 0.123456, "0.1235"),
        (Float(0, 0.5), 0.0, "0"),
        (Float(1, 1000), 7.23456, "7"),
        (Float(1, 1000), 777.7777, "778"),
        (Float(1, 1000, "log"), 1.23456, "1.235"),
        (Float(1, 1000, "log"), 777.7777, "778"),
        (Float(1e-8, 1, "log"), 3.456789e-6, "3.46e-6"),
        (Float(1e-8, 1, "log"), 0.123456, "0.123"),
        (Float(1e-8, 1), 0.123456, "0.123"),
        (Float(1e-8, 1), 3.456789e-6, "3.46e-6"),
        (Float(1e-8, 1), 1e-8, "1e-8"),
        (Float(0.001, 0.999, "logit"), 0.9987654, "0.99877"),
        (Float(0.001, 0.999, "logit"), 0.512345, "0.512"),
        (Float(1000, 1000.5), 1000.123456, "1000.1235"),
        (Float(0, 1e9), 123456789.0, "123000000"),
        (Float(-1e-12, 1e-12), 1.23456e-13, "1.23e-13"),
        (Float(0, 1, step=0.05), 0.15, "0.15"),
        (Float(0.00001, 2, step=0.00001), 1.23456, "1.23456"),
        (Int(1, 10**9), 123456789, "123456789"),
        (Int(1, 10**9, "log"), 123456789, "123456789"),
        (Bool(), True, "True"),
        (Categorical([0.1, "a"]), 0.1, "0.1"),
    ],
    ids=str,
)
def test_a_value_is_printed_to_about_a_thousandth_of_its_range(parameter, value, text):
    assert Space({"x": parameter}).format_value("x", value) == text


def test_the_precision_does_not_come_from_the_lower_bound():
    """A range from 1e-8 has no more digits than one from 0."""
    shown = [Space({"x": Float(low, 0.5)}).format_value("x", 0.1234567) for low in (0, 1e-8, 1e-3)]
    assert shown == ["0.1235"] * 3


def test_a_configuration_is_one_line_in_the_order_of_the_space():
    space = Space(
        {
            "lr": Float(1e-5, 1e-1, "log"),
            "opt": Categorical(["adam", "sgd"]),
            "m": Float(0, 1, when={"opt": "sgd"}),
        }
    )
    assert space.format({"opt": "adam", "lr": 0.0012345678}) == "lr=0.00123, opt=adam"


def test_a_space_describes_itself_with_conditions_and_constraints():
    space = Space(
        {
            "lr": Float(1e-5, 0.1, "log"),
            "opt": Categorical(["adam", "sgd", "lion"]),
            "m": Float(0, 0.99, when={"opt": ["sgd", "lion"]}),
            "bs": Ordinal([16, 32, 64]),
            "n": Int(1, 8),
            "k": Int(8, 64, step=8),
            "b": Bool(),
            "c": Int(3, 3),
        },
        ["n * 8 <= k"],
    )
    assert space.describe() == (
        "- lr: a number from 1e-5 to 0.1, log scale\n"
        "- opt: one of adam, sgd, lion\n"
        "- m: a number from 0 to 0.99; only when opt is sgd or lion\n"
        "- bs: one of 16, 32, 64 (in this order)\n"
        "- n: a whole number from 1 to 8\n"
        "- k: a whole number from 8 to 64 in steps of 8\n"
        "- b: true or false\n"
        "- c: always 3\n"
        "- constraint: n * 8 <= k"
    )


def test_the_digest_is_stable_across_versions():
    """Run folders hold digests: a change here makes old runs unreadable as the same configurations."""
    space = Space(
        {"lr": Float(1e-5, 0.1, "log"), "opt": Categorical(["adam", "sgd"]), "n": Int(1, 8), "b": Bool()}
    )
    assert space.validate({"lr": 1e-3, "opt": "adam", "n": 3, "b": True}).digest == "e7feb097214da3df"


def test_the_digest_ignores_float_noise_and_order_but_no_real_difference():
    space = Space({"x": Float(0, 10), "y": Float(1e-6, 1, "log"), "n": Int(0, 2**40)})
    base = {"x": 0.1, "y": 1e-3, "n": 2**40}
    digest = space.validate(base).digest
    assert space.validate({"n": 2**40, "y": 1e-3 * (1 + 1e-14), "x": 0.1 + 1e-13}).digest == digest
    assert space.digest(base) == digest
    for change in ({"x": 0.1 + 2e-8}, {"y": 1e-3 * (1 + 1e-7)}, {"n": 2**40 - 1}):
        assert space.validate({**base, **change}).digest != digest


@pytest.fixture
def space():
    return Space(
        {
            "lr": Float(1e-5, 0.1, "log"),
            "opt": Categorical(["adam", "sgd"]),
            "m": Float(0, 1, when={"opt": "sgd"}),
            "n": Int(1, 8),
        }
    )


def test_snap_says_every_change_in_a_sentence(space):
    snapped, changes = space.snap({"lr": "5e-1", "opt": "SGD", "n": 2.6, "bogus": 1})
    assert dict(snapped) == {"lr": 0.1, "opt": "sgd", "m": 0.5, "n": 3}
    assert changes == (
        "'bogus' was left out: it is not a parameter.",
        "lr = '5e-1' is of the wrong type and became 0.1.",
        "opt = 'SGD' is out of range and became sgd.",
        "n = 2.6 is of the wrong type and became 3.",
        "m was missing and became 0.5.",
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "high", [], {}, True], ids=repr)
def test_snap_refuses_a_value_with_nothing_in_it(space, value):
    with pytest.raises(InvalidConfiguration) as caught:
        space.snap({"lr": value, "opt": "adam", "n": 1})
    assert [p.key for p in caught.value.problems] == ["lr"]


def test_the_digest_tells_types_and_absence_apart():
    space = Space({"a": Categorical([1, "1", True + 1]), "b": Bool(when={"a": [1, "1"]})})
    digests = {c.digest for c in space.all_configurations()}
    assert len(digests) == space.cardinality == 5
