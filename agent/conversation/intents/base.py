"""The contract of an intent: something that people ask of a run and that the records answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.records import Records

LONGEST = 6000
"""Characters of an answer."""


class Intent(NamedTuple):
    """One kind of question."""

    example: str
    """As a person may ask it; shown as help."""
    about: str
    """What is answered, in a few words."""
    fits: Callable[[Asked, Records], bool]
    """Whether a question is of this kind."""
    answer: Callable[[Asked, Records], str]
    """Pure: plain text of at most LONGEST characters, from the records alone."""
