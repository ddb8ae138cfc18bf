"""What a verb of a typed line is, and what is known of a run while one is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tunesmith.commands import Command
from tunesmith.space import Space

BUDGET: dict[str, str] = {
    "trials": "trials",
    "time": "wall_time_s",
    "cost": "cost",
    "target": "target",
    "patience": "patience",
    "calls": "model_calls",
    "tokens": "model_tokens",
    "dollars": "model_dollars",
}
"""Word of `/budget` -> field of `ChangeBudget`."""
Completes = Literal["", "assignments", "parameters", "running", "trials", "budget", "commands"]


@dataclass(frozen=True)
class Known:
    """What is known of a run while a line is read; None: nothing, and then it is not checked."""

    space: Space | None = None
    trials: Collection[int] | None = None
    """Numbers of the trials there are."""
    running: Collection[int] | None = None
    waiting: int | None = None
    """`ActionsProposed.command_id` of what waits for approval; None: nothing does."""
    short: Mapping[str, str] = field(default_factory=dict)
    """Abbreviation -> hyperparameter."""


@dataclass(frozen=True)
class Local:
    """A line that is answered from the records, or by the terminal itself; nothing is sent to the run."""

    name: str
    """Without the slash, such as `why`."""
    arguments: tuple[str, ...] = ()
    """Numbers of trials are digits alone."""


@dataclass(frozen=True)
class LineFault:
    """Why a line cannot be read, on one clean line."""

    text: str


Read = Command | Local | LineFault
Reader = Callable[[str, Known], "Command | Local"]


@dataclass(frozen=True)
class Verb:
    """One slash command."""

    name: str
    """With its slash."""
    takes: str
    """Its arguments as help shows them; empty for none."""
    help: str
    example: str
    """A whole line that is right."""
    read: Reader
    completes: Completes = ""
    local: bool = False
    """Whether it is answered without the run."""
