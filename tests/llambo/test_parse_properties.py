"""For any space: any dialect is read exactly, and what is cut or damaged never gives a wrong number."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes.spaces import spaces
from tunesmith.agent.models.parsing import is_refusal, objects_in, repaired_object, without_thinking
from tunesmith.agent.models.replies import (
    Parsed,
    ParsedNumber,
    Refused,
    parse_configuration,
    parse_configurations,
    parse_label,
    parse_number,
    repair_question,
)
from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.space.values import number_in
from tunesmith.trial import Value

Values = dict[str, Value]


def quoted(value: Value) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)


def joined(values: Values, between: str, sign: str = ": ", start: str = "") -> str:
    return between.join(f"{start}{name}{sign}{quoted(value)}" for name, value in values.items())


def with_nulls(values: Values, space: Space) -> str:
    return json.dumps({name: values.get(name) for name in space.names})


CLOSED = {
    "marks": lambda v, s: f"## {joined(v, ', ')} ##",
    "json": lambda v, s: json.dumps(v),
    "json with nulls": with_nulls,
    "fenced json": lambda v, s: f"Sure:\n```json\n{json.dumps(v, indent=2)}\n```",
    "python": lambda v, s: f"I suggest {v!r}.",
    "nested": lambda v, s: json.dumps({"reason": "p0: 7 is bad, p1 = 3", "configuration": v}),
    "names and values": lambda v, s: json.dumps([{"name": n, "value": x} for n, x in v.items()]),
    "a call": lambda v, s: f"Config({joined(v, ', ', '=')})",
    "label inside, escaped": lambda v, s: f"## Configuration: {joined(v, ', ')} ##".replace("_", "\\_"),
    "thinking": lambda v, s: f"<think>p0: 3, p1: 5, gate: True</think>\n## {joined(v, ', ')} ##",
}
OPEN = {
    "lines": lambda v, s: joined(v, "\n") + "\n",
    "bullets": lambda v, s: "The best choice:\n" + joined(v, "\n", ":** ", "- **") + "\n",
    "table": lambda v, s: "| name | value |\n|---|---|\n" + joined(v, " |\n", " | ", "| ") + " |\n",
    "equals": lambda v, s: joined(v, "; ", " = ") + "\n",
    "sentence": lambda v, s: f"I would say that {joined(v, ' and ', ' is ')}, for safety.",
    "flags": lambda v, s: f"train.py {joined(v, ' ', ' ', '--')}\n",
}
DIALECTS = {**CLOSED, **OPEN}


def _twins(parameter: Any) -> bool:
    """Whether a number and a word for it, such as 0 and "0", are both choices: bare text tells not which."""
    listed = getattr(parameter, "listed", ())
    words = {choice for choice in listed if isinstance(choice, str)}
    return any(number_in(word) is not None and number_in(word) in listed for word in words)


@st.composite
def written(draw: Any, dialects: dict[str, Any]) -> tuple[Space, Values, str]:
    """A space, one of its configurations, and a text that states it."""
    space = draw(spaces())
    assume(not any(map(_twins, space.parameters.values())))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = dict(space.sample(rng, 1)[0])
    return space, values, draw(st.sampled_from(sorted(dialects)).map(dialects.get))(values, space)


def exactly(outcome: Parsed | Refused, values: Values) -> bool:
    return isinstance(outcome, Parsed) and [(n, v, type(v)) for n, v in outcome.values.items()] == [
        (n, v, type(v)) for n, v in values.items()
    ]


@settings(max_examples=120)
@given(written(DIALECTS))
def test_any_configuration_of_any_space_is_read_exactly_in_any_dialect(case):
    space, values, text = case
    assert exactly(parse_configuration(text, space), values), text
    assert exactly(parse_configurations(text, space)[0], values), text


@settings(max_examples=100)
@given(written({"bare": lambda v, s: ", ".join(f"{n}: {x}" for n, x in v.items())}))
def test_words_without_quotes_are_read_exactly_or_refused(case):
    space, values, text = case
    outcome = parse_configuration(f"## {text} ##", space)
    assert exactly(outcome, values) or isinstance(outcome, Refused), outcome


@settings(max_examples=100)
@given(written(CLOSED), st.floats(0, 1))
def test_a_text_cut_anywhere_gives_the_configuration_or_a_refusal(case, share):
    space, values, text = case
    cut = text[: int(share * len(text))]
    for finished in (None, False):
        outcome = parse_configuration(cut, space, finished=finished)
        assert exactly(outcome, values) or isinstance(outcome, Refused), (cut, outcome)


@settings(max_examples=100)
@given(written(OPEN), st.floats(0, 1))
def test_a_text_without_an_end_of_its_own_is_safe_when_the_server_says_that_it_was_cut(case, share):
    space, values, text = case
    cut = text[: int(share * len(text))]
    outcome = parse_configuration(cut, space, finished=False)
    assert exactly(outcome, values) or isinstance(outcome, Refused), (cut, outcome)


def stated(text: str) -> set[float]:
    """Every number that a generous reader finds in a text, under any convention."""
    found: set[float] = set()
    text = text.replace("\\", "")  # Markdown escapes
    for variant in (text, text.replace(",", "."), re.sub(r"[,_']", "", text)):
        for number in re.findall(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", variant):
            found |= {float(number), float(Decimal(number).scaleb(-2))}  # the second as a percentage
    return found


DAMAGE = st.sampled_from(list("0123456789.,:;-+eE#{}[]()'\"_*%/ \n\\xk|=~") + ["", "nan", " or ", "…", "10^"])


@settings(max_examples=100)
@given(written(DIALECTS), st.lists(st.tuples(st.floats(0, 1), DAMAGE, st.booleans()), min_size=1, max_size=3))
def test_a_damaged_text_gives_only_numbers_that_stand_in_it(case, damages):
    space, _, text = case
    for share, piece, replaced in damages:
        at = int(share * len(text))
        text = text[:at] + piece + text[at + replaced :]
    for outcome in parse_configurations(text, space):
        if isinstance(outcome, Parsed):
            numbers = [float(v) for v in outcome.values.values() if not isinstance(v, bool | str)]
            there = np.array(sorted(stated(text)))
            assert all(np.isclose(there, n, rtol=1e-12, atol=0).any() for n in numbers), (text, outcome)


@settings(max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 40))
def test_a_number_is_read_exactly_and_a_cut_one_is_refused(value, at):
    text = f"## {value!r} ##"
    outcome = parse_number(text)
    assert isinstance(outcome, ParsedNumber) and outcome.value == value
    cut = parse_number(text[:at])
    assert isinstance(cut, Refused) or cut.value == value
    assert isinstance(parse_number(repr(value)[:at], finished=False), Refused)


PIECES = st.sampled_from(
    [
        *"0123456789.,:;-+eE#{}[]()'\"_*%/\\|=~<>` \n",
        "lr",
        "max_depth",
        "opt",
        "adam",
        "##",
        "<think>",
        "</think>",
    ]
    + [
        "nan",
        "null",
        "1e-3",
        "0.5",
        "3",
        "is ",
        "```json\n",
        "true",
        "\u2212",
        "×10^",
        "⁻³",
        "٣",
        "\ud800",
        "中",
    ]
)
KNOWN = Space(
    {
        "lr": Float(1e-5, 0.5, "log"),
        "max_depth": Int(1, 15),
        "opt": Categorical(["adam", "adamw", "sgd", "1", 2.5]),
        "fast": Bool(when={"opt": "sgd"}),
        "size": Ordinal([16, 32, 64]),
    }
)


@settings(max_examples=100)
@given(st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=200)))
def test_no_text_whatever_raises(text):
    for finished in (None, True, False):
        outcome = parse_configuration(text, KNOWN, finished=finished)
        assert isinstance(outcome, Parsed | Refused)
        assert parse_configurations(text, KNOWN, finished=finished)
        assert isinstance(parse_number(text, finished=finished), ParsedNumber | Refused)
        label = parse_label(text, finished=finished)
        assert isinstance(label, Refused) or label in (0, 1)
    if isinstance(outcome, Refused):
        assert repair_question(outcome, KNOWN)
    without_thinking(text), is_refusal(text), objects_in(text), repaired_object(text, "stop")


@pytest.mark.parametrize(
    "name", ["a-b", "layers.0.width", "lr (log)", "Lernrate", "学习率", "p: 1", "x_y", "2nd", "log_lr"]
)
def test_names_of_any_kind_are_found(name):
    space = Space({name: Float(0, 1), "z": Int(1, 9)})
    for text in (f"## {name}: 0.25, z: 3 ##", json.dumps({name: 0.25, "z": 3}), f"{name} = 0.25\nz = 3\n"):
        assert exactly(parse_configuration(text, space), {name: 0.25, "z": 3}), text
