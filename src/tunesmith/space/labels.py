"""Choices that are no plain value: which there may be, and the text that stands for each.

A search works with bools, numbers and short texts. None, a list, a tuple, a mapping, NaN, an integer beyond
64 bits and a text that fits no table are legal choices too: inside, and before people and models, each goes
by a label such as `none` or `[50, 100]`, distinct from every other choice; training code receives the choice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tunesmith.errors import SpaceError, short
from tunesmith.space.values import INT64, is_finite, is_number, legal_text, plain, show
from tunesmith.trial import Value

LONGEST_TEXT = 100_000
"""Characters of a choice."""
MOST_PARTS, DEEPEST = 1000, 8
"""Values in a list or mapping that is a choice, and how deep they may lie."""
LONGEST_LABEL = 80
_BARE = re.compile(r"[A-Za-z_][\w./+-]*")
_WORDS = {"none", "null", "true", "false", "nan", "inf", "yes", "no", "on", "off"}


class Labelled(NamedTuple):
    """Distinct choices: as training gets them, as the search has them, and what was left out."""

    originals: tuple[Any, ...]
    values: tuple[Value, ...]
    """Of the same length: the choice itself where it is plain, else its label."""
    left_out: tuple[str, ...]
    """A clause for every choice that equals an earlier one, such as `True equals 1`."""


def labelled(choices: Sequence[Any]) -> Labelled:
    """The distinct choices with their labels. Equal is what `==` says: 1, 1.0 and True are one choice.

    Raises:
        SpaceError: A choice that no record could hold, such as a function.
    """
    originals: dict[Any, Any] = {}
    left_out: list[str] = []
    for given in choices:
        choice = settled(given)
        key, known = key_of(choice), len(originals)
        earlier = originals.setdefault(key, choice)
        if len(originals) == known:
            left_out.append(f"{short(choice)} equals {short(earlier)}")
    kept = tuple(originals.values())
    return Labelled(kept, labels(kept), tuple(left_out))


def settled(value: Any, depth: int = 0) -> Any:
    """A choice in Python's own types, NumPy's replaced; SpaceError where it is of no legal kind."""
    value = value.tolist() if isinstance(value, np.ndarray) else plain(value)
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):  # a YAML reader may have subclasses of its own
            value = kind(value)
            if isinstance(value, str) and not _legal_as_choice(value):
                raise SpaceError(
                    f"a choice must be text of at most {LONGEST_TEXT} characters, got {short(value)}"
                )
            return value
    if isinstance(value, list | tuple | Mapping) and depth < DEEPEST:
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) and _legal_as_choice(key) for key in value):
                raise SpaceError(f"a mapping that is a choice must have texts as keys, got {short(value)}")
            found: Any = {str(key): settled(item, depth + 1) for key, item in value.items()}
        else:
            items = [settled(item, depth + 1) for item in value]
            found = tuple(items) if isinstance(value, tuple) else items
        if depth == 0 and parts(found) > MOST_PARTS:
            raise SpaceError(f"a choice must have at most {MOST_PARTS} parts, got {parts(found)}")
        return found
    raise SpaceError(
        "a choice must be null, true, false, a number, text, or a list or mapping of these, "
        f"got {short(value)}; give it a name, and look that up in the training code"
    )


def _legal_as_choice(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no file could hold it
        return False
    return len(text) <= LONGEST_TEXT


def parts(value: Any) -> int:
    """How many plain values there are in a value."""
    if isinstance(value, Mapping):
        return 1 + sum(map(parts, value.values()))
    return 1 + sum(map(parts, value)) if isinstance(value, list | tuple) else 1


def key_of(value: Any, *, sequences: bool = True) -> Any:
    """Something hashable that is equal exactly for choices that count as one.

    Args:
        sequences: Whether a list differs from a tuple of the same values; JSON has no tuples.
    """
    if isinstance(value, float) and math.isnan(value):
        return ("nan",)
    if isinstance(value, list | tuple):
        kind = type(value).__name__ if sequences else "list"
        return (kind, *(key_of(item, sequences=sequences) for item in value))
    if isinstance(value, Mapping):
        members = ((key, key_of(item, sequences=sequences)) for key, item in value.items())
        return ("mapping", frozenset(members))
    return (isinstance(value, str), value)


def is_plain(value: Any) -> bool:
    """Whether a choice is its own label."""
    if isinstance(value, str):
        return legal_text(value)
    if isinstance(value, int):
        return -INT64 <= value < INT64
    return is_number(value) and is_finite(value)


def labels(choices: Sequence[Any]) -> tuple[Value, ...]:
    """For each choice, itself where it is plain, else a label that is like nothing else in the list.

    Of objects of no kind known here too, for Optuna's choices, which may be anything.
    """
    plain_ones = list(map(is_plain, choices))
    taken = {show(choice).casefold() for choice, own in zip(choices, plain_ones, strict=True) if own}
    found: list[Value] = []
    for choice, own in zip(choices, plain_ones, strict=True):
        if own:
            found.append(choice)
            continue
        label = next(text for text in _candidates(choice) if text.casefold() not in taken)
        taken.add(label.casefold())
        found.append(label)
    return tuple(found)


def _candidates(choice: Any) -> Any:
    """Labels for a choice, the best first, without end."""
    text = label_of(choice)
    yield text
    if choice is None:
        yield "null"
    kind = "no value" if choice is None else "text" if isinstance(choice, str) else type(choice).__name__
    text = f"{text} ({kind})" if legal_text(kind, 40) else text
    yield text
    number = 2
    while True:
        yield f"{text} #{number}"
        number += 1


def label_of(value: Any) -> str:
    """One line of at most 80 printable characters for any value."""
    try:
        text = _text(value, 0) if parts(value) <= MOST_PARTS else short(value)
    except Exception:  # noqa: BLE001 - a foreign object's own repr may raise anything
        text = f"a {type(value).__name__}"
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_LABEL]).strip() or "a choice"
    return text if len(text) <= LONGEST_LABEL else f"{text[:50].rstrip()}...{text[-20:].lstrip()}"


def _text(value: Any, depth: int) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 1000 else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        return show(value)
    if isinstance(value, str):
        bare = depth and _BARE.fullmatch(value) and value.casefold() not in _WORDS
        return value if bare else repr(value if len(value) <= 200 else f"{value[:100]}...{value[-50:]}")
    if depth > DEEPEST:
        return "..."
    if isinstance(value, list | tuple):
        items = [_text(item, depth + 1) for item in value[:40]] + (["..."] if len(value) > 40 else [])
        if isinstance(value, tuple):
            return f"({', '.join(items)}{',' if len(value) == 1 else ''})"
        return f"[{', '.join(items)}]"
    if isinstance(value, Mapping):
        pairs = [f"{_text(k, depth + 1)}: {_text(v, depth + 1)}" for k, v in list(value.items())[:40]]
        return f"{{{', '.join(pairs + (['...'] if len(value) > 40 else []))}}}"
    name = getattr(value, "__qualname__", None)
    return name if isinstance(name, str) else short(value)


def reading_key(text: str) -> str:
    """What is left of a label or an answer when brackets, quotes, blanks and case are no matter.

    So that `50,100`, `[50,100]` and `"[50, 100]"` mean one choice.
    """
    return re.sub(r"""[\s"'`\[\](){}]|,(?=\s*[\])}]|\s*$)""", "", text).casefold()
