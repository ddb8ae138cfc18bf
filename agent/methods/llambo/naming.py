"""Names and labels that are safe to print between delimiters, or that tell nothing at all.

A parameter may be called `## a: 1` and a choice `x, b: 2`: legal for a person, but in the line format of
the prompts they would read as something else. Such names get an alias; an answer is mapped back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tunesmith.space import Categorical, Ordinal, Space
from tunesmith.trial import Value

_UNSAFE = re.compile(r"[^\w.\-+/ ]+")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Renaming:
    """What prompts call the parameters and their choices.

    Attributes:
        names: Parameter -> name shown, all distinct.
        labels: Parameter -> choice -> label shown; only parameters with other labels than their choices.
    """

    names: Mapping[str, str]
    labels: Mapping[str, Mapping[Value, str]] = field(default_factory=dict)


def blind(space: Space) -> Renaming:
    """X1, X2, ... for the parameters; A, B, ... for the choices of categoricals and for words.

    Numbers of an ordinal stay, since their size is what orders them; true and false stay.
    """
    labels: dict[str, dict[Value, str]] = {}
    for name, parameter in space.parameters.items():
        worded = isinstance(parameter, Ordinal) and any(isinstance(v, str) for v in parameter.listed)
        if isinstance(parameter, Categorical) or worded:
            listed = parameter.listed  # type: ignore[attr-defined]
            labels[name] = {value: _letters(i) for i, value in enumerate(listed)}
    return Renaming({name: f"X{i}" for i, name in enumerate(space.names, 1)}, labels)


def safe(space: Space) -> Renaming:
    """Everything as it is, except what could not be told apart from the format around it."""
    labels: dict[str, dict[Value, str]] = {}
    for name, parameter in space.parameters.items():
        if isinstance(parameter, Categorical | Ordinal):
            words = [value for value in parameter.listed if isinstance(value, str)]
            aliases = _aliases(words, "choice")
            if any(word != alias for word, alias in aliases.items()):
                labels[name] = {word: aliases[word] for word in words}
    return Renaming(_aliases(space.names, "parameter"), labels)


def _aliases(given: Iterable[str], stem: str) -> dict[str, str]:
    """A distinct, safe text for each."""
    given = list(given)
    kept = {text for text in given if _plain(text) == text}
    found: dict[str, str] = {}
    for index, text in enumerate(given, 1):
        alias = text
        if text not in kept:
            alias = _plain(text) or f"{stem}_{index}"
            base, number = alias, index
            while alias in kept or alias in found.values():
                alias, number = f"{base}_{number}", number + 1
        found[text] = alias
    return found


def _plain(text: str) -> str:
    """`text` itself, or with every unsafe run as one `_`; empty where nothing that can be read is left."""
    plain = re.sub(r"[\s_]+", "_", _UNSAFE.sub("_", text)).strip("_") if _UNSAFE.search(text) else text
    return plain if any(c.isalnum() for c in plain) else ""


def _letters(index: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    text = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        text = _ALPHABET[digit] + text
    return text
