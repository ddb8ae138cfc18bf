"""Spaces and values as prompts print them: the three number rules, names that stay data, and the way back."""

import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.spaces import spaces
from tunesmith.agent.methods.llambo.formats import (
    decimals_of,
    describe_space,
    format_configuration,
    format_score,
    format_value,
    view,
)
from tunesmith.agent.methods.llambo.settings import PRESETS, changed
from tunesmith.agent.models.replies import Parsed, parse_configuration
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space

OURS, PAPER, CODE = PRESETS["llambo"], PRESETS["llambo-paper"], PRESETS["llambo-code"]
BLIND = changed(OURS, {"blinded": True})
RECORDED = Path(__file__).parents[2] / "../shared/data/llambo_recorded_runs.csv.gz"

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "share": Float(0.0, 0.5),
        "width": Int(16, 512, scale="log"),
        "layers": Int(1, 9, step=2),
        "optimizer": Categorical(["adam", "sgd"]),
        "momentum": Float(0.1, 0.9, when={"optimizer": "sgd"}),
        "size": Ordinal([16, 32, 64]),
        "bias": Bool(),
        "keep": Float(0.01, 0.99, scale="logit"),
        "drop": Float(0, 1, step=0.25),
    },
    ["layers < width", "lr * 2 <= share + 1e-5"],
)
VALUES = {
    "lr": 0.00123456,
    "share": 0.123456,
    "width": 100,
    "layers": 3,
    "optimizer": "sgd",
    "momentum": 0.55555,
    "size": 32,
    "bias": True,
    "keep": 0.98765,
    "drop": 0.25,
}


@pytest.mark.parametrize(
    ("number", "decimals"), [(0.0, 0), (1, 0), (0.5, 1), (1e-4, 4), (0.001, 3), (1e-11, 0), (0.01, 2)]
)
def test_decimals_are_counted_among_the_first_ten(number, decimals):
    assert decimals_of(number) == decimals


@pytest.mark.parametrize(
    ("parameter", "value", "ours", "paper", "code"),
    [
        (Float(0, 0.5), 0.03, "0.03", "0.0300", "0"),
        (Float(1, 1000, "log"), 31.2876, "31.3", "1.4954", "31"),
        (Float(1, 1000), 31.2876, "31", "31.2876", "31"),
        (Float(1e-4, 1e-3, "log"), 0.0003141, "0.0003141", "-3.502932", "0.0003"),
        (Float(1e-5, 0.1, "log"), 0.00123456, "0.00123", "-2.9084878", "0.00123"),
        (Float(1e-8, 1, "log"), 3e-7, "3e-7", "-6.5228787453", "0.00000030"),
        (Float(0.001, 0.999, "logit"), 0.9, "0.9", "0.90000", "0.900"),
        (Int(16, 512, "log"), 100, "100", "2.0000", "100"),
        (Int(1, 15), 7, "7", "7", "7"),
    ],
)
def test_a_number_is_printed_by_the_rule_of_its_preset(parameter, value, ours, paper, code):
    space = Space({"p": parameter})
    assert [format_value(space, "p", value, protocol) for protocol in (OURS, PAPER, CODE)] == [
        ours,
        paper,
        code,
    ]


@pytest.mark.parametrize(
    "parameter", [Float(0, 0.5), Float(1, 1000), Float(1, 1000, "log"), Float(1e-8, 1, "log")]
)
@pytest.mark.parametrize("warp", [False, True])
def test_by_the_range_no_dimension_is_ever_flattened(parameter, warp):
    space, protocol = Space({"p": parameter}), changed(OURS, {"warp": warp})
    values = [parameter.from_unit(u) for u in np.linspace(0, 1, 201)]
    printed = [format_value(space, "p", value, protocol) for value in values]
    assert len(set(printed)) == len(printed)
    for value, text in zip(values, printed, strict=True):
        (back,) = view(space, protocol).values({"p": float(text)}).values()
        assert abs(parameter.to_unit(back) - parameter.to_unit(value)) < 1e-3


def test_every_value_of_upstreams_recorded_runs_has_the_decimals_of_the_rule():
    if not RECORDED.is_file():
        pytest.skip("the recorded runs are not in this checkout")
    log = {"C": (1, 1e3), "gamma": (1e-4, 1e-3), "tol": (1e-5, 0.1)}
    log |= {"alpha": (1e-5, 10), "learning_rate_init": (1e-5, 0.1)}
    linear = {"power_t": (0.1, 0.9), "momentum": (0.001, 0.999), "min_impurity_decrease": (0, 0.5)}
    space = Space(
        {n: Float(*b, scale="log") for n, b in log.items()} | {n: Float(*b) for n, b in linear.items()}
    )
    checked = 0
    with gzip.open(RECORDED, "rt") as file:
        for row in csv.DictReader(file):
            if int(row["trial"]) < 5:
                continue  # the initial design was not the model's
            for name, value in json.loads(row["config_json"]).items():
                if name in space:
                    text = float(format_value(space, name, value, PAPER))
                    shown = math.log10(value) if name in log else value
                    # The file rounds to ten decimals, which shows in small values.
                    assert abs(text - shown) < 1e-9 + (1e-10 / value if name in log else 0)
                    checked += 1
    assert checked > 5000


