"""Scores per item as packed text."""

from __future__ import annotations

import base64
import json
import math
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import ItemsError
from tunesmith.items import (
    LONGEST_PACKED,
    MOST_ITEMS,
    MOST_METRICS,
    Items,
    bounded_items,
)

SCORES = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1e6, 1e6, width=32), st.floats(-1e150, 1e150)),
    min_size=1,
    max_size=60,
)


@given(scores=SCORES | st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60), data=st.data())
def test_packed_scores_are_read_back_exactly(scores, data):
    names = st.lists(st.text(max_size=20), min_size=len(scores), max_size=len(scores), unique=True)
    ids = data.draw(st.none() | names)
    items = Items(tuple(scores), None if ids is None else tuple(ids))
    text = items.pack()
    assert Items.unpack(text) == items
    assert text.isascii() and text.isprintable()
    assert items.mean == pytest.approx(sum(scores) / len(scores), abs=1e-9 * max(map(abs, scores)))


def test_right_and_wrong_answers_take_a_bit_each():
    items = Items(tuple(float(i % 7 == 0 or i % 11 == 3) for i in range(10_000)))
    assert len(items.pack()) < 10_000 / 8 * 4 / 3 + 100
    assert Items.unpack(items.pack()) == items


def test_as_many_scores_as_are_allowed_fit():
    values = [math.sin(i * i) for i in range(MOST_ITEMS)]
    assert len(Items(tuple(values)).pack()) <= LONGEST_PACKED
    with pytest.raises(ItemsError, match="100,001"):
        Items((*values, 0.0))


@given(
    text=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: "items1:" + base64.b64encode(b).decode())
)
def test_text_that_is_none_of_ours_is_refused(text):
    with pytest.raises(ItemsError):
        Items.unpack(text)


@given(place=st.integers(0, 10_000), char=st.sampled_from("Az09+/=é\x00"), cut=st.booleans())
def test_damaged_text_is_refused_or_says_the_same(place, char, cut):
    items = Items((0.5, 0.25, 1.5), ("a", "b", "c"))
    text = items.pack()
    place %= len(text)
    damaged = text[:place] if cut else text[:place] + char + text[place + 1 :]
    try:
        found = Items.unpack(damaged)
    except ItemsError:
        return
    assert found == items


def packed(head: object, data: bytes) -> str:
    raw = (head if isinstance(head, bytes) else json.dumps(head).encode()) + b"\n" + data
    return "items1:" + base64.b64encode(zlib.compress(raw)).decode()


@pytest.mark.parametrize(
    "text",
    [
        packed({"n": 2, "type": "d", "ids": None}, bytes(8)),
        packed({"n": 0, "type": "bits", "ids": None}, b""),
        packed({"n": 10**9, "type": "bits", "ids": None}, bytes(8)),
        packed({"n": True, "type": "bits", "ids": None}, bytes(1)),
        packed({"n": 2, "type": "bits", "ids": ["a", "a"]}, bytes(1)),
        packed({"n": 2, "type": "bits", "ids": ["a", 3]}, bytes(1)),
        packed({"n": 1, "type": "d", "ids": None}, b"\x00\x00\x00\x00\x00\x00\xf0\x7f"),
        packed({"n": 1, "type": "u", "ids": None}, b"\x00\x00\x00\x00"),
        packed({"n": 1, "type": [], "ids": None}, bytes(1)),
        packed(b"[" * 100_000, b""),
        packed(b"[]", b""),
        packed({"n": 1, "type": "bits", "ids": None}, bytes(1 << 30 >> 4)),
        packed({"n": 1, "type": "bits", "ids": None}, bytes(1))[:-4],
        "items1:" + "A" * LONGEST_PACKED,
    ],
    ids=range(14),
)
def test_lies_and_bombs_in_packed_text_are_refused(text):
    with pytest.raises(ItemsError):
        Items.unpack(text)


@pytest.mark.parametrize(
    ("scores", "ids"),
    [
        ((), None),
        ((math.nan,), None),
        ((math.inf, 1), None),
        ((1e200,), None),
        ((1, 2), ("a",)),
        ((1,), ("a" * 201,)),
    ],
    ids=["none", "nan", "infinite", "huge", "ids missing", "long id"],
)
def test_scores_that_cannot_be_kept_are_refused(scores, ids):
    with pytest.raises(ItemsError):
        Items(scores, ids)


def test_a_trial_keeps_the_items_of_its_metrics_up_to_a_bound():
    text = Items((1.0, 0.0)).pack()
    many = {f"m{i}": text for i in range(20)}
    assert list(bounded_items(many | {"x": text}, ["x", *many])) == ["x", *list(many)[: MOST_METRICS - 1]]
    assert bounded_items({"a": "no items", "b": "items1:" + "A" * LONGEST_PACKED, "c": text}, "abcd") == {
        "c": text
    }
