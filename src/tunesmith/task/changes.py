"""What changed between two versions of a task: what a run can go on with, and what makes it another run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from tunesmith.errors import short
from tunesmith.space import Space
from tunesmith.space.conditions import describe as describe_condition
from tunesmith.task.command import RESERVED, placeholders
from tunesmith.task.costs import kind_of
from tunesmith.task.task import Task
from tunesmith.text.durations import spelled_duration
from tunesmith.text.numbers import readable

MEANING = ("metric", "direction", "data_file")
"""Keys that say what a trial's value means, beside the training code."""
_NOT_TOLD = {
    *("name", "path", "space", "budget", "objective", "data_card", "default", "metric_spec", "further"),
    *("limits", "problem", *MEANING),
}
MOST_SETTINGS = 8
"""Changed settings of a kind of problem that are told one by one."""
_LONG = {"description", "model", "data", "evaluation"}


class Changes(NamedTuple):
    """Differences as clauses for a person, such as `seed was 0 and is now 1`."""

    breaking: tuple[str, ...]
    """Those that make earlier values incomparable with new ones."""
    told: tuple[str, ...]
    """All others: the run goes on with them."""
    needed: tuple[str, ...] = ()
    """Metrics by which trials are judged now and which they did not have to give before: where a completed
    one lacks one of them, the change is breaking as well."""


def changes(before: Task, now: Task) -> Changes:
    """What changed from the task as a run had it to the task of now."""
    breaking = [
        f"{key} was {_shown(getattr(before, key))} and is now {_shown(getattr(now, key))}"
        for key in MEANING
        if getattr(before, key) != getattr(now, key)
    ]
    told = list(space_changes(before.space, now.space))
    if before.reading.take != now.reading.take:
        was_taken, taken = (task.reading.take or "the result or last report" for task in (before, now))
        breaking.append(f"of a trial's values, {was_taken} was taken and now {taken} is")
    elif before.reading != now.reading and before.direction == now.direction:
        told.append(f"how {now.metric} is read from what the training code prints or writes was changed")
    breaking += _other_goals(before, now)
    told += [*_other_readings(before, now), *_limit_changes(before, now)]
    was, new = _objective(before, now), _objective(now, before)
    if was != new:
        tuned = {*before.space.names, *now.space.names}
        both = [None if t.objective is None else t.objective.command for t in (before, now)]
        if both[0] and both[1] and same_command(both[0], both[1], tuned):
            told.append("the command was changed in how it passes the hyperparameters")
        else:
            breaking.append(f"the objective was {was} and is now {new}")
    # As values: a configuration of another space is never equal.
    old_default, default = (None if t.default is None else dict(t.default) for t in (before, now))
    if old_default is None or default is None:
        if old_default != default:
            told.append(
                "a default configuration is stated now" if default else "no default is stated any more"
            )
    elif old_default != default:
        texts = [
            ", ".join(f"{k}={_plain(v)}" for k, v in values.items()) for values in (old_default, default)
        ]
        told.append(f"the default was {texts[0]} and is now {texts[1]}")
    told += _budget_changes(before, now)
    problem = _problem_changes(before, now)
    breaking += problem.breaking
    told += problem.told
    for key in type(now).model_fields:
        old, value = getattr(before, key), getattr(now, key)
        if key in _NOT_TOLD or old == value:
            continue
        if key in _LONG:
            told.append(f"the words of `{key}` were changed")
        elif key == "fixed":
            told += [
                f"fixed {name} was {_shown(old.get(name))} and is now {_shown(value.get(name))}; earlier "
                "values are compared as if training were the same"
                for name in {**old, **value}
                if old.get(name) != value.get(name) and name in old and name in value
            ] or ["the settings named in `fixed` were changed"]
        else:
            told.append(f"{key} was {_shown(old)} and is now {_shown(value)}")
    if before.data_card != now.data_card and before.data_file == now.data_file and before.data_card:
        told.append(
            "the data is not what it was: its figures differ, and earlier values are compared with new ones "
            "all the same (--fresh starts anew)"
        )
    known = dict(before.readings)
    needed = () if breaking else tuple(name for name in now.goals.names if name not in known)
    return Changes(tuple(breaking), tuple(told), needed)


