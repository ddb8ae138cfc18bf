"""Items, and which of them a search may see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import PipelineError
from tunesmith.tools.pipelines.items import check_leak, load_items, split_items


def write(folder: Path, *values: Any) -> str:
    (folder / "items.jsonl").write_text("\n".join(json.dumps(value) for value in values) + "\n")
    return "items.jsonl"


def load(folder: Path, *values: Any) -> list[Any]:
    return load_items(write(folder, *values), folder)


def test_items_have_ids_inputs_and_an_order_that_the_file_does_not_decide(tmp_path: Path):
    items = load(
        tmp_path, {"id": 7, "input": "a", "answer": 1}, "plain text", {"question": "b"}, "plain text"
    )
    assert [item.id for item in items][0] == "7" and len({item.id for item in items}) == 4
    assert [item.input for item in items] == ["a", "plain text", {"question": "b"}, "plain text"]
    backwards = load(
        tmp_path, {"question": "b"}, "plain text", {"input": "a", "answer": 1, "id": 7}, "plain text"
    )
    order = [item.digest for item in split_items(items, search=4).search]
    assert order == [item.digest for item in split_items(backwards, search=4).search]
    assert order != [item.digest for item in split_items(items, search=4, seed=3).search]


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=40),
    st.none() | st.integers(1, 30),
    st.none() | st.integers(1, 30),
    st.integers(0, 5),
)
def test_the_parts_share_no_item_however_often_one_is_there(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[int],
    search: int | None,
    confirm: int | None,
    seed: int,
):
    items = load(tmp_path_factory.getbasetemp(), *({"id": i, "n": n} for i, n in enumerate(values)))
    try:
        split = split_items(items, search=search, confirm=confirm, seed=seed)
    except PipelineError as error:
        assert str(len(values)) in str(error)
        return
    check_leak(split)
    assert len({item.id for item in [*split.search, *split.confirm]}) == len(split.search) + len(
        split.confirm
    )
    assert search is None or len(split.search) == search
    assert confirm is None or len(split.confirm) == confirm
    assert split.search


def test_what_an_item_says_of_its_part_is_kept(tmp_path: Path):
    items = load(tmp_path, *({"n": i, "split": "test" if i < 4 else "train"} for i in range(10)), {"n": 11})
    split = split_items(items)
    assert sorted(item.value["n"] for item in split.confirm) == [0, 1, 2, 3] and len(split.search) == 7
    with pytest.raises(PipelineError, match=r"items.jsonl:1 and items.jsonl:2 are the same item and say"):
        split_items(load(tmp_path, {"n": 1, "split": "search"}, {"n": 1, "split": "confirm"}))


def test_without_a_stated_split_items_that_are_there_often_stay_together(tmp_path: Path):
    often = load(tmp_path, *({"id": i, "n": i % 5} for i in range(30)))
    split = split_items(often)
    assert len(split.confirm) == 6 and len(split.search) == 24
    alike = split_items(load(tmp_path, *({"id": i, "n": 1} for i in range(9))))
    assert len(alike.search) == 9 and not alike.confirm
    with pytest.raises(PipelineError, match="of 30 items 24 can be searched with and 6 confirmed with"):
        split_items(often, search=20, confirm=10)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path):
    (tmp_path / "items.jsonl").write_bytes(b'\xef\xbb\xbf{"id": "a"}\r\n{"id": "b"}\r\n')
    assert [item.id for item in load_items("items.jsonl", tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "items.jsonl: there are no items"),
        ('{"a": 1}\n{"a": ', "items.jsonl:2: the line is not JSON"),
        ('{"a": NaN}', "items.jsonl:1: the item is not JSON: .*NaN"),
        ("[" * 100_000, "items.jsonl:1: the line is not JSON .nests too deeply"),
        ("[" * 900 + "]" * 900, "items.jsonl:1: the item nests too deeply|^$"),
        ('{"id": 1}\n{"id": "1"}', "items.jsonl:2: the id '1' is that of items.jsonl:1 too"),
        ('{"id": [1]}', r"items.jsonl:1: id is \[1\]; it must be a text or a whole number"),
        ('{"id": "%s"}' % ("x" * 300), "items.jsonl:1: the id has more than 200 characters"),
        ('[{"id": 1}, {"id": 2}]', "items.jsonl:1: the file is one JSON list, and items are lines"),
        ('[\n {"id": 1}\n]', "items.jsonl:1: the file is one JSON list, and items are lines"),
        ('{"split": "dev"}', "items.jsonl:1: split is 'dev'; it can be search, train"),
        ('"%s"' % ("x" * (1 << 21)), "items.jsonl:1: the item has 2,097,154 characters as JSON; at most"),
    ],
)  # fmt: skip
def test_what_is_no_item_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    (tmp_path / "items.jsonl").write_text(text)
    try:
        load_items("items.jsonl", tmp_path)
    except PipelineError as error:
        assert re.search(message, str(error)), error
    else:
        assert message.endswith("|^$")
    with pytest.raises(
        PipelineError, match=r"nothere.jsonl: the items cannot be read: No such file or directory$"
    ):
        load_items("nothere.jsonl", tmp_path)
