"""LLAMBO's settings: upstream's constants by name, presets, and what is refused."""

import pytest
from pydantic import ValidationError

from tunesmith.agent.methods.llambo.settings import (
    PRESETS,
    UPSTREAM,
    calls_a_trial,
    changed,
)

# (upstream's name, preset, what their publication or code has)
CONSTANTS = [
    ("n_candidates", "llambo-code", 10),
    ("M", "llambo-paper", 20),
    ("n_gens", "llambo-code", 10),
    ("alpha", "llambo-code", 0.1),
    ("alpha", "llambo-paper", -0.1),
    ("n_templates", "llambo-code", 2),
    ("completions a sampler call", "llambo-code", 5),
    ("sampler temperature", "llambo-code", 0.8),
    ("sampler temperature", "llambo-paper", 0.7),
    ("surrogate temperature", "llambo-code", 0.7),
    ("top_p", "llambo-paper", 0.95),
    ("sampler max_tokens", "llambo-code", 500),
    ("surrogate max_tokens", "llambo-code", 8),
    ("top_pct", "llambo-code", 0.25),
    ("n_initial_samples", "llambo-paper", 5),
    ("candidates a surrogate call", "llambo-code", 1),
    ("decimals", "llambo-code", "lower_bound"),
    ("decimals", "llambo-paper", "recorded"),
    ("log10 warping", "llambo-paper", True),
    ("use_input_warping", "llambo-code", False),
]


@pytest.mark.parametrize(("name", "preset", "value"), CONSTANTS)
def test_a_preset_has_upstreams_constant(name, preset, value):
    (constant,) = [c for c in UPSTREAM[preset] if c.name == name]
    assert constant.value == value and constant.source
    assert getattr(PRESETS[preset], constant.field) == value


def test_every_constant_is_what_its_preset_has_and_stands_once():
    for preset, constants in UPSTREAM.items():
        fields = [c.field for c in constants]
        assert len(fields) == len(set(fields))
        for constant in constants:
            assert getattr(PRESETS[preset], constant.field) == constant.value


def test_calls_of_a_trial_are_upstreams_twenty_two_and_few_by_the_repaired_preset():
    assert calls_a_trial(PRESETS["llambo-code"]) == 22
    assert calls_a_trial(PRESETS["llambo"]) == 4


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("candidates", 0),
        ("alpha", float("nan")),
        ("top_share", 1.0),
        ("context", "all"),
        ("templates", 2.0),
        ("top_p", 0.0),
        ("sampler_temperature", -0.1),
        ("colour", "red"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(setting, value):
    with pytest.raises(ValidationError) as caught:
        changed(PRESETS["llambo"], {setting: value})
    assert caught.value.errors()[0]["loc"] == (setting,)


def test_predictions_for_a_candidate_are_twenty_by_the_code_and_ten_by_the_paper():
    totals = {name: p.samples * p.templates for name, p in PRESETS.items()}
    assert (totals["llambo-code"], totals["llambo-paper"]) == (20, 10)