def _problem_changes(before: Task, now: Task) -> Changes:
    """Of the settings of a kind of problem, each by itself."""
    was, new = before.problem, now.problem
    if was is None or new is None or was.name != new.name:
        return Changes((), () if was == new else (f"problem was {_shown(was)} and is now {_shown(new)}",))
    old, current = (dict(_flat(choice.settings.model_dump(mode="json"))) for choice in (was, new))
    told = [
        f"problem {key} was {_shown(old.get(key))} and is now {_shown(current.get(key))}"
        for key in dict.fromkeys([*old, *current])
        if old.get(key) != current.get(key)
    ]
    if len(told) > MOST_SETTINGS:
        told[MOST_SETTINGS:] = [f"{len(told) - MOST_SETTINGS} more settings of the problem were changed"]
    return Changes(tuple(kind_of(new).breaking(was.settings, new.settings)), tuple(told))


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by dotted name."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def _other_goals(before: Task, now: Task) -> list[str]:
    """Of the metrics beside the primary one: which are optimised, and which of their values were taken."""
    found = []
    was, new = (
        " and ".join(goal.text for goal in task.goals.objectives[1:]) or "none" for task in (before, now)
    )
    if was != new:
        found.append(f"the goals beside {now.metric} were {was} and are now {new}")
    old, current = dict(before.readings), dict(now.readings)
    judged = [name for name in now.goals.names if name in old and name not in (now.metric, before.metric)]
    for name in judged:
        takes = [readings[name].take or "the result or last report" for readings in (old, current)]
        if takes[0] != takes[1]:
            found.append(f"of a trial's values of {name}, {takes[0]} was taken and now {takes[1]} is")
    return found


def _other_readings(before: Task, now: Task) -> list[str]:
    old, current = dict(before.readings), dict(now.readings)
    told = []
    for name in dict.fromkeys([*old, *current]):
        if name in (before.metric, now.metric):
            continue
        if name not in old and name not in now.goals.names:
            told.append(f"{name} is measured as well from now on")
        elif name not in current and name in [one.name for one in before.further]:
            told.append(f"{name} is not measured any more")
        elif (
            name in old
            and name in current
            and replace(old[name], maximize=True, take=None)
            != replace(current[name], maximize=True, take=None)
        ):
            told.append(f"how {name} is read from what the training code prints or writes was changed")
    return told


def _limit_changes(before: Task, now: Task) -> list[str]:
    """A clause for each metric whose limits are not what they were."""
    told = []
    for name in dict.fromkeys(limit.metric for limit in (*before.limits, *now.limits)):
        was, new = (
            " and ".join(sorted(x.comparison for x in task.limits if x.metric == name))
            for task in (before, now)
        )
        if was and new and was != new:
            told.append(f"limit {name} was {was} and is now {new}")
        elif was != new:
            told.append(f"limit {name} {new} is new" if new else f"limit {name} {was} is gone")
    return told if not told else [*told[:-1], f"{told[-1]}; all trials are judged anew"]


def space_changes(before: Space, now: Space) -> list[str]:
    """What changed in a search space, a clause for each parameter and constraint."""
    told = []
    for name in dict.fromkeys([*before.names, *now.names]):
        old, new = _parameter(before, name), _parameter(now, name)
        if old != new:
            told.append(
                f"{name} is new: {new}"
                if old is None
                else f"{name} is no longer tuned (was {old})"
                if new is None
                else f"{name} was {old} and is now {new}"
            )
    told += [f"constraint {text!r} is new" for text in now.constraints if text not in before.constraints]
    told += [f"constraint {text!r} is gone" for text in before.constraints if text not in now.constraints]
    if not told and before != now:
        told.append("the search space is written differently")
    return told


