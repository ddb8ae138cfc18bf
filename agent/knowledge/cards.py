"""Prior cards from `cards.yaml`, looked up by a hyperparameter's name, the task's words and its data card.

A card is a prior: the best `learning_rate` of a network under Adam lies about 10^-2.8, give or take half a
decade. How far it holds on the task at hand is measured while tuning (`methods/gp/posterior.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.resources import files
from math import log10
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ruamel.yaml import YAML

from tunesmith.space import Bool, Categorical, Float, Ordinal, Parameter, Space
from tunesmith.text.cleaning import clean

if TYPE_CHECKING:
    from tunesmith.data_card import DataCard

Transform = Literal["log10", "linear", "log10_one_minus"]
GENERAL = "general practice"
RAW, SCALED = "raw_features", "scaled_inside"
"""Contexts: features that are not standardised; training code that standardises them itself."""
SHARES = (0.25, 0.5, 0.9, 1.0)
"""Share of a card chosen by its context, by how many words speak for the context, names counted twice, less
those against it: none, one, two, more."""
LEAST_SHARE = 0.02
"""A smaller rest is left to no card."""
WORD_LIMIT = 30
"""A word for a context is shown up to this length."""


_WORD_END = re.compile(r"\w*")


@dataclass(frozen=True)
class Located:
    """A prior of a number: normal on the scale `transform`."""

    name: str
    """The card's canonical name."""
    context: tuple[str, ...]
    """Contexts that made this entry fit; empty for a general one."""
    transform: Transform
    mean: float
    sd: float
    source: str = GENERAL
    measured: bool = False
    """Whether figures of the data say where it is."""
    share: float = 1.0
    """Among the cards of one parameter, in (0, 1]; see `Knowledge.find_all`."""
    words: tuple[str, ...] = ()
    """The task's words that put it in its contexts, the most telling first."""


@dataclass(frozen=True)
class Categories:
    """A prior of categories: probabilities of some choices, the rest shared evenly by the others."""

    name: str
    context: tuple[str, ...]
    weights: tuple[tuple[str, float], ...]
    source: str = GENERAL
    share: float = 1.0
    words: tuple[str, ...] = ()
    """As of `Located`."""

    def probabilities(self, choices: tuple[object, ...]) -> list[float] | None:
        """One probability per choice, summing to 1; None when the card has none of the choices."""
        known = dict(self.weights)
        weights = [known.get(str(choice).lower()) for choice in choices]
        if all(weight is None for weight in weights):
            return None
        others = weights.count(None)
        rest = max(1.0 - sum(known.values()), 0.0)
        raw = [rest / others if weight is None else weight for weight in weights]
        total = sum(raw)
        return [weight / total for weight in raw]


Card = Located | Categories


@dataclass(frozen=True)
class _Entry:
    card: Card
    unless: tuple[str, ...]
    fraction: bool | None
    shift: str | None
    """The rule that moves the card's mean by figures of the data; without them the entry does not fit."""
    follows: str | None
    """A name whose range may end below its place; what is missing there moves this card's mean up."""


