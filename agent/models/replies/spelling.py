"""One spelling for what looks alike, and the marks that an answer stands between; in linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\uff02", '"'),
        **dict.fromkeys("\u2018\u2019\u00b4\uff07", "'"),
        **dict.fromkeys("\u202f\u2009\u2007\u2008", "\u00a0"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", None),
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF03, 0xFF5F) if code not in (0xFF07, 0xFF0D)},
        "\u3000": " ",
        "\r": "\n",
    }
)
_ESCAPED = re.compile(r"\\{1,8}([_!-/:-@\[\]^`{-~])")
_MARK = re.compile(r"#{2,}")
_LABEL = re.compile(r"config|hyperparam|performance|answer|classif|predict", re.IGNORECASE)
_BRACE, _QUOTED_KEY = re.compile(r"[{}]"), re.compile(r"""\{\s{0,200}["'][^"']""")
_OPENERS, _CLOSERS = frozenset("([{"), frozenset(")]}")


def alike(text: str) -> str:
    """Minus signs, quotes, blanks and full-width forms as their plain ASCII; nothing that is seen is lost."""
    return text.replace("\r\n", "\n").translate(_ALIKE)


def unescaped(text: str) -> str:
    r"""Without Markdown's backslashes: `max\_depth` is `max_depth`."""
    return _ESCAPED.sub(r"\1", text)


@dataclass(frozen=True)
class Region:
    """A stretch of an answer, `text[start:stop]`.

    Attributes:
        marked: It stands behind a ## mark.
        open: It runs to the end of the text, and something that should close it has not come: a ## mark,
            a bracket, a fence.
    """

    start: int
    stop: int
    marked: bool
    open: bool


def regions(text: str) -> list[Region]:
    """What stands behind each ## mark, up to the next or the end; empty without marks."""
    marks = [(match.start(), match.end()) for match in _MARK.finditer(text)]
    found: list[Region] = []
    for place, (_, start) in enumerate(marks):
        last = place == len(marks) - 1
        stop = len(text) if last else marks[place + 1][0]
        unclosed = last and (
            (len(marks) % 2 == 1 and not _heading(text, start)) or unbalanced(text, start, stop)
        )
        found.append(Region(start, stop, True, unclosed))
    return found


def unbalanced(text: str, start: int, stop: int) -> bool:
    """Whether a bracket or a code fence that opens in `text[start:stop]` is not closed there."""
    depth = 0
    for character in text[start:stop]:
        if character in _OPENERS:
            depth += 1
        elif character in _CLOSERS:
            depth = max(depth - 1, 0)
    return depth > 0 or text.count("```", start, stop) % 2 == 1


def before_cut_object(text: str) -> str:
    """The text without a JSON object that does not end: what stands in it may be part of a string."""
    waiting: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] != "}":
            waiting.append(match.start())
        elif waiting:
            waiting.pop()
    cut = next((start for start in waiting if _QUOTED_KEY.match(text, start)), len(text))
    return text[:cut]


def _heading(text: str, start: int) -> bool:
    """Whether a mark opens a Markdown heading, words of their own on a line, rather than the answer."""
    line, _, rest = text[start : start + 300].partition("\n")
    words = line.strip()
    return bool(words and rest) and not _LABEL.search(words) and not re.search(r"[0-9:=]", words)
