"""How much to ask of a model: all that is useful, or what it can write in the time it is given.

An answer fits if, at the model's speed, reading the prompt and writing the answer take at most `SHARE` of
the limit. One that does not fit is asked for in compact form: at most two configurations and as many short
beliefs as fit. After a question that was met with silence the next one is compact too.
"""

from __future__ import annotations

from typing import NamedTuple

from tunesmith.agent.models import Pace

SHARE = 0.8
"""Share of the time limit that an answer is planned to take; lengths are estimates."""
FEWEST_TOKENS = 256
"""Smallest limit on an answer's length: a model that does not stop is cut off there at the earliest."""

# Tokens of parts of an answer: characters of 20 openings of a strong model over 2.7, which small models'
# tokenizers make of JSON with numbers (a token a digit); CANDIDATE has room for a wordier reason.
VIEW, BELIEF, CANDIDATE, VALUE = 120, 65, 50, 14
COMPACT_BELIEF, COMPACT_CANDIDATE = 28, 15
COMPACT_CANDIDATES = 2
COMPACT_PROMPT = 1.5
"""How many times shorter a compact prompt is, at least."""


class Profile(NamedTuple):
    """What to ask for."""

    compact: bool
    candidates: int
    beliefs: int
    """At most so many; without `compact` every parameter may have one."""
    max_tokens: int | None
    """Longest answer; None leaves it to the model."""
    why: str
    """For a person, as a clause."""

    @property
    def text(self) -> str:
        """How it is asked, for a person."""
        if not self.compact:
            return "in full"
        asked = [(self.candidates, "configuration"), (self.beliefs, "belief")]
        return "in compact form for " + " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in asked if n)


def profile_of(pace: Pace, *, n: int, dimensions: int, prompt_tokens: int, beliefs: bool) -> Profile:
    """What to ask a model for.

    Args:
        n: Configurations wanted.
        dimensions: Parameters of the space.
        prompt_tokens: Of the whole prompt; of the compact one it is known that it is shorter.
        beliefs: Whether beliefs are asked for, as in the opening.
    """
    speed = pace.speed
    said = f"it writes {speed.writing:.3g} tokens a second ({speed.source}) and has {pace.limit_s:g} s"
    full = n * (CANDIDATE + VALUE * dimensions) + (VIEW + BELIEF * dimensions if beliefs else 0)
    if not pace.silent and full <= _room(pace, prompt_tokens):
        return Profile(False, n, dimensions if beliefs else 0, None, said)
    room = _room(pace, prompt_tokens / COMPACT_PROMPT)
    candidate = COMPACT_CANDIDATE + VALUE * dimensions
    belief = COMPACT_BELIEF if beliefs else 0
    fewest = min(n, COMPACT_CANDIDATES)
    candidates = fewest if fewest * candidate + 2 * belief <= room else 1
    left = int((room - candidates * candidate) // belief) if belief else 0
    if pace.silent:
        said = f"it said nothing to the last question; {said}"
    max_tokens = max(FEWEST_TOKENS, int(2 * room))
    return Profile(True, candidates, min(max(left, 1), dimensions) if beliefs else 0, max_tokens, said)


def _room(pace: Pace, prompt_tokens: float) -> float:
    """Tokens of an answer that there is time for."""
    reading_s = prompt_tokens / pace.speed.reading
    return max(SHARE * pace.limit_s - reading_s, 0.0) * pace.speed.writing