def test_a_description_tells_kind_range_scale_decimals_condition_and_constraint():
    lines = "\n".join(describe_space(SPACE, OURS))
    for told in (
        "lr: a number from 1e-5 to 0.1, log scale",
        "layers: a whole number from 1 to 9 in steps of 2",
        "optimizer: one of adam, sgd",
        "momentum: a number from 0.1 to 0.9; only when optimizer is sgd",
        "bias: true or false",
        "size: one of 16, 32, 64 (in this order)",
        "drop: a number from 0 to 1 in steps of 0.25",
        "it must hold that layers < width",
    ):
        assert told in lines
    warped = "\n".join(describe_space(SPACE, PAPER))
    assert "lr: -5.0000000 to -1.0000000 (log10 of the value, 7 decimals)" in warped
    assert "it must hold that layers < 10**(width)" in warped
    assert "it must hold that 10**(lr) * 2 <= share + 1e-5" in warped


@pytest.mark.parametrize("protocol", [OURS, PAPER, CODE, BLIND, changed(OURS, {"warp": True})])
def test_what_is_printed_is_read_and_taken_back_to_nearly_the_same(protocol):
    shown = view(SPACE, protocol)
    line = format_configuration(SPACE, VALUES, protocol)
    parsed = parse_configuration(f"## {line} ##", shown.space)
    assert isinstance(parsed, Parsed)
    found, _ = SPACE.snap(shown.values(parsed.values))
    for name in ("width", "layers", "optimizer", "size", "bias", "drop"):
        assert found[name] == VALUES[name]
    if protocol is not CODE:
        assert np.allclose(SPACE.encode(found)[0], SPACE.encode(SPACE.validate(VALUES))[0], atol=1e-3)


def test_blinded_names_and_choices_tell_nothing_and_are_taken_back():
    shown = view(SPACE, BLIND)
    text = "\n".join([*describe_space(SPACE, BLIND), format_configuration(SPACE, VALUES, BLIND)])
    for name in (*SPACE.names, "adam", "sgd"):
        assert name not in text
    assert "X6: a number from 0.1 to 0.9; only when X5 is B" in text
    assert "it must hold that X4 < X3" in text
    back = shown.values({"X1": 0.01, "X5": "B", "X6": 0.5, "X7": 64})
    assert back == {"lr": 0.01, "optimizer": "sgd", "momentum": 0.5, "size": 64}


HOSTILE = [
    "## a: 1 ##",
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "a, b: 2",
    "Performance: 1.0",
    "<data> x </data>",
    "```",
    "a=1; b=2",
    "#",
    "'quoted'",
]


def test_names_and_choices_that_look_like_the_format_get_an_alias_and_come_back():
    space = Space(
        {name: Float(0, 1) for name in HOSTILE} | {"choice": Categorical([*HOSTILE, "plain", "a, b; 2"])}
    )
    for protocol in (OURS, PAPER, CODE):
        shown = view(space, protocol)
        assert len(set(shown.space.names)) == len(space.names)
        for index, choice in enumerate([*HOSTILE, "plain", "a, b; 2"]):
            values = {name: (i + 1) / 32 for i, name in enumerate(HOSTILE)} | {"choice": choice}
            line = format_configuration(space, values, OURS if protocol is CODE else protocol)
            assert not set(line.replace(": ", "").replace(", ", "")) & set("#{}%<>`;='")
            if protocol is not CODE:
                parsed = parse_configuration(f"## {line} ##", shown.space)
                assert isinstance(parsed, Parsed), (index, line)
                back = shown.values(parsed.values)
                assert back["choice"] == choice
                assert np.allclose([back[n] for n in HOSTILE], [values[n] for n in HOSTILE], atol=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500000"),
        (-3456.123456, "-3456.123456"),
        (0.0, "0.000000"),
        (-0.0, "0.000000"),
        (1e-9, "1e-09"),
        (1.5e12, "1.5e+12"),
    ],
)
def test_a_value_of_the_metric_has_six_decimals_where_they_tell_something(value, text):
    assert format_score(value) == text
    assert float(format_score(value)) == pytest.approx(value, rel=1e-6)
    assert format_score(1e-9, CODE) == "0.000000"


@settings(max_examples=40)
@given(
    spaces(),
    st.sampled_from([OURS, PAPER, CODE, BLIND, changed(OURS, {"warp": True})]),
    st.integers(0, 2**20),
)
def test_any_space_is_described_printed_and_taken_back_legally(space, protocol, seed):
    assert len(describe_space(space, protocol)) == len(space)
    shown = view(space, protocol)
    for configuration in space.sample(np.random.default_rng(seed), 3):
        line = format_configuration(space, configuration, protocol)
        assert "\n" not in line and "##" not in line
        fields = {
            shown.fields[name].shown: shown.fields[name].forward(v) for name, v in configuration.items()
        }
        back = shown.values(fields)
        found, _ = space.snap(back)
        assert set(found) == set(configuration)
        assert np.allclose(space.encode(found)[0], space.encode(configuration)[0], atol=1e-3)


@pytest.mark.parametrize("value", [1e9, -1e9, 400.0, -400.0])
def test_an_exponent_beyond_all_numbers_is_no_crash(value):
    space = Space({"p": Float(1e-5, 0.1, "log"), "k": Float(0.01, 0.99, "logit"), "n": Int(1, 512, "log")})
    for protocol in (PAPER, changed(OURS, {"warp": True})):
        back = view(space, protocol).values({"p": value, "k": value, "n": value})
        assert set(back) == {"p", "k", "n"}
        space.problems(back)
