"""The score of an item in what a program prints. Python 3.9, standard library only."""

from __future__ import annotations

import math
from typing import Optional

from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.choice import choose
from tunesmith.tools.execution.printed.output import Output

NAME = "score"
_NUMBER = r"(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_WHOLE = r"(?![\w%]|[.,]\d|\s{0,3}(?:/|%|(?:out\s{1,3})?of\b))"
"""After a number that stands for itself: `1/2`, `1 of 2`, `85 %` and `0,5` say something else."""
NAMED = rf"(?i)\bscore\b[\"']?\s{{0,3}}[=:]\s{{0,3}}{_NUMBER}{_WHOLE}"
ALONE = rf"^\s{{0,8}}{_NUMBER}\s{{0,8}}$"


def printed_score(out: bytes, err: bytes, regex: Optional[str] = None) -> tuple[Optional[float], str]:  # noqa: UP045
    """The last score that was printed, and where there is none, why.

    A JSON object with `score` counts first, then `score=0.5` or `score: 0.5`, then a number alone on its
    line. What is on stderr counts where stdout has none; a number alone does not.

    Args:
        regex: The task's own pattern, which counts alone.
    """
    patterns = [regex] if regex is not None else [None, NAMED, ALONE]
    why = ""
    for pattern in patterns:
        reader = Output(
            NAME,
            Reading(regex=pattern, take="last"),
            report=lambda value, step: None,
            record=lambda value, step: None,
            log=lambda data: None,
        )
        reader.feed("stdout", out)
        reader.feed("stderr", err if pattern != ALONE else b"")
        reader.end()
        (heard,) = reader.heard()
        if not heard:
            why = why or heard.why.split("; `metric:")[0]  # a key that a pipeline does not have
            continue
        value = choose(heard, several=False).value.number
        return (value, "") if math.isfinite(value) else (None, f"it printed the score {value}")
    fix = (
        'Print such as {"score": 0.5}, or state `program.regex`'
        if regex is None
        else "Change `program.regex`"
    )
    return None, f"it printed no score: {why}. {fix}."
