"""The parts of an answer that is still being written: elements of its lists, each as soon as it is complete.

Nothing is guessed. An element counts as complete once the JSON around it proves that it has ended: another
one follows, its list is closed, or the text becomes a whole value when the brackets around it are closed.
A number of which half has come is never taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

from pydantic_core import from_json

from tunesmith.agent.models.parsing import object_starts, whole_characters, without_thinking

LONGEST = 200_000
"""Characters of an answer that parts are looked for in; no useful one is longer."""
MOST_STARTS = 20
"""Braces that are tried as the start of the object."""


class ItemReader:
    """Reads the lists of one JSON object, `{"candidates": [...], "beliefs": [...]}`, while it grows.

    Prose, fences and thinking before the object are passed over. A fault in the JSON ends the reading: what
    was complete before it stays.

    Args:
        scrub: Applied to the text before it is read.
    """

    def __init__(self, scrub: Callable[[str], str] = str) -> None:
        self._scrub = scrub
        self._text = ""
        self._given: dict[str, int] = {}  # elements handed out, by list

    def add(self, text: str) -> list[tuple[str, Any]]:
        """The elements that became complete by `text`: pairs of the list's name and the element, in order."""
        self._text += text
        if not any(sign in text for sign in "}],") or len(self._text) > LONGEST:
            return []
        found = []
        for name, elements in self._lists().items():
            first = self._given.get(name, 0)
            found += [(name, element) for element in elements[first:]]
            self._given[name] = max(first, len(elements))
        return found

    def _lists(self) -> dict[str, list[Any]]:
        """The complete elements of every list in the object, whichever came so far."""
        spoken = whole_characters(without_thinking(self._scrub(self._text)))
        for start in islice(object_starts(spoken), MOST_STARTS):
            text = spoken[start:]
            try:
                whole = from_json(text, allow_partial=True, allow_inf_nan=False)
            except ValueError:
                continue  # braces in prose, or broken JSON
            if not isinstance(whole, dict):
                continue
            lists = {name: value for name, value in whole.items() if isinstance(value, list)}
            last = next(reversed(whole), None)
            if last in lists and lists[last] and not _ends_with_an_element(text):
                lists[last] = lists[last][:-1]
            return lists
        return {}


def _ends_with_an_element(text: str) -> bool:
    """Whether the last list ends with a complete element: closing the brackets would make a whole object."""
    ended = text.rstrip().removesuffix(",").rstrip()
    for closing in ("", "}", "]}"):
        try:
            json.JSONDecoder().raw_decode(ended + closing)
        except (ValueError, RecursionError):
            continue
        return True
    return False
