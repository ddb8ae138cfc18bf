"""Arguments of typed lines: hyperparameters, their values, numbers of trials, ranges."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.space.choices import Listed
from tunesmith.space.numeric import Numeric
from tunesmith.space.parameter import Parameter
from tunesmith.steering.tokens import Unreadable, listed, number, unquoted, value, words, written
from tunesmith.steering.verbs import Known
from tunesmith.text.literal import one_line
from tunesmith.text.suggestions import did_you_mean


def reason_of(rest: str) -> tuple[str, dict[str, str]]:
    """What stands before `because`, and the reason, if there is one."""
    begun = 0
    while (at := rest.casefold().find("because", begun)) >= 0 and len(rest.casefold()) == len(rest):
        before, after = rest[:at], rest[at + 7 :]
        if (not before or before[-1].isspace()) and after[:1].isspace():
            return before.strip(), {"reason": heard(after.strip())}
        begun = at + 7
    return rest, {}


def heard(text: str) -> str:
    """Words as they are; where they are one text in quotes, what that says."""
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return str(found)
    return text


def trial_number(text: str, known: Known) -> int:
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Unreadable(f"expected the number of a trial, got {one_line(text, 40)!r}; such as 7")
    if known.trials is not None and int(digits) not in known.trials:
        there = (
            f"there are {min(known.trials)} to {max(known.trials)}" if known.trials else "there is none yet"
        )
        raise Unreadable(f"there is no trial {int(digits)}; {there}")
    return int(digits)


def budget_of_trials(text: str) -> dict[str, int]:
    found = number(text)
    if found is None or found != int(found):
        raise Unreadable(f"expected a whole number of trials, got {one_line(text, 40)!r}; such as +10 or 50")
    if text.strip()[0] in "+-":
        return {"more_trials": int(found)}
    if found < 1:
        raise Unreadable("a run needs at least 1 trial")
    return {"trials": int(found)}


def named(rest: str, known: Known, verb: str) -> tuple[str, str]:
    """The hyperparameter that a line begins with, and what follows it."""
    pieces = words(rest)
    if not pieces:
        raise Unreadable("which hyperparameter?", example=True)
    first, *more = pieces
    name, text = (first.name, [first.text]) if first.name else (unquoted(first.text), [])
    if name.endswith(":") and known.space is not None and name not in known.space.parameters:
        name = name[:-1]
    text += [f"{word.name}={word.text}" if word.name else word.text for word in more]
    return parameter_name(name, known, f"{verb} {rest}"), " ".join(filter(None, text)).strip()


def parameter_name(name: str, known: Known, line: str) -> str:
    """The hyperparameter meant: by its name, its abbreviation, or but for case and dashes."""
    if not name:
        raise Unreadable("which hyperparameter?")
    if known.space is None or name in known.space.parameters:
        return name
    if name in known.short:
        return known.short[name]
    names = list(known.space.parameters)
    alike = [each for each in names if _folded(each) == _folded(name)]
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(name, names)
    if hint.startswith("did you mean"):
        meant = hint.removeprefix("did you mean ").removesuffix("?")[1:-1]
        hint = f"did you mean {one_line(line.replace(name, meant, 1), 100)}"
        hint += "?"
    raise Unreadable(f"there is no hyperparameter {one_line(name, 60)!r}; {hint}")


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


def parameter_of(name: str, known: Known) -> Parameter | None:
    return None if known.space is None else known.space.parameters.get(name)


def value_of(name: str, text: str, known: Known) -> Any:
    """A value of a hyperparameter's kind; whether it lies in the range is the engine's to say."""
    parameter, read = parameter_of(name, known), value(text)
    if not text:
        raise Unreadable(f"{one_line(name, 60)}= has no value")
    if parameter is None:
        return read
    if isinstance(parameter, Numeric):
        found = number(text) if isinstance(read, str) else read
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise Unreadable(f"{one_line(name, 60)} takes {parameter.describe()}, got {one_line(text, 40)!r}")
        if parameter.whole and isinstance(found, float):
            if found != int(found):
                raise Unreadable(
                    f"{one_line(name, 60)} takes {parameter.describe()}, got {one_line(text, 40)!r}"
                )
            found = int(found)
        return found
    quoted = text[:1] in ('"', "'")
    for candidate in (read,) if quoted else (read, text):
        if parameter.check(name, candidate) is None:
            return parameter.canonical(candidate)
    assert isinstance(parameter, Listed)
    alike = [choice for choice in parameter.listed if str(choice).casefold() == str(read).casefold()]
    if len(alike) == 1 and not quoted:
        return alike[0]
    nearest = parameter.nearest(read)
    hint = (
        ""
        if nearest is None
        else f"; did you mean {one_line(written(name), 60)}={one_line(written(nearest), 60)}?"
    )
    raise Unreadable(
        f"{one_line(name, 60)} is {one_line(parameter.describe(), 200)}, not {one_line(text, 40)!r}{hint}"
    )


def several(name: str, text: str, known: Known) -> tuple[Any, ...]:
    return tuple(value_of(name, part, known) for part in parts(text))


def parts(text: str) -> list[str]:
    """Choices between commas, or between blanks where there is no comma."""
    found = listed(text)
    return found if len(found) != 1 else blank_parts(found[0])


def blank_parts(text: str) -> list[str]:
    return [f"{word.name}={word.text}" if word.name else word.text for word in words(text)]


def expects_range(name: str, text: str, parameter: Parameter | None) -> str:
    now = "" if parameter is None else f" (now {parameter.describe()})"
    got = f", got {one_line(text, 40)!r}" if text else ""
    return f"expected a range for {one_line(name, 60)}{now}{got}"


def middle(low: float, high: float, parameter: Parameter | None) -> float:
    """The middle of a range on the hyperparameter's scale."""
    if parameter is not None and not parameter.check("", low) and not parameter.check("", high):
        middle = parameter.from_unit((parameter.to_unit(low) + parameter.to_unit(high)) / 2)
        if isinstance(middle, int | float):
            return middle
    log = low > 0 and high / low >= 10
    return float((low * high) ** 0.5) if log else (low + high) / 2
