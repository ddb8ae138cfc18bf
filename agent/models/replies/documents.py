"""Configurations out of objects: strictly as JSON, tolerantly from what `objects.py` finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tunesmith.agent.models.parsing import STRICT_JSON
from tunesmith.agent.models.replies.objects import Listing, Node, Object, Word, objects
from tunesmith.agent.models.replies.outcome import Parsed, Refused
from tunesmith.agent.models.replies.pairs import Draft, Pair, active, names
from tunesmith.agent.models.replies.values import Reading, readers
from tunesmith.errors import short
from tunesmith.space import Int, Space
from tunesmith.space.choices import Listed
from tunesmith.space.nesting import flat_values
from tunesmith.space.parameter import Parameter
from tunesmith.space.values import is_number
from tunesmith.trial import Value

_NOTHING = ("null", "none", "n/a", "")
_NAME_KEYS, _VALUE_KEYS = ("name", "parameter", "hyperparameter", "param", "key"), ("value", "val")


def strict_documents(text: str, space: Space) -> list[Parsed] | None:
    """The text as one JSON object, or a list of them, of exactly the active parameters; None if it is not."""
    if text.strip()[:1] not in ("{", "["):
        return None
    try:
        document = json.loads(text, **STRICT_JSON)
    except (ValueError, RecursionError):
        return None
    listed = document if isinstance(document, list) else [document]
    found = [_strict(item, space) for item in listed]
    parsed = [outcome for outcome in found if outcome is not None]
    return parsed if parsed and len(parsed) == len(found) else None


def _strict(item: Any, space: Space) -> Parsed | None:
    if isinstance(item, dict):
        item = dict(flat_values(item, space.names))
    if not isinstance(item, dict) or not item.keys() <= set(space.names):
        return None
    present = space.without_nulls(item)
    if not all(_of_type(space.parameters[name], value) for name, value in present.items()):
        return None
    applies: dict[str, Value] = {}
    for name in space.order:
        if active(name, applies, space):
            if name not in present:
                return None
            applies[name] = _typed(space.parameters[name], present[name])
    if present.keys() != applies.keys():
        return None
    return Parsed({name: applies[name] for name in space.names if name in applies}, "strict")


def _of_type(parameter: Parameter, value: object) -> bool:
    if isinstance(parameter, Listed):
        numbers = any(map(is_number, parameter.listed))
        return parameter.check("", value) is None or (is_number(value) and numbers)
    return is_number(value) and (isinstance(value, int) or not isinstance(parameter, Int))


def _typed(parameter: Parameter, value: Any) -> Value:
    if isinstance(parameter, Listed):
        return value if parameter.check("", value) else parameter.canonical(value)
    return int(value) if isinstance(parameter, Int) else float(value)


class Answers:
    """The objects of a text that give values to parameters.

    Attributes:
        outcomes: One for each, in order.
        rest: The text with those objects blanked out, so that no reader of prose looks into them.
    """

    def __init__(self, text: str, space: Space, finished: bool | None) -> None:
        self._space, self._finished = space, finished
        self._names, self._readers = names(space), readers(space)
        self._groups = {name[:i] for name in space.names for i, c in enumerate(name) if c == "."}
        self._groups -= set(space.names)
        self.outcomes: list[Parsed | Refused] = []
        pieces: list[str] = []
        position = 0
        for found in objects(text):
            answers = list(self._answers(self._flat(found.node)))
            if answers:
                self.outcomes += [self._outcome(answer) for answer in answers]
                pieces += [text[position : found.start], "\n"]
                position = found.stop
        self.rest = "".join(pieces) + text[position:]

    def _answers(self, node: Node) -> Iterator[Object]:
        """Objects with a parameter's name among their keys, the outermost ones."""
        if isinstance(node, Object):
            if any(self._names.key(key) for key, _ in node.pairs):
                yield node
            else:
                for _, value in node.pairs:
                    yield from self._answers(value)
        elif isinstance(node, Listing):
            pairs = [self._named_pair(item) for item in node.items]
            if any(pairs):
                yield Object([pair for pair in pairs if pair is not None], broken=node.broken)
            else:
                for item in node.items:
                    yield from self._answers(item)

    def _flat(self, node: Node, prefix: str = "") -> Node:
        """An object with the pairs of its groups of parameters, by dotted names: `optimizer: {lr: 0.1}`."""
        if isinstance(node, Listing):
            return Listing([self._flat(item) for item in node.items], node.broken)
        if not isinstance(node, Object) or not self._groups:
            return node
        flat = Object([], node.broken, node.cut)
        for key, value in node.pairs:
            full = f"{prefix}{key}"
            if isinstance(value, Object) and full in self._groups:
                inner = self._flat(value, f"{full}.")
                assert isinstance(inner, Object)
                flat.pairs += inner.pairs
            else:
                flat.pairs.append((full, value if prefix else self._flat(value)))
        return flat

    def _named_pair(self, node: Node) -> tuple[str, Node] | None:
        """`{"name": "lr", "value": 0.1}` as lr and 0.1."""
        if not isinstance(node, Object) or node.broken or any(self._names.key(key) for key, _ in node.pairs):
            return None
        by_key = {key.casefold(): value for key, value in node.pairs}
        name = next((by_key[key] for key in _NAME_KEYS if key in by_key), None)
        value = next((by_key[key] for key in _VALUE_KEYS if key in by_key), None)
        if not isinstance(name, Word) or value is None or self._names.key(name.text) is None:
            return None
        return name.text, value

    def _outcome(self, answer: Object) -> Parsed | Refused:
        draft = Draft()
        other_spelling = False
        for key, node in answer.pairs:
            name = self._names.key(key)
            if name is None:
                continue
            other_spelling |= name != key
            reading = self._reading(name, node)
            if reading is None:
                continue
            old = draft.pairs.get(name)
            if old is not None and (old.reading.fault or reading.fault or old.reading.value != reading.value):
                fault = Refused("ambiguous", f"{short(name)} is given twice, with different values")
                reading = Reading(None, 0, fault=fault)
            draft.pairs[name] = Pair(name, reading, 0, 0, False)
        refused, lacking, problems = draft.faults(self._space)
        if refused is not None:
            return refused
        if answer.broken and not answer.cut:
            return Refused("garbage", f"an object holds something that is no `name: value`; {problems}")
        touches = any(pair.reading.touches for pair in draft.pairs.values())
        if (answer.cut and lacking) or (touches and self._finished is not True):
            ended = "the text ends within an object"
            return Refused("truncated", f"{ended}; {problems}" if problems else ended)
        if lacking:
            return Refused("missing", problems)
        values = draft.values()
        applies = {name: values[name] for name in self._space.names if name in values}
        idle = [name for name in applies if not active(name, values, self._space)]
        changes = [change for pair in draft.pairs.values() for change in pair.reading.changes]
        changes += ["names in another spelling"] if other_spelling else []
        changes += [f"left out, as inactive: {', '.join(map(short, idle))}"] if idle else []
        kept = {name: value for name, value in applies.items() if name not in idle}
        return Parsed(kept, "tolerant", tuple(dict.fromkeys(["an object", *changes])))

    def _reading(self, name: str, node: Node) -> Reading | None:
        """What an object's value says; None for a null where the parameter may not apply."""
        parameter = self._space.parameters[name]
        meant = None
        if not isinstance(node, Word) and isinstance(parameter, Listed) and not node.broken:
            meant = parameter.meant_by(_written(node))  # a list or mapping that is itself a choice
        if meant is not None:
            return Reading(meant, 0)
        if isinstance(node, Object):
            node = next((value for key, value in node.pairs if key.casefold() in _VALUE_KEYS), node)
        elif isinstance(node, Listing) and len(node.items) == 1 and not node.broken:
            node = node.items[0]
        if not isinstance(node, Word):
            return Reading(None, 0, fault=Refused("ambiguous", f"{short(name)} is not one value"))
        reading = self._readers[name].word(node.text, quoted=node.quoted)
        if reading.value is None and node.text.casefold() in _NOTHING:
            if self._space.conditions.get(name):
                return None
            detail = f"{short(name)}: {short(node.text)} is no value"
            return Reading(None, 0, fault=Refused("not_a_number", detail))
        return Reading(
            reading.value, reading.end, node.touches, reading.fault, reading.plain, reading.changes
        )


def _written(node: Node) -> str:
    """An object or list as one text, as the labels of choices have it."""
    if isinstance(node, Object):
        return ", ".join(f"{key}: {_written(value)}" for key, value in node.pairs)
    if isinstance(node, Listing):
        return ", ".join(map(_written, node.items))
    return node.text
