"""The settings of the published loop: their bounds, calls, and that the documentation has them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunesmith.agent.methods.agenttts.paper_settings import PaperSettings
from tunesmith.agent.methods.agenttts.settings import AgentTTSSettings
from tunesmith.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs/agenttts.md"


def test_the_documentation_lists_every_setting_with_its_default():
    rows = dict(re.findall(r"^\| (`.+?`) \| (\S+) \|", DOCS.read_text(), re.M))
    listed = {name: default for names, default in rows.items() for name in re.findall(r"`(\w+)`", names)}
    stated = {name: str(value).lower() for name, value in PaperSettings().model_dump().items()}
    assert listed == stated
    assert AgentTTSSettings.model_fields.keys() == {"capability", "saturation", "interaction"}


@pytest.mark.parametrize(
    ("changes", "trials", "calls"),
    [({}, 56, 10), ({}, 20, 4), ({"iterations": 2}, 56, 4), ({"batch_size": 1, "iterations": 9}, 5, 10)],
)
def test_calls_are_two_a_round(changes, trials, calls):
    assert METHODS.get("agenttts-paper").calls_needed(PaperSettings(**changes), trials) == calls


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"iterations": True}, {"batch": 3}], ids=str)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PaperSettings.model_validate(wrong)
