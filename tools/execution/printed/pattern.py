"""A regular expression of the task, applied to printed lines with a limit on its time.

Python's matcher goes back and forth, so a pattern can take time that grows as a high power of a line's
length, on lines that nobody foresaw. A task's patterns may not nest repetitions (`task/metric_spec.py`
refuses that), a line is read up to some length, and a match that takes too long is broken off by a timer.
"""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

LONGEST_TEXT = 2000
"""Characters of a line that are looked at."""
ONE_MATCH_S = 0.25
"""Seconds of processor time for one line."""
MOST_BROKEN_OFF = 3
"""Lines that may take too long; after these the pattern is not used any more."""

_DIGITS = re.compile(r"[-+]?[\d.,]+")
_NUMBER = re.compile(r"[-+]?([1-9]\d{0,2}(,\d{3})+(?![\d])(\.\d*)?|\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
"""A number as it is printed; its thousands may be set apart."""


class _TooLong(Exception):
    """Raised by the timer in the middle of a match."""


class Pattern:
    """Matches lines; used from one thread.

    Attributes:
        slow: How many lines took too long.
    """

    def __init__(self, regex: str) -> None:
        self._regex = re.compile(regex)
        self.slow = 0

    @property
    def given_up(self) -> bool:
        return self.slow >= MOST_BROKEN_OFF

    def groups(self, text: str) -> dict[str, str] | None:
        """The named groups of the first match, those that took part; None without a match.

        A pattern without a group `value` has that of its first group, or the whole match.
        """
        found = None if self.given_up else self._search(text[:LONGEST_TEXT])
        if found is None:
            return None
        groups = {name: value for name, value in found.groupdict().items() if value is not None}
        named = groups.get("value") is not None
        place = "value" if named else 1 if self._regex.groups and found[1] is not None else 0
        groups["value"] = _whole_number(found.string, *found.span(place))
        return groups

    def _search(self, text: str) -> re.Match[str] | None:
        if threading.current_thread() is not threading.main_thread():
            return self._regex.search(text)  # no timer reaches us here
        before = signal.signal(signal.SIGVTALRM, _break_off)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, ONE_MATCH_S)
            try:
                return self._regex.search(text)
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        except _TooLong:
            self.slow += 1
            return None
        finally:
            signal.signal(signal.SIGVTALRM, before)


def _whole_number(text: str, start: int, end: int) -> str:
    """The number of which a pattern took a part: of `1.2e-05` the `1.2`, of `12,345` the `12`, of `0.9.` all.

    What is no number is left as it is.
    """
    taken = text[start:end]
    if not _DIGITS.fullmatch(taken):
        return taken
    if text[max(0, start - 2) : start].strip(" \t:=([|") == "-":
        start -= 1  # a sign, and no hyphen
    found = _NUMBER.match(text, start)
    return found[0].replace(",", "") if found is not None else taken


def _break_off(number: int, frame: FrameType | None) -> None:
    raise _TooLong