@dataclass(frozen=True)
class Knowledge:
    """All cards, by canonical name and alias."""

    contexts: dict[str, re.Pattern[str]]
    entries: dict[str, tuple[_Entry, ...]] = field(default_factory=dict)
    named: dict[str, re.Pattern[str]] = field(default_factory=dict)
    """Words of a context that name a model or an optimiser, and so count as two."""
    against: dict[str, re.Pattern[str]] = field(default_factory=dict)
    """Words that speak against a context."""

    def contexts_in(self, words: str) -> frozenset[str]:
        """The contexts that a task's words (any text about model and data) put it in.

        A script that scales its features itself trains on scaled ones, even where the file has raw ones.
        """
        matching = {name for name, pattern in self.contexts.items() if pattern.search(words)}
        return frozenset(matching - {RAW} if SCALED in matching else matching)

    def find(
        self,
        name: str,
        parameter: Parameter,
        words: str = "",
        data: DataCard | None = None,
        space: Mapping[str, Parameter] | None = None,
    ) -> Card | None:
        """The first fitting card for a parameter, or None; see `find_all`."""
        return next(self._fitting(name, parameter, words, data, space), None)

    def find_all(
        self,
        name: str,
        parameter: Parameter,
        words: str = "",
        data: DataCard | None = None,
        space: Mapping[str, Parameter] | None = None,
    ) -> tuple[Card, ...]:
        """All that the cards say of a parameter: rival cards with shares that sum to at most 1.

        One word of the text does not decide alone: a card that was chosen by its context has the share that
        SHARES gives for the number of independent words for that context, less those against it. The card
        of the next context that other words speak for gets its share of the rest, and the general card of
        the name, where there is one, what is left.

        Args:
            name: The parameter's name; `clf__C`, `optimizer.lr` and `Learning-Rate` are understood.
            words: Text about the model and the data. A parameter's own conditions count as such text: one
                that is active only when `optimizer` is `sgd` is about SGD, whatever else the text mentions.
            data: Figures of the training data, from which some cards take their place.
            space: All parameters by name, whose ranges may move a card.
        """
        left, used, cards = 1.0, set[str](), list[Card]()
        for card in self._fitting(name, parameter, words, data, space):
            found = self._words_for(card.context, words, parameter)
            if card.context and used.issuperset(found):
                continue  # the same words again, as of a card that differs in what it knows of the data
            share = self._share(card.context, found, words) if card.context else 1.0
            used.update(found)
            cards.append(replace(card, share=left * share, words=found))
            left *= 1 - share
            if left < LEAST_SHARE:
                break
        return tuple(cards)

    def _words_for(self, contexts: tuple[str, ...], words: str, parameter: Parameter) -> tuple[str, ...]:
        """The different words for these contexts, in the text or the parameter's condition; names first."""
        told = f"{words} {_condition(parameter)}"
        found: dict[str, tuple[bool, str]] = {}
        for context in contexts:
            for match in self.contexts[context].finditer(told):
                end = _WORD_END.match(told, match.end())
                whole = told[match.start() : match.end() if end is None else end.end()]
                # `fine-tune` and `fine-tuning` are one word.
                key = match.group().lower()
                found.setdefault(key, (not self._names(context, key), clean(whole, WORD_LIMIT).lower()))
        return tuple(word for _, word in sorted(found.values(), key=lambda pair: pair[0]))

    def _names(self, context: str, word: str) -> bool:
        return context in self.named and bool(self.named[context].search(word))

    def _share(self, contexts: tuple[str, ...], found: tuple[str, ...], words: str) -> float:
        count = sum(1 + any(self._names(context, word) for context in contexts) for word in found)
        for context in contexts:
            if context in self.against:
                count -= len({match.group().lower() for match in self.against[context].finditer(words)})
        return SHARES[min(max(count, 0), len(SHARES) - 1)]

    def _fitting(
        self,
        name: str,
        parameter: Parameter,
        words: str,
        data: DataCard | None,
        space: Mapping[str, Parameter] | None,
    ) -> Iterator[Card]:
        """The fitting cards in the order of the file: by context first, the general one last."""
        entries = self.entries.get(canonical(name), ())
        if not entries:
            return
        categorical = isinstance(parameter, Categorical | Bool)
        fraction = _is_fraction(parameter)
        here, conditions = self.contexts_in(words), self.contexts_in(_condition(parameter))
        for entry in entries:
            shift = None if entry.shift is None else SHIFTS[entry.shift](data)
            fits = (
                (entry.shift is None or shift is not None)
                and isinstance(entry.card, Categories) is categorical
                and entry.fraction in (None, fraction)
                and all(context in here or context in conditions for context in entry.card.context)
                and not any(context in (conditions or here) for context in entry.unless)
            )
            if not fits:
                continue
            card = entry.card
            if isinstance(card, Located):
                if shift is not None:
                    card = replace(card, mean=card.mean + shift, measured=True)
                if entry.follows is not None and space is not None:
                    card = replace(card, mean=card.mean + self._missing(entry.follows, words, data, space))
            yield card

    def _missing(self, name: str, words: str, data: DataCard | None, space: Mapping[str, Parameter]) -> float:
        """By how many decades the range of a parameter called `name` ends below its measured place."""
        for other, parameter in space.items():
            if canonical(other) == name and parameter.numeric:
                card = self.find(other, parameter, words, data)
                high = float(parameter.numbers(np.array([1.0]))[0])
                if isinstance(card, Located) and card.measured and high > 0:
                    return max(0.0, card.mean - log10(high))
        return 0.0


def _condition(parameter: Parameter) -> str:
    """The condition of a parameter as text, such as `optimizer sgd`."""
    return " ".join(f"{k} {v}" for k, v in (parameter.when or {}).items())


def canonical(name: str) -> str:
    """A parameter's name as the cards spell it: the last part of a path, lower case, `_` between words."""
    last = re.split(r"__|[./:]", name)[-1] or name
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")


def _kernel_width(data: DataCard | None) -> float | None:
    """log10 of 1 / (features * variance): scikit-learn's `gamma="scale"`."""
    if data is None or not data.numeric or not data.variance:
        return None
    return -log10(data.numeric * data.variance)


