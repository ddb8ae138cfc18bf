"""How a module of ours is started in another process, in this Python or in one without Tunesmith."""

from __future__ import annotations

import sys
from pathlib import Path

from tunesmith import errors

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_PACKAGE = Path(errors.__file__).parent


def module_command(module: str, python: str | None = None) -> list[str]:
    """The words that run a module of ours as a program, without arguments.

    Args:
        python: The interpreter; None for this process's own.
    """
    own = sys.executable if python is None else python
    if own == sys.executable and not is_guest():
        return [own, "-P", "-m", module]
    return [own, str(_BOOTSTRAP), str(_PACKAGE), module]


def is_guest() -> bool:
    """Whether this process runs in a Python of the user's, by `bootstrap.py`."""
    return bool(getattr(sys.modules["tunesmith"], "__guest__", False))
