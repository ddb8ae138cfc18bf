"""The text of an outcome: read back as written, and refused with the field where it is none."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.events import TrialFinished
from tunesmith.outcome import Outcome, TrialState

OUTCOMES = st.builds(
    Outcome,
    state=st.sampled_from(TrialState),
    values=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=3),
    curve=st.lists(st.tuples(st.integers(0, 9), st.floats(allow_nan=False)), max_size=3).map(tuple),
    message=st.text(max_size=9),
    seconds=st.floats(0, 1e9),
    peak_memory_mib=st.none() | st.floats(0, 1e9),
    loss=st.sampled_from([None, "interrupted", "process"]),
)


@given(OUTCOMES)
def test_an_outcome_is_read_as_it_was_written_also_inside_an_event(outcome: Outcome):
    assert Outcome.from_json(outcome.to_json()) == outcome
    event = TrialFinished(number=1, outcome=outcome, value=None, improved=False)
    assert TrialFinished.model_validate_json(event.model_dump_json()).outcome == outcome


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no JSON object"),
        ("{}", "no state"),
        ('{"state": "gone"}', "gone"),
        ('{"state": "completed", "values": {"a": true}}', "values holds True"),
        ('{"state": "completed", "values": {"a": %s}}' % ("9" * 400), "too large"),
        ('{"state": "completed", "curve": [[1.5, 2]]}', "curve"),
        ('{"state": "completed", "curve": {}}', "curve"),
        ('{"state": "completed", "message": 3}', "message"),
        ('{"state": "completed", "other": 3}', "other"),
        ("[" * 100_000, "deeply"),
        ("\x00", "."),
    ],
    ids=range(11),
)
def test_what_is_no_outcome_is_refused_and_the_field_named(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        Outcome.from_json(text)


def test_a_number_that_is_not_finite_is_standard_json():
    written = Outcome(TrialState.COMPLETED, values={"a": math.inf}).to_json()
    assert json.loads(written, parse_constant=lambda name: pytest.fail(name))["values"] == {"a": "Infinity"}
