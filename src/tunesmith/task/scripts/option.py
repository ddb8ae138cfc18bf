"""An option of a script's command line, whatever library declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.task.scripts.constants import UNKNOWN

Kind = Literal["value", "flag", "list", "repeated", "other"]


@dataclass(frozen=True)
class Option:
    """One option, or a positional argument."""

    flags: tuple[str, ...]
    """As written, the first long one in front; empty for a positional argument."""
    name: str
    """Under which the script finds the value."""
    kind: Kind = "value"
    """value: takes one; flag: takes none; list: takes several at once; repeated: one each time it is given;
    other: counts, ends the script, or cannot be told."""
    reads: str = "text"
    """How a value is read: text, int, float, bool (words for true and false), truth (every text but the empty
    one is true), json, python (a literal), hydra, a separator such as `,`, or unknown."""
    default: Any = None
    """UNKNOWN where it cannot be told."""
    choices: tuple[Any, ...] = ()
    required: bool = False
    low: float | None = None
    """The least number that the script takes; None where it sets no bound."""
    high: float | None = None
    """The largest."""
    line: int = 0
    words: tuple[str, str] | None = None
    """For a value: the texts that are read as true and false."""
    null: str | None = None
    """For a value: the text that is read as None."""
    on: str | None = None
    """For a flag: what sets it to true."""
    off: str | None = None
    """For a flag: what sets it to false."""
    command: str = ""
    """The subcommand that it belongs to; empty: to the script."""
    glued: bool = False
    """Whether the value has to follow a `=` in the same argument."""
    excludes: str = ""
    """A name that it shares with the options that cannot be given together with it."""
    declared: str = ""
    """How the script declares it, for a sentence: `type=bool`."""

    @property
    def flag(self) -> str:
        """The spelling to use."""
        return self.flags[0] if self.flags else self.name

    @property
    def known_default(self) -> bool:
        return self.default is not UNKNOWN


@dataclass(frozen=True)
class Declarations:
    """All that a script declares."""

    library: str
    """argparse, click, ...; empty where nothing was found."""
    options: tuple[Option, ...] = ()
    unread: tuple[str, ...] = ()
    """Declarations that could not be read, each a phrase with its line."""
    complete: bool = True
    """Whether an option that is not among them does not exist."""
    commands: tuple[str, ...] = ()
    """Names of the subcommands."""


def long_first(flags: list[str]) -> tuple[str, ...]:
    """The long spellings before the short ones, else in order."""
    return tuple(sorted(flags, key=lambda flag: not flag.startswith("--")))
