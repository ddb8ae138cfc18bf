"""Why a command cannot be followed."""

from __future__ import annotations

from tunesmith.errors import UsageError


class CannotSteer(UsageError):
    """A command that cannot be followed in this run; says why, and what is legal instead."""

    one_line = True
