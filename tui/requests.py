"""What a person may type: slash commands, and anything else as plain words."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.events import Ask, Command, Pause, Resume, Stop
from tunesmith.text.literal import one_line

HELP: tuple[tuple[str, str], ...] = (
    ("/pause", "start no further trial; running ones go on"),
    ("/resume", "go on"),
    ("/stop", "end the run cleanly; the same command continues it later"),
    ("/why N", "why trial N was tried, what was expected, what came of it"),
    ("/best", "the best configuration so far"),
    ("/help", "this list"),
    ("/quit", "leave (ctrl+q)"),
)


@dataclass(frozen=True)
class Post:
    """Send this to the run."""

    command: Command


@dataclass(frozen=True)
class Why:
    """Explain a trial; None means the newest finished one."""

    number: int | None


@dataclass(frozen=True)
class Best:
    """Show the incumbent."""


@dataclass(frozen=True)
class Help:
    """Show what may be typed."""


@dataclass(frozen=True)
class Quit:
    """Leave."""


@dataclass(frozen=True)
class Mistake:
    """Not understood; `text` says what would be."""

    text: str


Request = Post | Why | Best | Help | Quit | Mistake


def parse_request(line: str) -> Request:
    """What a typed line asks for. `line` is not blank."""
    words = line.split()
    if not words[0].startswith("/"):
        return Post(Ask(text=line.strip()))
    name, rest = words[0].lower(), words[1:]
    plain: dict[str, Request] = {
        "/pause": Post(Pause()),
        "/resume": Post(Resume()),
        "/stop": Post(Stop()),
        "/best": Best(),
        "/help": Help(),
        "/quit": Quit(),
        "/exit": Quit(),
    }
    if name == "/why":
        if not rest:
            return Why(None)
        number = rest[0].removeprefix("#")
        if len(rest) == 1 and number.isascii() and number.isdigit() and len(number) < 10:
            return Why(int(number))
        return Mistake("/why wants a trial's number, such as /why 7")
    if name in plain:
        if rest:
            return Mistake(f"{name} stands alone; {one_line(' '.join(rest), 40)!r} was not understood")
        return plain[name]
    return Mistake(f"there is no {one_line(name, 40)}; /help lists what there is")
