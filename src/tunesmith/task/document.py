"""A YAML file as plain data with the line of every key. Nothing in it can run, grow or hide.

The file is composed to nodes by ruamel.yaml (YAML 1.2: `1e-4` is a float, `yes` a string) and turned into
dicts, lists and scalars here: no tag builds an object, every key stands once, aliases cannot multiply
without bound, and numbers are finite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tunesmith.errors import TaskError, short
from tunesmith.task.fixes import near_path
from tunesmith.task.yaml_faults import explain, tight_colon, top_fault

LARGEST_FILE = 1 << 20
"""Bytes."""
MOST_NODES = 20_000
DEEPEST = 32
_TAG = "tag:yaml.org,2002:"


@dataclass
class Document:
    """What a file holds."""

    data: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    """1-based line of each key and list item, by its path from the top."""

    def line_of(self, key: tuple[str, ...]) -> int | None:
        """Line of a key, or of the nearest key above it that the file has.

        Args:
            key: Its path from the top; a name with dots in it may be in parts.
        """
        place: tuple[str, ...] = ()
        while key:
            names = (".".join(key[:parts]) for parts in range(1, len(key) + 1))
            name = next((name for name in names if (*place, name) in self.lines), None)
            if name is None:
                break
            place, key = (*place, name), key[name.count(".") + 1 :]
        return self.lines.get(place)


def read_document(path: Path) -> Document:
    """Read a YAML file whose top is a mapping.

    Raises:
        TaskError: It cannot be read, is not YAML, or holds something other than plain data.
    """
    return parse_document(_text(path), path)


def parse_document(text: str, path: Path | None = None) -> Document:
    """The same for text; `path` is only named in errors."""
    try:
        if not _fits(text):
            raise TaskError("holds too much, or nests too deeply.", path=path)
        # Marks of its own C parser carry no lines we could rely on; task files are small.
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, [error.context, error.problem]))
        if mark is None:
            raise TaskError(f"not YAML: {problem}.", path=path) from None
        opened = None if error.context_mark is None else error.context_mark.line + 1
        why = explain(text, mark.line + 1, opened, problem)
        raise TaskError(f"not YAML: {why.problem}", path=path, line=why.line, fix=why.fix) from None
    except YAMLError as error:
        raise TaskError(f"not YAML: {str(error).splitlines()[0]}.", path=path) from None
    except (ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError) as error:
        # What ruamel's parser lets out for some malformed input, a bad %YAML line for one.
        raise TaskError(f"not YAML: {short(str(error))}.", path=path) from None
    if not isinstance(node, MappingNode):
        problem, fix = top_fault(text, node.value if isinstance(node, ScalarNode) else None)
        raise TaskError(problem, path=path, line=1, fix=fix)
    reader = _Reader(path)
    data = reader.mapping(node, ())
    return Document(data, reader.lines)


def _fits(text: str) -> bool:
    """Whether depth and size are within bounds; reads no further than they reach, as parsing is slow."""
    depth = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if count > MOST_NODES or depth > DEEPEST:
            return False
    return True


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        fix = "Allow reading it: `chmod u+r`." if path.exists() else near_path(path)
        raise TaskError(f"cannot be read ({reason}).", path=path, fix=fix) from None
    if len(raw) > LARGEST_FILE:
        raise TaskError(f"is larger than {LARGEST_FILE:,} bytes, too large for a task file.", path=path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TaskError("is not UTF-8 text.", path=path, line=line, fix="Save it as UTF-8.") from None


class _Reader:
    """Turns nodes into data, noting lines and refusing what is not plain."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lines: dict[tuple[str, ...], int] = {}
        self.visited = 0

    def fail(self, node: Node, key: tuple[str, ...], problem: str, fix: str = "") -> TaskError:
        line = node.start_mark.line + 1
        return TaskError(problem, path=self.path, line=line, key=".".join(key) or None, fix=fix)

    def value(self, node: Node, key: tuple[str, ...]) -> Any:
        # An alias leads to the node it names, so a bomb of aliases is met here as very many visits.
        self.visited += 1
        if self.visited > MOST_NODES or len(key) > DEEPEST:
            raise self.fail(node, key, "the file holds too much, or nests too deeply.")
        if isinstance(node, MappingNode):
            return self.mapping(node, key)
        if isinstance(node, SequenceNode):
            self.check_tag(node, key, "seq")
            items = []
            for index, item in enumerate(node.value):
                self.lines[(*key, str(index))] = item.start_mark.line + 1
                items.append(self.value(item, (*key, str(index))))
            return items
        return self.scalar(node, key)

    def mapping(self, node: MappingNode, key: tuple[str, ...]) -> dict[str, Any]:
        self.check_tag(node, key, "map")
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, ScalarNode):
                raise self.fail(name_node, key, "a key should be a plain word.")
            if name_node.tag == _TAG + "merge":
                raise self.fail(name_node, key, "`<<` is not supported.", "Write the keys out.")
            if name_node.tag not in (_TAG + "str", _TAG + "timestamp"):
                problem = f"the key {short(name_node.value)} is not text."
                raise self.fail(name_node, key, problem, "Put it in quotes.")
            name = str(name_node.value)
            place = (*key, name)
            if name in data:
                values = ""
                if isinstance(value_node, ScalarNode) and not isinstance(data[name], dict | list):
                    values = f": {short(data[name])} there and {short(value_node.value)} here"
                problem = f"stands twice (first in line {self.lines[place]}{values})."
                raise self.fail(name_node, place, problem, "Remove one.")
            empty = isinstance(value_node, ScalarNode) and not value_node.value
            if empty and ":" in name and name_node.style is None:
                fix = f"Write `{tight_colon(name)}`."
                raise self.fail(name_node, place, f"`{name}` has no blank after its colon.", fix)
            self.lines[place] = name_node.start_mark.line + 1
            data[name] = self.value(value_node, place)
        return data

    def check_tag(self, node: Node, key: tuple[str, ...], kind: str) -> None:
        if node.tag != _TAG + kind:
            shown = str(node.tag).replace(_TAG, "!!")
            raise self.fail(node, key, f"the tag {short(shown)} is not supported.", "Write plain values.")

    def scalar(self, node: Node, key: tuple[str, ...]) -> Any:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return {"true": True, "false": False}[text.casefold()]
            if kind == "int":
                return _integer(text)
            if kind == "float":
                return self.finite(
                    float(text.replace("_", "").casefold().replace(".inf", "inf").replace(".nan", "nan"))
                )
        except (ValueError, KeyError):
            raise self.fail(node, key, f"{short(text)} is not a finite {_WORDS[kind]}.") from None
        if kind in ("str", "timestamp", "value", "merge"):  # a date stands for its own text
            return text
        self.check_tag(node, key, "str")
        return text

    @staticmethod
    def finite(number: float) -> float:
        if not math.isfinite(number):
            raise ValueError
        return number


_WORDS = {"bool": "true or false", "int": "whole number", "float": "number"}


def _integer(text: str) -> int:
    digits = text.replace("_", "").casefold()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)
