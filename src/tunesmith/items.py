"""Scores per item behind a metric, such as 1 or 0 for each sample of a validation set, packed as short text.

Two configurations that were judged on the same items can be compared item by item, which tells smaller
differences apart than their two means do (`tools/analysis/paired.py`). A trial keeps them packed:

    items1:<base64 of zlib of: a JSON line {"n": 500, "type": "bits", "ids": null}, then the scores>

Scores are bits where all are 0 or 1, else 32-bit floats where those hold them exactly, else 64-bit ones,
little-endian. Workers import this file in whatever Python trains: standard library only.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import ItemsError

MOST_ITEMS = 100_000
"""Items behind one metric."""
LARGEST_SCORE = 1e150
"""Size of a score; its square is a float then."""
LONGEST_ID = 200
"""Characters of an item's id."""
LONGEST_PACKED = 3 << 19
"""Characters of the text of one metric's items; 100,000 64-bit scores without ids fit."""
LARGEST_INFLATED = 16 << 20
"""Bytes that packed text may hold; more is no text of ours."""
MOST_METRICS = 8
"""Metrics of one trial that have items."""
_PREFIX = "items1:"
_SIZES = {"f": 4, "d": 8}


@dataclass(frozen=True)
class Items:
    """The scores of one trial, one for each item.

    Raises:
        ItemsError: There is none, there are too many, a score is not finite or absurdly large, or ids are not
            one for each.
    """

    scores: tuple[float, ...]
    """Finite, in the order of the items."""
    ids: tuple[str, ...] | None = None
    """Names of the items, each once; None: an item is known by its place."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.scores) <= MOST_ITEMS:
            raise ItemsError(f"there are {len(self.scores):,} item scores; there can be 1 to {MOST_ITEMS:,}")
        # `+ 0.0` makes -0.0 a plain 0.
        object.__setattr__(self, "scores", tuple(float(score) + 0.0 for score in self.scores))
        for place, score in enumerate(self.scores):
            if not abs(score) <= LARGEST_SCORE:
                raise ItemsError(f"the score of item {place} (from 0) is {score}; it must be a finite number")
        if self.ids is None:
            return
        if len(set(self.ids)) != len(self.scores) or len(self.ids) != len(self.scores):
            raise ItemsError(
                f"there are {len(self.scores):,} item scores and {len(set(self.ids)):,} different ids"
            )
        if max(map(len, self.ids)) > LONGEST_ID:
            raise ItemsError(f"an item's id has more than {LONGEST_ID} characters")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def mean(self) -> float:
        """In metric units."""
        return math.fsum(self.scores) / len(self.scores)

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return all(score in (0.0, 1.0) for score in self.scores)

    def pack(self) -> str:
        """As text, which `unpack` reads back exactly.

        Raises:
            ItemsError: It would be too long.
        """
        if self.binary:
            kind, data = "bits", _bits(self.scores)
        else:
            kind = "f" if _fits_float32(self.scores) else "d"
            data = _swapped(array(kind, self.scores)).tobytes()
        head = json.dumps({"n": len(self.scores), "type": kind, "ids": self.ids}).encode()
        whole = head + b"\n" + data
        text = _PREFIX + base64.b64encode(zlib.compress(whole, 9)).decode()
        if len(text) > LONGEST_PACKED or len(whole) > LARGEST_INFLATED:
            raise ItemsError(f"item scores and ids take {len(text):,} characters, over {LONGEST_PACKED:,}")
        return text

    @classmethod
    def unpack(cls, text: str) -> Items:
        """What `pack` made, from text that anybody may have written: bounded in time and memory.

        Raises:
            ItemsError: It is damaged, or holds too much.
        """
        if not text.startswith(_PREFIX) or len(text) > LONGEST_PACKED:
            raise ItemsError("packed item scores do not begin as they should, or are too long")
        try:
            return cls._read(_inflated(base64.b64decode(text[len(_PREFIX) :], validate=True)))
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, zlib.error) as error:
            raise ItemsError(f"packed item scores are damaged ({type(error).__name__})") from error

    @classmethod
    def _read(cls, whole: bytes) -> Items:
        head, _, data = whole.partition(b"\n")
        stated = json.loads(head)
        count, kind, ids = stated["n"], stated["type"], stated["ids"]
        if type(count) is not int or not 1 <= count <= MOST_ITEMS:
            raise ValueError("no number of items")
        if ids is not None and not (isinstance(ids, list) and all(isinstance(name, str) for name in ids)):
            raise ValueError("ids that are no texts")
        if kind == "bits":
            scores: Iterable[float] = _from_bits(data, count)
        else:
            numbers = array(kind)
            if len(data) != count * _SIZES[kind]:
                raise ValueError("not as many scores as it says")
            numbers.frombytes(data)
            scores = _swapped(numbers)
        return cls(tuple(scores), None if ids is None else tuple(ids))


def bounded_items(packed: Mapping[str, str], metrics: Iterable[str]) -> dict[str, str]:
    """What a trial may keep of packed items: those of its metrics, as many and as long as are allowed.

    The text is looked at when it is unpacked.
    """
    kept = [
        (name, packed[name])
        for name in metrics
        if name in packed and len(packed[name]) <= LONGEST_PACKED and packed[name].startswith(_PREFIX)
    ]
    return dict(kept[:MOST_METRICS])


def _bits(scores: tuple[float, ...]) -> bytes:
    """The first score in the highest bit of the first byte."""
    text = "".join("1" if score else "0" for score in scores)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[place : place + 8], 2) for place in range(0, len(text), 8))


def _from_bits(data: bytes, count: int) -> Iterable[float]:
    if len(data) != (count + 7) // 8:
        raise ValueError("not as many bits as it says")
    text = "".join(f"{byte:08b}" for byte in data)
    return (float(bit) for bit in text[:count])


def _fits_float32(scores: tuple[float, ...]) -> bool:
    return list(array("f", scores)) == list(scores)


def _swapped(numbers: array[Any]) -> array[Any]:
    """To and from little-endian."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _inflated(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    whole = reader.decompress(data, LARGEST_INFLATED + 1)
    if len(whole) > LARGEST_INFLATED or not reader.eof or reader.unused_data:
        raise ValueError("too much, or cut off")
    return whole
