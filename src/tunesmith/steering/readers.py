"""One reader for the arguments of each verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunesmith.commands import (
    AddChoice,
    Approve,
    ChangeBudget,
    Command,
    Freeze,
    Kill,
    Narrow,
    SetPrior,
    Stop,
    Try,
    Widen,
)
from tunesmith.space.choices import Listed
from tunesmith.space.numeric import Numeric
from tunesmith.steering.arguments import (
    blank_parts,
    budget_of_trials,
    expects_range,
    heard,
    middle,
    named,
    parameter_name,
    parameter_of,
    parts,
    reason_of,
    several,
    trial_number,
    value_of,
)
from tunesmith.steering.tokens import Unreadable, bounds, number, unquoted, value, words, written
from tunesmith.steering.verbs import BUDGET, Known, Local, Reader
from tunesmith.text.durations import parse_duration
from tunesmith.text.literal import one_line
from tunesmith.text.suggestions import did_you_mean


def read_alone(made: Command | Local) -> Reader:
    def read(rest: str, known: Known) -> Command | Local:
        if rest:
            raise Unreadable(f"stands alone; {one_line(rest, 40)!r} was not understood")
        return made

    return read


def read_try(rest: str, known: Known) -> Command:
    rest, reason = reason_of(rest)
    given: dict[str, Any] = {}
    for word in words(rest):
        if word.text == "," and not word.name:
            continue
        if not word.name:
            raise Unreadable(f"expected NAME=VALUE, got {one_line(word.text, 40)!r}", example=True)
        name = parameter_name(word.name, known, "/try " + rest)
        if name in given:
            raise Unreadable(f"{one_line(name, 60)} is given twice")
        given[name] = value_of(name, word.text.removesuffix(",") or word.text, known)
    if not given:
        raise Unreadable("expected at least one NAME=VALUE", example=True)
    return Try(values=given, fill=True, **reason)


def read_kill(rest: str, known: Known) -> Command:
    rest, reason = reason_of(rest)
    found = trial_number(rest, known)
    if known.running is not None and found not in known.running:
        there = ", ".join(map(str, sorted(known.running)[:10]))
        raise Unreadable(f"trial {found} is not running; " + (f"running: {there}" if there else "none is"))
    return Kill(number=found, **reason)


def read_stop(rest: str, known: Known) -> Command:
    rest, reason = reason_of(rest)
    if rest:
        raise Unreadable(f"expected nothing, or `because ...`; got {one_line(rest, 40)!r}")
    return Stop(**reason)


def read_trials(rest: str, known: Known) -> Command:
    return ChangeBudget(**budget_of_trials(rest))


def read_budget(rest: str, known: Known) -> Command | Local:
    changes: dict[str, Any] = {}
    given: set[str] = set()
    if not rest:
        return Local("budget")
    for word in words(rest):
        key = word.name.casefold()
        text = word.text.removesuffix(",")
        if not word.name and _is_time(text):
            key = "time"
        if key not in BUDGET:
            got = word.name or text
            hint = did_you_mean(got, BUDGET)
            hint = f"; {hint}" if hint.endswith("?") else ""
            raise Unreadable(
                f"got {one_line(got, 40)!r}, expected a time such as 1h30m, or one of "
                f"{', '.join(BUDGET)} with `=` and a value{hint}"
            )
        if key in given:
            raise Unreadable(f"{key} is given twice")
        given.add(key)
        if key == "trials":
            changes |= budget_of_trials(text)
            continue
        if key == "time":
            try:
                changes["wall_time_s"] = parse_duration(number(text) if number(text) is not None else text)
            except ValueError as error:
                raise Unreadable(f"time={one_line(text, 40)}: it {error}") from None
            continue
        found = number(text.removeprefix("$"))
        whole = key in ("patience", "calls", "tokens")
        if found is None or (whole and found != int(found)):
            kind = "a whole number" if whole else "a number"
            raise Unreadable(f"{key} takes {kind}, got {one_line(text, 40)!r}; such as {key}=20")
        least = {"patience": 1, "calls": 0, "tokens": 0, "dollars": 0}.get(key)
        if least is not None and found < least:
            raise Unreadable(f"{key} takes a number of at least {least}, got {one_line(text, 40)}")
        if key == "cost" and found <= 0:
            raise Unreadable(f"cost takes a number above 0, got {one_line(text, 40)}")
        changes[BUDGET[key]] = int(found) if whole else found
    return ChangeBudget(**changes)


def _is_time(text: str) -> bool:
    """Whether a text alone is a length of time: it has a unit."""
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def read_freeze(rest: str, known: Known) -> Command:
    name, text = named(rest, known, "/freeze")
    return Freeze(parameter=name, value=value_of(name, text, known) if text else None)


def read_narrow(rest: str, known: Known) -> Command:
    name, text = named(rest, known, "/narrow")
    parameter = parameter_of(name, known)
    ends = bounds(text)
    numeric = isinstance(parameter, Numeric)
    if isinstance(parameter, Listed) and ends is not None and not parameter.numeric:
        ends = None
    if ends is not None:
        return Narrow(parameter=name, low=ends[0], high=ends[1])
    if numeric or not text:
        raise Unreadable(expects_range(name, text, parameter), example=True)
    return Narrow(parameter=name, choices=several(name, text, known))


def read_widen(rest: str, known: Known) -> Command:
    name, text = named(rest, known, "/widen")
    parameter, ends = parameter_of(name, known), bounds(text)
    if isinstance(parameter, Listed) and not parameter.numeric:
        raise Unreadable(f"{one_line(name, 60)} has choices; /add {written(name)}=... gives it more")
    if ends is None:
        raise Unreadable(expects_range(name, text, parameter), example=True)
    return Widen(parameter=name, low=ends[0], high=ends[1])


def read_add(rest: str, known: Known) -> Command:
    name, text = named(rest, known, "/add")
    if isinstance(parameter_of(name, known), Numeric):
        raise Unreadable(f"{one_line(name, 60)} is a range; /widen {written(name)} LOW..HIGH makes it larger")
    if not text:
        raise Unreadable("which choices?", example=True)
    return AddChoice(parameter=name, choices=tuple(value(part) for part in parts(text)))


def read_prior(rest: str, known: Known) -> Command:
    name, text = named(rest, known, "/prior")
    parameter = parameter_of(name, known)
    text = text.removeprefix("near ").lstrip()
    if (ends := bounds(text.lstrip("~"))) is not None and None not in ends:
        low, high = ends
        assert low is not None and high is not None
        return SetPrior(parameter=name, best=middle(low, high, parameter), low=low, high=high)
    parts = [word for word in blank_parts(text.lstrip("~"))]
    if not parts:
        raise Unreadable("where is its best value expected?", example=True)
    best = value_of(name, parts[0].removesuffix(","), known)
    span = bounds(" ".join(parts[1:])) if len(parts) > 1 else (None, None)
    if span is None:
        raise Unreadable(
            f"expected a range after {one_line(parts[0], 40)}, got {one_line(' '.join(parts[1:]), 40)!r}; "
            f"such as /prior {written(name)} ~{one_line(parts[0], 40)} 1e-4..1e-2"
        )
    return SetPrior(parameter=name, best=best, low=span[0], high=span[1])


def read_text(make: Callable[[str], Command]) -> Reader:
    def read(rest: str, known: Known) -> Command:
        if not rest:
            raise Unreadable("some words are expected after it")
        return make(heard(rest))

    return read


def read_decision(approved: bool) -> Reader:
    def read(rest: str, known: Known) -> Command:
        if rest:
            raise Unreadable(f"stands alone; {one_line(rest, 40)!r} was not understood")
        if known.waiting is None:
            raise Unreadable("nothing waits for approval")
        return Approve(request=known.waiting, approved=approved)

    return read


def read_of_trials(name: str, least: int, most: int) -> Reader:
    def read(rest: str, known: Known) -> Local:
        given = rest.replace(",", " ").split()
        given = [word for word in given if word.casefold() not in ("and", "with", "trial", "trials")]
        if not least <= len(given) <= most:
            raise Unreadable(
                "expected " + ("two numbers" if least > 1 else "the number of a trial"), example=True
            )
        return Local(name, tuple(str(trial_number(word, known)) for word in given))

    return read


def read_export(rest: str, known: Known) -> Local:
    found = [unquoted(word) for word in blank_parts(rest)]
    if len(found) != 1 or not found[0] or "\0" in found[0]:
        raise Unreadable("expected one file, in quotes where its name has blanks", example=True)
    return Local("export", (found[0],))