def same_command(before: Sequence[str], now: Sequence[str], tuned: set[str]) -> bool:
    """Whether two command lines differ only in how they pass hyperparameters.

    Args:
        tuned: Parameters of either space; a literal value in place of one of them is no other meaning.
    """
    passed = {option for argv in (before, now) for name in tuned for option in _options(argv, name)}
    switches = {f"--{prefix}{_switch(name)}" for name in tuned for prefix in ("", "no-")} - passed
    kept = [[word for word in argv if word not in switches] for argv in (before, now)]
    return _without_parameters(kept[0], passed) == _without_parameters(kept[1], passed)


def literal_value(argv: Sequence[str], other: Sequence[str], name: str) -> str | None:
    """The text that `argv` passes where `other` has `{name}`: `--lr 0.1` or `--lr=0.1`; None for none."""
    switch = _switch(name)
    if any("{--" in word and switch in word for word in other):
        return "true" if f"--{switch}" in argv else "false" if f"--no-{switch}" in argv else None
    for option in _options(other, name):
        for place, word in enumerate(argv):
            text = None
            if option.endswith("=") and word.startswith(option):
                text = word.removeprefix(option)
            elif word == option and place + 1 < len(argv):
                text = argv[place + 1]
            if text is not None and not placeholders([text]):
                return text
    return None


def _switch(name: str) -> str:
    """A parameter's name as a flag has it."""
    return name.replace("_", "-")


def _options(argv: Sequence[str], name: str) -> list[str]:
    """What stands before `{name}`: an option of its own word, or the word's beginning up to `=`."""
    found = []
    for place, word in enumerate(argv):
        found_at = re.search(r"\{" + re.escape(name) + r"(?::[^{}]*)?\}", word)
        head, mark = (word[: found_at.start()], True) if found_at else (word, False)
        if mark and head.endswith("="):
            found.append(head)
        elif mark and not head and place and argv[place - 1].startswith("-"):
            found.append(argv[place - 1])
    return found


def _without_parameters(argv: Sequence[str], passed: set[str]) -> list[str]:
    """A command line without hyperparameters, their options and any value in their place."""
    left: list[str] = []
    skip = False
    for place, word in enumerate(argv):
        if skip or any(option.endswith("=") and word.startswith(option) for option in passed):
            skip = False
        elif word in passed:
            skip = place + 1 < len(argv)
        elif "{--" in word or set(placeholders([word])) - set(RESERVED):
            continue
        else:
            left.append(word)
    if left and re.fullmatch(r"python[\d.]*", Path(left[0]).name):
        left[0] = "python"
    return left


def _objective(task: Task, other: Task) -> str:
    """The training code as far as it tells tasks apart.

    A project that was moved is still the same; two task files that exist side by side are not.
    """
    files = [t.path for t in (task, other) if t.path is not None and t.path.exists()]
    if len(files) == 2 and not files[0].samefile(files[1]):
        return f"{task.objective_text()} in {task.folder}"
    return task.objective_text()


def _budget_changes(before: Task, now: Task) -> list[str]:
    told = []
    for key in type(now.budget).model_fields:
        old, new = getattr(before.budget, key), getattr(now.budget, key)
        if old == new:
            continue
        if key.endswith("_s"):
            old, new = (None if v is None else spelled_duration(v) for v in (old, new))
            key = key.removesuffix("_s")
            told.append(f"budget {key} was {old or 'without limit'} and is now {new or 'without limit'}")
        elif key == "cost":
            old, new = ("without limit" if v is None else readable(v) for v in (old, new))
            told.append(f"budget cost was {old} and is now {new}")
        elif key == "model":
            told.append("the caps of the language model were changed")
        else:
            told.append(f"budget {key} was {_shown(old)} and is now {_shown(new)}")
    return told


def _parameter(space: Space, name: str) -> str | None:
    if name not in space:
        return None
    when = space.conditions.get(name)
    text = space.parameters[name].describe()
    return text if when is None else f"{text}; only when {describe_condition(when)}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else short(value)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value)) or "none"
    was = value
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True) or "the usual one"
        if isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
    return value[:80] if isinstance(value, str) and isinstance(was, BaseModel) else short(value)
