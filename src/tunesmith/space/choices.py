"""Parameters with listed values: Categorical (no order), Ordinal (ordered), Bool."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import Problem, SpaceError, short
from tunesmith.plain_data import to_json
from tunesmith.space.labels import LONGEST_LABEL, is_plain, key_of, label_of, labelled, reading_key
from tunesmith.space.parameter import Parameter, When
from tunesmith.space.scales import Array
from tunesmith.space.values import is_finite, is_number, number_in, same, show
from tunesmith.trial import Value

MOST_CHOICES = 1000


class Listed(Parameter):
    """What the listed kinds share."""

    _values: tuple[Value, ...]
    _given: tuple[Any, ...] = ()
    _named: tuple[Any, ...] = ()
    left_out: tuple[str, ...] = ()
    """A clause for every choice that was given and equals an earlier one, such as `True equals 1`."""

    @property
    @abstractmethod
    def listed(self) -> tuple[Value, ...]:
        """The values in order, as the search has them: labels for choices that are no plain value."""

    @property
    def originals(self) -> tuple[Any, ...]:
        """The same as training code receives them, None and lists among them."""
        return self.listed

    def stand_for(self, originals: Sequence[Any]) -> None:
        """Say what the choices are other names of, in order; for reading answers that give those."""
        object.__setattr__(self, "_named", tuple(originals))

    @property
    def meanings(self) -> tuple[Any, ...]:
        """What each choice stands for: `originals`, unless `stand_for` said otherwise."""
        return self._named or self.originals

    @property
    def given(self) -> tuple[Any, ...]:
        """The originals with those that are left out, as far as known: what another program suggests from."""
        return self._given or self.originals

    def stored(self, value: Any) -> Value | None:
        # None and text as they are, which Optuna knows; lists as labels.
        index = self.index_of(value)
        original: Value | None = self.originals[index]
        return original if original is None or is_plain(original) else self.listed[index]

    def __hash__(self) -> int:
        return hash((type(self), self.listed))  # a choice itself may be a list

    @property
    def size(self) -> int:
        return len(self.listed)

    @cached_property
    def numeric(self) -> bool:
        return all(is_number(value) for value in self.listed)

    def original(self, value: Any) -> Any:
        return self.originals[self.index_of(value)]

    def check(self, name: str, value: object) -> Problem | None:
        if self._index(value) is not None:
            return None
        if isinstance(value, float) and not is_finite(value):
            kind = "not_finite"
        else:
            kinds = {_kind(choice) for choice in self.listed}
            kind = "out_of_range" if _kind(value) in kinds else "wrong_type"
        return Problem(kind, name, value, self.describe(), self.nearest(value))

    def nearest(self, value: object) -> Value | None:
        """The value that a text or number stands for, or the closest; None where that would be a guess."""
        texts = {str(choice).casefold(): choice for choice in self.listed}
        text = str(value).strip().casefold() if isinstance(value, str | bool) else None
        if isinstance(value, str) and value.strip()[1:-1] in self._mistakable:
            return value.strip()[1:-1]
        if text in texts:
            return texts[text]
        if (meant := self.meant_by(value)) is not None:
            return meant
        number = number_in(value)
        numbers = [choice for choice in self.listed if is_number(choice)]
        if number is not None and numbers:
            # The smaller one in a tie, whatever the order of the list.
            return min(numbers, key=lambda choice: (abs(float(choice) - number), float(choice)))
        if isinstance(value, str) and len(value) <= 200:
            close = difflib.get_close_matches(str(text), list(texts), n=1, cutoff=0.6)
            return texts[close[0]] if close else None
        return None

    def canonical(self, value: Any) -> Value:
        return self.listed[self.index_of(value)]

    def index_of(self, value: Any) -> int:
        index = self._index(value)
        if index is None:
            raise ValueError(f"{short(value)} is not {self.describe()}")
        return index

    def _index(self, value: Any) -> int | None:
        index = self._find(value)
        if index is None and self._labelled and (meant := self.meant_by(value)) is not None:
            return self.listed.index(meant)
        return self._equal(value) if index is None else index

    def _find(self, value: Any) -> int | None:
        """Index of a choice given as it is, as its label, or as JSON has it (a tuple as a list), or None."""
        if not self._labelled:
            return next((i for i, choice in enumerate(self.listed) if same(value, choice)), None)
        for choices in (self.originals, self.listed):
            for i, choice in enumerate(choices):
                if is_plain(choice) and same(value, choice):
                    return i
        for sequences in (True, False):
            try:
                key = key_of(value, sequences=sequences)
                found = [i for i, c in self._labelled if key_of(c, sequences=sequences) == key]
            except (TypeError, RecursionError):  # not hashable, so no choice
                return None
            if found:
                return found[0] if len(found) == 1 and not isinstance(value, bool) else None
        return None

    def _equal(self, value: Any) -> int | None:
        """Index of the choice that stands for an equal one: of 1 for True, where both were given."""
        if not self.left_out or not isinstance(value, bool | int | float):
            return None
        key = key_of(value)
        return next((i for i, choice in enumerate(self.originals) if key_of(choice) == key), None)

    @cached_property
    def _labelled(self) -> tuple[tuple[int, Any], ...]:
        """Index and choice of those that go by a label."""
        pairs = zip(self.originals, self.listed, strict=True)
        return tuple(
            (i, choice)
            for i, (choice, label) in enumerate(pairs)
            if type(choice) is not type(label) or choice != label
        )

    def meant_by(self, value: object) -> Value | None:
        """The labelled choice that an answer means, whatever its brackets and blanks, or None."""
        labelled = self._labelled or self._named
        if not labelled or not isinstance(value, str | list | tuple | dict):
            return None
        if not isinstance(value, str):
            value = label_of(value)
        if len(value) > 2 * LONGEST_LABEL or not (wanted := reading_key(value)):
            return None
        pairs = [(m, label) for m, label in zip(self.meanings, self.listed, strict=True) if not is_plain(m)]
        meant = [label for _, label in pairs if reading_key(str(label)) == wanted]
        meant = meant or [label for m, label in pairs if reading_key(label_of(m)) == wanted]
        meant = meant or [label for m, label in pairs if m is None and wanted in ("none", "null", "nil")]
        return meant[0] if len(meant) == 1 else None

    def value_at(self, index: int) -> Value:
        return self.listed[index]

    def numbers(self, u: Array) -> Array:
        return self.number_table[self.indices(u)]

    @cached_property
    def number_table(self) -> Array:
        """The listed values as floats; numeric lists only."""
        return np.array([float(value) for value in self.listed])

    def token(self, value: Any) -> str:
        # By value, not by index, so that adding a choice leaves the digests of old configurations alone.
        index = self.index_of(value)
        choice = self.originals[index]
        if not isinstance(choice, str) and not is_plain(choice):
            return f"labelled:{self.listed[index]}"
        return f"{_kind(choice)}:{choice!r}"

    def format(self, value: Any) -> str:
        value = value if is_plain(value) else self.canonical(value)
        return repr(value) if isinstance(value, str) and value in self._mistakable else show(value)

    @cached_property
    def _mistakable(self) -> frozenset[str]:
        """Texts that look like another choice, such as '1' beside 1; they are shown in quotes."""
        others = {show(choice) for choice in self.listed if not isinstance(choice, str)}
        return frozenset(choice for choice in self.listed if isinstance(choice, str) and choice in others)

    def describe(self) -> str:
        if len(self.listed) == 1:
            return f"always {show(self.listed[0])}"
        return "one of " + ", ".join(map(self.format, self.listed))


@dataclass(frozen=True)
class Categorical(Listed):
    """One of several values without an order. One-hot in the unit cube.

    Args:
        choices: 1 to 1000 texts, numbers, bools, None, or lists, tuples and mappings of these. What equals
            an earlier choice by `==` is left out (1, 1.0 and True are one choice); `left_out` says which.
    """

    choices: Sequence[Any]
    when: When | None = None
    type_name: ClassVar[str] = "categorical"
    one_hot: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _settle(self, "choices", self.choices)

    __hash__ = Listed.__hash__

    @property
    def listed(self) -> tuple[Value, ...]:
        return self._values

    @property
    def originals(self) -> tuple[Any, ...]:
        return tuple(self.choices)

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name, **_as_data("choices", self.choices)}


@dataclass(frozen=True)
class Ordinal(Listed):
    """One of several values in a meaningful order, such as 16, 32, 64 or small, medium, large.

    Neighbours are equally far from one another in the unit cube.
    """

    values: Sequence[Any]
    when: When | None = None
    type_name: ClassVar[str] = "ordinal"

    def __post_init__(self) -> None:
        _settle(self, "values", self.values)

    __hash__ = Listed.__hash__

    @property
    def listed(self) -> tuple[Value, ...]:
        return self._values

    @property
    def originals(self) -> tuple[Any, ...]:
        return tuple(self.values)

    def describe(self) -> str:
        return super().describe() + (" (in this order)" if len(self.listed) > 2 else "")

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name, **_as_data("values", self.values)}


@dataclass(frozen=True)
class Bool(Listed):
    """True or False."""

    when: When | None = field(default=None)
    type_name: ClassVar[str] = "bool"

    @property
    def listed(self) -> tuple[Value, ...]:
        return (False, True)

    def nearest(self, value: object) -> Value | None:
        words = {"yes": True, "on": True, "1": True, "no": False, "off": False, "0": False}
        if is_number(value) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().casefold() in words:
            return words[value.strip().casefold()]
        return super().nearest(value)

    def describe(self) -> str:
        return "true or false"

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type_name}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if is_number(value) else type(value).__name__


def _settle(parameter: Listed, key: str, values: object) -> None:
    """Put a parameter's distinct choices in place, or SpaceError."""
    kind = type(parameter).__name__
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise SpaceError(f"{kind} needs a list as `{key}`, got {short(values)}", key=(key,))
    if not 1 <= len(values) <= MOST_CHOICES:
        raise SpaceError(f"{kind} needs 1 to {MOST_CHOICES} {key}, got {len(values)}", key=(key,))
    try:
        found = labelled(list(values))
    except SpaceError as error:
        raise SpaceError(f"{kind} {key}: {error}", key=(key,)) from None
    object.__setattr__(parameter, key, found.originals)
    object.__setattr__(parameter, "_values", found.values)
    object.__setattr__(parameter, "left_out", found.left_out)
    if found.left_out:
        object.__setattr__(parameter, "_given", tuple(values))


def _as_data(key: str, choices: Sequence[Any]) -> dict[str, Any]:
    """The choices as JSON and YAML can hold them."""
    data, types = to_json(list(choices))
    return {key: data, "types": types} if types else {key: data}
