"""Which trials a person wants to see: `state=pruned lr<0.01 who=model`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.text.literal import one_line
from tunesmith.trial import Value
from tunesmith.tui.trial_view import STATES, TrialView

_TERM = re.compile(r"(?P<name>.+?)(?P<operator><=|>=|!=|==|=|<|>|~)(?P<value>.*)", re.DOTALL)
_ORDERED: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
STATE_WORDS = (*(word for _, word, _ in STATES.values()), "failed", "infeasible", "best", "front", "history")
"""What `state=` may be; `failed` stands for every way of failing."""
Holds = Callable[[TrialView], bool]


class FilterError(ValueError):
    """A filter that cannot be followed; the text says why and what there is."""


@dataclass(frozen=True)
class Names:
    """What a filter may name, beside `state`, `who`, `trial` and `seconds`.

    Attributes:
        metric: The primary metric; `value` means it too.
        others: Further metrics.
        parameters: Hyperparameters, by name and by abbreviation.
    """

    metric: str = "value"
    others: tuple[str, ...] = ()
    parameters: Mapping[str, str] = ()  # type: ignore[assignment]

    def words(self) -> str:
        """All of them, for a person."""
        names = ["state", "who", "trial", "seconds", self.metric, *self.others, *dict(self.parameters)]
        return ", ".join(one_line(name, 40) for name in dict.fromkeys(names))


def matcher(text: str, names: Names) -> Holds:
    """What decides whether a trial is shown; every term, separated by blanks, has to hold.

    A term is `NAME=VALUE` with `=`, `!=`, `<`, `<=`, `>`, `>=` or `~` (contains), or a word that the state,
    the origin or a value of the configuration contains. A trial without the named value does not match,
    `!=` neither.

    Raises:
        FilterError: A name that there is not, or a value that cannot be compared.
    """
    terms = [_term(term, names) for term in text.split()]
    return lambda trial: all(holds(trial) for holds in terms)


def _term(term: str, names: Names) -> Holds:
    found = _TERM.fullmatch(term)
    if found is None:
        if term[0] in "=<>~!":
            raise FilterError(f"{one_line(term, 40)!r} has no name before it, such as lr<0.01")
        word = term.lower()
        return lambda trial: any(word in text.lower() for text in _texts(trial))
    name, operator, value = found["name"], found["operator"], found["value"]
    if not value:
        raise FilterError(f"{one_line(term, 40)!r} has no value behind it, such as {one_line(name, 20)}=1")
    read = _reader(name, names)
    if name.lower() == "state" and operator in ("=", "==", "!=") and value.lower() not in STATE_WORDS:
        raise FilterError(f"there is no state {one_line(value, 40)!r}; there are {', '.join(STATE_WORDS)}")
    if operator in _ORDERED:
        compare, bound = _ORDERED[operator], _number(value)
        if bound is None:
            raise FilterError(f"{one_line(value, 40)!r} is no number, so {operator} cannot compare with it")
        wanted = bound  # for the closure: a float

        def ordered(trial: TrialView) -> bool:
            return any(
                compare(float(each), wanted)
                for each in read(trial)
                if isinstance(each, int | float) and not isinstance(each, bool)
            )

        return ordered
    if operator == "~":
        return lambda trial: any(value.lower() in str(each).lower() for each in read(trial))
    same: Callable[[Value], bool] = lambda each: _equal(each, value)  # noqa: E731
    if operator == "!=":
        return lambda trial: bool(given := read(trial)) and not any(map(same, given))
    return lambda trial: any(map(same, read(trial)))


def _reader(name: str, names: Names) -> Callable[[TrialView], Sequence[Value]]:
    """Reads the values that a trial has under a name; none where it has no such."""
    parameters = dict(names.parameters)
    if name in parameters:
        full = parameters[name]
        return lambda t: (
            ()
            if t.proposal is None or full not in t.proposal.configuration
            else (t.proposal.configuration[full],)
        )
    if name in (names.metric, "value"):
        return lambda t: () if t.value is None else (t.value,)
    if name in names.others:
        return lambda t: (t.values[name],) if name in t.values else ()
    match name.lower():
        case "state":
            return _states
        case "who" | "by" | "origin":
            return lambda t: (t.origin,)
        case "trial" | "number" | "#":
            return lambda t: (t.number,)
        case "seconds":
            return lambda t: (t.seconds,)
    raise FilterError(f"there is no {one_line(name, 40)!r}; there are {names.words()}")


def _states(trial: TrialView) -> tuple[str, ...]:
    also = (
        ("failed", trial.state.failed),
        ("infeasible", trial.infeasible),
        ("best", trial.best),
        ("front", trial.front),
        ("history", trial.left),
    )
    return (STATES[trial.state][1], *(word for word, true in also if true))


def _texts(trial: TrialView) -> tuple[str, ...]:
    values = () if trial.proposal is None else tuple(map(str, trial.proposal.configuration.values()))
    return (*_states(trial), trial.origin, *values)


def _equal(value: Value, text: str) -> bool:
    number = _number(text)
    if number is not None and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) == number
    return str(value).lower() == text.lower()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
