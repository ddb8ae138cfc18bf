"""JSON, and what models write for it: single quotes, bare keys, trailing commas, comments, no last brace.

A reader of our own, because repair must not guess: values stay the words that stand there, and whether
they are a number is decided where every other number is. What is not `key: value` ends an object as broken,
so that `1,000` never becomes 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

DEEPEST = 12
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.{0,500}?\*/|#[^\n]*)*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.){0,2000})"|\'((?:[^\'\\\n]|\\.){0,2000})\'|`([^`\n]{0,2000})`')
_BARE_KEY = re.compile(r"""[^\s"'`{}\[\],:=#]{1,100}(?:[ \t]{1,3}[^\s"'`{}\[\],:=#]{1,100}){0,3}""")
_BARE = re.compile(r"""[^"'`{}\[\],\n#]{1,200}""")
_TUPLE = re.compile(r"\(([^()\n{}\[\]:]{1,200},[^()\n{}\[\]:]{0,200})\)")
_COLON = re.compile(r"\s{0,40}(?::|=>?)\s{0,40}")
_OPEN = re.compile(r"[{\[]")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Word:
    """A value that is no object: its text, and whether it stood in quotes."""

    text: str
    quoted: bool
    touches: bool = False
    """The text of the answer ends with it."""


@dataclass
class Object:
    """`{...}`: keys in the order written, one twice included."""

    pairs: list[tuple[str, Node]] = field(default_factory=list)
    broken: bool = False
    """It holds something that is no pair, or its end has not come."""
    cut: bool = False
    """The text ends within it."""


@dataclass
class Listing:
    """`[...]`, or `(..., ...)`."""

    items: list[Node] = field(default_factory=list)
    broken: bool = False


Node = Word | Object | Listing


@dataclass(frozen=True)
class Found:
    """An object or a list, at `text[start:stop]`."""

    node: Node
    start: int
    stop: int


def objects(text: str) -> Iterator[Found]:
    """The outermost objects and lists of `text`, in order; a bracket that opens neither is passed over.

    Takes linear time: each character is read a bounded number of times, and a text that would need more
    gives nothing more.
    """
    reader = _Reader(text)
    match = _OPEN.search(text)
    while match and reader.budget > 0:
        start = match.start()
        node, stop = reader.node(start, 0)
        if isinstance(node, Object | Listing) and _holds_pairs(node):
            yield Found(node, start, stop)
        else:
            stop = start + 1
        match = _OPEN.search(text, stop)


def _holds_pairs(node: Node) -> bool:
    if isinstance(node, Object):
        return bool(node.pairs)
    return isinstance(node, Listing) and any(map(_holds_pairs, node.items))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.budget = 30 * len(text) + 10_000

    def node(self, position: int, depth: int) -> tuple[Node | None, int]:
        """The value at a position and where it ends; None where there is none."""
        character = self.text[position : position + 1]
        if character == "{" and depth < DEEPEST:
            return self._object(position + 1, depth)
        if character == "[" and depth < DEEPEST:
            return self._list(position + 1, depth)
        row = _TUPLE.match(self.text, position)  # Python's, of plain values
        if row:
            self.budget -= len(row[0])
            items = [item.strip().strip("\"'") for item in row[1].split(",")]
            return Listing([Word(item, False) for item in items if item]), row.end()
        quoted = _QUOTED.match(self.text, position)
        if quoted:
            self.budget -= len(quoted[0])
            return Word(_plain(quoted), True), quoted.end()
        bare = _BARE.match(self.text, position)
        if bare is None or not bare[0].strip():
            return None, position
        self.budget -= len(bare[0])
        words = bare[0].split("//")[0]
        return Word(words.strip(), False, bare.end() == len(self.text)), bare.end()

    def _object(self, position: int, depth: int) -> tuple[Node, int]:
        found = Object()
        while True:
            position = self._blank(position)
            if self.text[position : position + 1] == "}":
                return found, position + 1
            key, after = self._key(position)
            if key is None or self.budget <= 0:
                break
            value, position = self.node(after, depth + 1)
            if value is None:
                break
            found.pairs.append((key, value))
            if isinstance(value, Object | Listing) and value.broken:
                break
            position = self._comma(position)
            if position < 0:
                position = -position
                break
        found.broken = True
        found.cut = self._blank(position) >= len(self.text)
        return found, len(self.text) if found.cut else self._past(position)

    def _list(self, position: int, depth: int) -> tuple[Node, int]:
        found = Listing()
        while True:
            position = self._blank(position)
            if self.text[position : position + 1] == "]":
                return found, position + 1
            value, after = self.node(position, depth + 1)
            if value is None or self.budget <= 0:
                break
            found.items.append(value)
            position = after
            if isinstance(value, Object | Listing) and value.broken:
                break
            position = self._comma(position)
            if position < 0:
                position = -position
                break
        found.broken = True
        return found, max(position, 1)

    def _key(self, position: int) -> tuple[str | None, int]:
        match = _QUOTED.match(self.text, position) or _BARE_KEY.match(self.text, position)
        self.budget -= 20 if match is None else len(match[0]) + 20
        colon = _COLON.match(self.text, match.end()) if match else None
        if match is None or colon is None:
            return None, position
        return (_plain(match) if match.re is _QUOTED else match[0]), colon.end()

    def _comma(self, position: int) -> int:
        """Past the comma, or what models write for one; negative where there is neither it nor an end."""
        after = self._blank(position)
        character = self.text[after : after + 1]
        if character in (",", ";"):
            return after + 1
        # A comma left out between two lines, or before a quoted key.
        if character in ("}", "]") or "\n" in self.text[position:after] or character in ("'", '"'):
            return after
        return -max(after, 1)

    def _blank(self, position: int) -> int:
        match = _BLANK.match(self.text, position)
        end = match.end() if match else position
        self.budget -= end - position + 1
        return end

    def _past(self, position: int) -> int:
        """The end of a broken object: its last bracket, so that its inner pairs do not pass for an answer."""
        depth = 1
        for index in range(position, len(self.text)):
            character = self.text[index]
            depth += (character == "{") - (character == "}")
            if depth == 0 or self.budget <= 0:
                self.budget -= index - position
                return index + 1
        self.budget -= len(self.text) - position
        return len(self.text)


def _plain(quoted: re.Match[str]) -> str:
    inner: str = next(group for group in quoted.groups() if group is not None)

    def letter(match: re.Match[str]) -> str:
        code: str = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _LETTERS.get(code, code)

    return _ESCAPE.sub(letter, inner) if "\\" in inner else inner
