"""Items and outputs as JSON: one text for equal values, and clear faults for what is none. Python 3.9."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tunesmith.errors import PipelineError

LONGEST_OUTPUT = 1 << 20
"""Characters of one item or output as JSON."""


def plain(value: Any, what: str) -> tuple[Any, str]:
    """`value` as JSON's types, and its one text: sorted keys, no spaces.

    The value is read back from the text, so that a stage gets the same whether the stage before it was run or
    was looked up.

    Args:
        what: What it is, for the fault: `answer: the output for item 7`.
    Raises:
        PipelineError: It is no JSON, nests too deeply, has NaN or an infinite number, or is too long.
    """
    try:
        text = json.dumps(
            value,
            sort_keys=True,
            allow_nan=False,
            separators=(",", ":"),
            ensure_ascii=False,
            default=_numbers,
        )
        text.encode()  # lone surrogates are no text that can be stored
    except RecursionError:
        raise PipelineError(f"{what} nests too deeply, or contains itself") from None
    except (TypeError, ValueError) as error:
        said = "it has NaN or an infinite number" if "Out of range float" in str(error) else error
        raise PipelineError(f"{what} is not JSON: {said}") from None
    if len(text) > LONGEST_OUTPUT:
        raise PipelineError(
            f"{what} has {len(text):,} characters as JSON; at most {LONGEST_OUTPUT:,} are kept"
        )
    return json.loads(text), text


def digest_of(*texts: str) -> str:
    """32 hexadecimal digits for texts in order; different for different ones."""
    return hashlib.blake2b(json.dumps(texts).encode(), digest_size=16).hexdigest()


def seed_of(*parts: Any) -> int:
    """A seed in [0, 2**31) for whatever is named."""
    text = json.dumps(parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") >> 1


def _numbers(value: Any) -> Any:
    """NumPy's and PyTorch's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no type of JSON")