def _input_scale(data: DataCard | None) -> float | None:
    """-log10 of the inputs' root mean square where that is above 1: the first layer's gradient grows with it.

    Curvature grows with its square (LeCun et al., Efficient BackProp, 1998), but the other layers do not
    see the inputs, so the step is believed to shrink by the root only.
    """
    if data is None or data.mean_square is None:
        return None
    return -log10(max(data.mean_square, 1.0)) / 2


SHIFTS: dict[str, Callable[[DataCard | None], float | None]] = {
    "kernel_width": _kernel_width,
    "input_scale": _input_scale,
}
"""What an entry's `shift` may name: figures of the data, in decades; None where they are not known."""


def find_card(
    name: str,
    parameter: Parameter,
    words: str = "",
    data: DataCard | None = None,
    space: Mapping[str, Parameter] | None = None,
) -> Card | None:
    """The card for a parameter from the cards that ship with Tunesmith, or None; see `Knowledge.find`."""
    return load_knowledge().find(name, parameter, words, data, space)


def find_cards(
    name: str,
    parameter: Parameter,
    words: str = "",
    data: DataCard | None = None,
    space: Mapping[str, Parameter] | None = None,
) -> tuple[Card, ...]:
    """All cards for a parameter from those that ship with Tunesmith; see `Knowledge.find_all`."""
    return load_knowledge().find_all(name, parameter, words, data, space)


def cards_for(
    data: DataCard | None, space: Space | None = None
) -> Callable[[str, Parameter, str], tuple[Card, ...]]:
    """`find_cards` with the task's data card and space already given."""
    return partial(find_cards, data=data, space=None if space is None else space.parameters)


@cache
def load_knowledge() -> Knowledge:
    """The cards that ship with Tunesmith; read once."""
    text = files("tunesmith.agent.knowledge").joinpath("cards.yaml").read_text(encoding="utf-8")
    return read_knowledge(YAML(typ="safe", pure=True).load(text))


def read_knowledge(document: dict[str, Any]) -> Knowledge:
    """Cards from a parsed document; raises ValueError naming the card that is malformed."""
    contexts, named, against = (_patterns(document.get(key, {})) for key in ("contexts", "named", "against"))
    if unknown := (named.keys() | against.keys()) - contexts.keys():
        raise ValueError(f"named or against: unknown contexts {sorted(unknown)}")
    entries: dict[str, tuple[_Entry, ...]] = {}
    for card in document["cards"]:
        names = [str(name) for name in card["names"]]
        read = tuple(_read_entry(names[0], entry, contexts) for entry in card["entries"])
        for name in names:
            if name != canonical(name) or name in entries:
                raise ValueError(f"card {names[0]!r}: name {name!r} is not canonical or appears twice")
            entries[name] = read
    return Knowledge(contexts, entries, named, against)


def _patterns(written: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in written.items()}


def _read_entry(name: str, entry: dict[str, Any], contexts: dict[str, re.Pattern[str]]) -> _Entry:
    known = {"in", "unless", "fraction", "source", "scale", "mean", "sd", "weights", "shift", "follows"}
    context, unless = tuple(entry.get("in", ())), tuple(entry.get("unless", ()))
    unknown = (set(entry) - known) | {c for c in context + unless if c not in contexts}
    if unknown:
        raise ValueError(f"card {name!r}: unknown {sorted(unknown)}")
    shift = entry.get("shift")
    if shift is not None and (shift not in SHIFTS or entry.get("scale") != "log10"):
        raise ValueError(f"card {name!r}: shift {shift!r} needs scale log10 and is one of {sorted(SHIFTS)}")
    source = str(entry.get("source", GENERAL))
    card: Card
    if "weights" in entry:
        weights = tuple((str(choice).lower(), float(w)) for choice, w in entry["weights"].items())
        card = Categories(name, context, weights, source)
    else:
        if entry["scale"] not in ("log10", "linear", "log10_one_minus") or not float(entry["sd"]) > 0:
            raise ValueError(f"card {name!r}: a numeric entry needs a known scale and sd > 0: {entry}")
        card = Located(name, context, entry["scale"], float(entry["mean"]), float(entry["sd"]), source)
    return _Entry(card, unless, entry.get("fraction"), shift, entry.get("follows"))


def _is_fraction(parameter: Parameter) -> bool:
    """Whether a numeric parameter is a share of something: within [0, 1] and not whole numbers."""
    if isinstance(parameter, Ordinal):
        return parameter.numeric and 0 <= min(parameter.number_table) and max(parameter.number_table) <= 1
    return isinstance(parameter, Float) and 0 <= parameter.low and parameter.high <= 1
