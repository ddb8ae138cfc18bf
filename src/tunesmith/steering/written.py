"""Commands as typed lines."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.commands import (
    AddChoice,
    Approve,
    Ask,
    ChangeBudget,
    Command,
    Freeze,
    Kill,
    Narrow,
    Note,
    SetPrior,
    Stop,
    Try,
    Widen,
)
from tunesmith.steering.tokens import written
from tunesmith.steering.verbs import BUDGET


def line_of(command: Command) -> str:
    """The line that `read_line` reads as `command`; for approval, previews and transcripts."""
    match command:
        case Ask(text=text):
            plain = text == text.strip() and text and text[0] not in "/\"'"
            return text if plain and text.casefold() not in ("y", "yes", "n", "no") else f"/ask {said(text)}"
        case Note(text=text):
            return f"/note {said(text)}"
        case Try(values=values, reason=reason):
            return _because("/try " + " ".join(_assigned(n, v) for n, v in values.items()), reason, Try)
        case Kill(number=number_, reason=reason):
            return _because(f"/kill {number_}", reason, Kill)
        case Stop(reason=reason):
            return _because("/stop", reason, Stop)
        case ChangeBudget():
            return "/budget " + " ".join(_budget_words(command))
        case Freeze(parameter=name, value=given):
            return "/freeze " + (written(name) if given is None else _assigned(name, given))
        case Narrow(parameter=name, low=low, high=high, choices=choices):
            return f"/narrow {written(name)} " + (_choices(choices) if choices else _span(low, high))
        case Widen(parameter=name, low=low, high=high):
            return f"/widen {written(name)} {_span(low, high)}"
        case AddChoice(parameter=name, choices=choices):
            return f"/add {written(name)}={_choices(choices)}"
        case SetPrior(parameter=name, best=best, low=low, high=high):
            span = "" if low is None and high is None else f" {_span(low, high)}"
            return f"/prior {written(name)} ~{written(best)}{span}"
        case Approve(approved=approved):
            return "/approve" if approved else "/deny"
        case _:
            return f"/{command.kind}"


def _assigned(name: str, given: Any) -> str:
    return f"{written(name)}={written(given)}"


def _choices(choices: tuple[Any, ...]) -> str:
    return ",".join(map(written, choices))


def _span(low: float | None, high: float | None) -> str:
    return f"{'' if low is None else repr(low)}..{'' if high is None else repr(high)}"


def _because(line: str, reason: str, kind: type[Try] | type[Kill] | type[Stop]) -> str:
    usual = kind.model_fields["reason"].default
    return line if reason == usual else f"{line} because {said(reason)}"


def _budget_words(command: ChangeBudget) -> list[str]:
    found = [] if command.more_trials is None else [f"trials={command.more_trials:+d}"]
    for key, name in BUDGET.items():
        if (given := getattr(command, name)) is not None:
            found.append(f"{key}={given!r}")
    return found


def said(text: str) -> str:
    """Words as they are, in quotes where they would be read otherwise."""
    plain = text == text.strip() and text and text[0] != '"'
    return text if plain else json.dumps(text)
