"""Where a provider is and which variable has its key, as a task says it.

What is wrong is not quoted: it may hold a key.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from tunesmith.problem import STATED_FAULT

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def base_url(text: str | None) -> str | None:
    """A base URL that a proxy can call; a fault of the task for anything else."""
    if text is None:
        return None
    try:
        parts = urlsplit(text.strip())
        legal = (
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        )
        legal = legal and not (parts.username or parts.password) and (parts.port is None or parts.port > 0)
    except ValueError:
        legal = False
    if not legal:
        raise _fault("is no base URL without a key in it.", "Write such as https://api.openai.com/v1.")
    return text.strip().rstrip("/")


def variable(text: str | None) -> str | None:
    """The name of a variable of the environment; a fault of the task for anything else."""
    if text is not None and _VARIABLE.fullmatch(text) is None:
        problem = "is no name of a variable; it should be one such as OPENAI_API_KEY, not a key itself."
        raise _fault(problem, "Set the variable in the environment and write its name.")
    return text


def _fault(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError(STATED_FAULT, "{problem}", {"problem": problem, "fix": fix})
