"""The printed line that comes closest to a result, and why it is none: said when nothing counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from tunesmith.errors import short
from tunesmith.text.cleaning import clean
from tunesmith.tools.execution.printed.mappings import LONGEST_PRINTED_DICT
from tunesmith.tools.execution.printed.numbers_in import numbers_of
from tunesmith.tools.execution.printed.terminal_lines import LONGEST_LINE

_SYNONYMS = {
    "acc": "accuracy",
    "err": "error",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "evaluation": "val",
    "dev": "val",
    "avg": "mean",
}
_WORDS = re.compile(r"[a-z]+|\d+")
_NAME = re.compile(r"[A-Za-z_][\w./-]{0,99}")
_SHOWN = 80
"""Characters of a line that are quoted."""
_MOST_NAMES = 50
"""Names of one line that are compared."""
_LONGEST = 1000
"""Characters of a line of text in which the metric is looked for."""
SAME, ALIKE, SIMILAR = 3, 2, 1
"""How near two names are: equal but for case and signs, by the same words, or by their letters."""


class Nearest:
    """Keeps the closest line seen so far; the latest of those that are equally close.

    Args:
        stream: Where the lines come from, for messages; empty for stdout.
        regex: The task's pattern for lines, if it has one.
        several: Whether the task has several metrics, which say how they are read at the key `metrics`.
    """

    def __init__(
        self, metric: str, stream: str = "", regex: str | None = None, *, several: bool = False
    ) -> None:
        self._several = several
        key = f"metrics.{metric}.regex" if several else "metric.regex"
        self._plain = "is no JSON" if regex is None else f"does not match `{key}`"
        self._metric, self._where = metric, f" of {stream}" if stream else ""
        self._known: dict[str, int] = {}
        self._rank = -1
        self._why = ""
        self.lines = 0
        """Lines that were not empty."""

    @property
    def rank(self) -> int:
        return self._rank

    @property
    def why(self) -> str:
        """A clause on the closest line; empty where nothing at all was printed."""
        return self._why

    def unusable(self, line: int, value: Any) -> None:
        """A line has the metric, with a value that is no number."""
        why = "which is no number"
        if numbers_of(value) is not None:
            way = f"{self._stated('take: last')} or best would take one"
            why = f"{len(value)} numbers; {way}, and `items: true` the mean of scores per item"
        elif isinstance(value, (list, tuple)):
            why = f"which is no number, and no list of numbers ({len(value)} entries)"
            if value and all(isinstance(one, bool) for one in value):
                why = f"{len(value)} times true or false; {self._stated('items: true')} would take their mean"
        self._keep(9, f"line {line}{self._where} has `{self._metric}` = {short(value)}, {why}")

    def mapping(self, line: int, text: str, values: Mapping[str, Any]) -> None:
        """A line has a mapping without the metric."""
        nearest, rank = self.name(values)
        shown = _around(text, "")
        if nearest is None:
            self._keep(2, f"line {line}{self._where}, `{shown}`, has no `{self._metric}`")
        else:
            self._keep(
                4 + rank,
                f"line {line}{self._where} has `{nearest}`, the task asks for `{self._metric}`",
            )

    def plain(self, line: int, text: str) -> None:
        """A line without a mapping."""
        self.lines += 1
        if len(text) > _LONGEST:
            text = text[:_LONGEST]
        rank, name = 0, None
        if self._rank <= 8 and any(c.isdigit() for c in text):
            names = _NAME.findall(text)[:_MOST_NAMES]
            rank, name = max(((self._near(n), n) for n in names), default=(0, None))
        shown = _around(text, name or "")
        if not rank or name is None:
            self._keep(0, f"line {line}{self._where}, `{shown}`, {self._plain}")
            return
        regex = re.escape(name).replace(r"\-", "-") + r"\W{1,3}(?P<value>[-+.\deE]+)"
        if re.search(regex, text) is None:  # the number stands elsewhere
            self._keep(0, f"line {line}{self._where}, `{shown}`, {self._plain}")
            return
        self._keep(
            3 + (rank == SAME),
            f"line {line}{self._where}, `{shown}`, {self._plain}; "
            + self._stated(f"regex: '{regex}'")
            + " would read it",
        )

    def _stated(self, how: str) -> str:
        """How a task says how the metric is read."""
        return stated(self._metric, how, several=self._several)

    def broken(self, line: int, text: str) -> None:
        """A line that has the metric's name in a mapping that cannot be read."""
        long = f"; a printed dict is read up to {LONGEST_PRINTED_DICT:,} characters, one by json.dumps up to "
        long = f"{long}{LONGEST_LINE:,}" if len(text) > LONGEST_PRINTED_DICT else ""
        self._keep(
            8, f"line {line}{self._where}, `{_around(text, self._metric)}`, is no JSON that can be read{long}"
        )

    def too_long(self, line: int) -> None:
        most = f"{LONGEST_LINE:,} characters, longer than can be read; a `file` may have more"
        self._keep(1, f"line {line}{self._where} has more than {most}")

    def name(self, values: Mapping[str, Any]) -> tuple[str | None, int]:
        """The nearest key, that of an inner mapping as `outer/inner`, and how near it is."""
        best: tuple[int, str | None] = (0, None)
        for key in _keys(values):
            near = self._near(key)
            if near > best[0]:
                best = near, key
        return best[1], best[0]

    def _near(self, name: str) -> int:
        if name not in self._known:
            if len(self._known) > 2000:
                self._known.clear()
            self._known[name] = nearness(name, self._metric)
        return self._known[name]

    def _keep(self, rank: int, why: str) -> None:
        if rank >= self._rank:
            self._rank, self._why = rank, why


def stated(metric: str, how: str, *, several: bool) -> str:
    """Where a task says how a metric is read, such as `take: last`; one of several may have no direction."""
    if several:
        return f"`metrics: {{{metric}: {{{how}}}}}`, with its direction if it has one,"
    return f"`metric: {{name: {metric}, {how}}}`"


def _around(text: str, name: str) -> str:
    """The part of a line about a name in it, or its beginning."""
    place = text.find(name)
    if len(text) <= _SHOWN or place < 0:
        return clean(text, _SHOWN)
    start = max(0, place - _SHOWN // 3)
    end = start + _SHOWN
    shown = clean(text[start:end], _SHOWN)
    return ("… " if start else "") + shown + (" …" if end < len(text) else "")


def nearness(name: str, metric: str) -> int:
    """How near a name is to the metric's: SAME, ALIKE, SIMILAR, or 0."""
    ours, theirs = _words(metric), _words(name)
    if not ours or not theirs or len(name) > 100:
        return 0
    if ours == theirs:
        return SAME
    ours, theirs = [[_SYNONYMS.get(word, word) for word in words] for words in (ours, theirs)]
    if ours == theirs or (ours[-1] == theirs[-1] and (len(ours) == 1 or len(theirs) == 1)):
        return ALIKE
    if SequenceMatcher(None, "_".join(ours), "_".join(theirs)).ratio() >= 0.75:
        return SIMILAR
    return 0


def _words(name: str) -> list[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name[:200])
    return _WORDS.findall(spaced.lower())


def _keys(values: Mapping[str, Any], above: str = "", depth: int = 0) -> list[str]:
    found: list[str] = []
    for key, value in values.items():
        if len(found) >= _MOST_NAMES:
            break
        found.append(f"{above}{str(key)[:101]}")
        if isinstance(value, Mapping) and depth < 2:
            found += _keys(value, f"{found[-1]}/", depth + 1)
    return found[: 2 * _MOST_NAMES]
