"""What stands over the prompt: what waits for approval, questions that wait, what a typed line would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tunesmith.commands import (
    AddChoice,
    Ask,
    ChangeBudget,
    Command,
    Freeze,
    Kill,
    Narrow,
    SetPrior,
    Try,
    Widen,
)
from tunesmith.errors import InvalidConfiguration
from tunesmith.history import History
from tunesmith.steering.applying import applied, filled
from tunesmith.steering.completion import menu
from tunesmith.steering.faults import CannotSteer
from tunesmith.steering.lines import BY_NAME, read_line
from tunesmith.steering.verbs import LineFault, Local
from tunesmith.steering.written import line_of
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import counted
from tunesmith.tui.spans import Spans
from tunesmith.tui.state import RunView
from tunesmith.tui.typed_lines import known_of

MENU_ROWS = 5
MOST_ACTIONS = 4
MOST_QUEUED = 2
LONGEST = 300
MOST_TRIALS = 1_000
"""Trials that a preview looks at: the newest, and the best."""


Past = Callable[[], History | None]
"""The trials that count, worked out when a preview needs them."""


class LastHistory:
    """The history of a view, built anew only once a trial has ended since: keys come faster than trials."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._key: object = None
        self._found: History | None = None

    def __call__(self) -> History | None:
        view = self._view
        key = (view.completed, view.best, view.facts)
        if key != self._key:
            past = view.history
            if past is not None and len(past) > MOST_TRIALS:
                newest = past.trials[-MOST_TRIALS:]
                best = tuple(t for t in past.trials[:-MOST_TRIALS] if t.number == view.best)
                past = replace(past, trials=(*best, *newest))
            self._key, self._found = key, past
        return self._found


def over_prompt(view: RunView, text: str, past: Past) -> list[Spans]:
    """Lines over the prompt while it holds `text`; few, clean, none where there is nothing to say."""
    return [*waiting_lines(view), *queued_lines(view), *typed_lines(view, text, past)]


def waiting_lines(view: RunView) -> list[Spans]:
    """What waits for a yes or no, and what it changes."""
    if view.proposed is None:
        return []
    keys = "type y to carry it out, n to drop it"
    lines: list[Spans] = [(("? waits for approval: ", "warn"), (keys, "strong"))]
    pairs = list(zip(view.proposed.actions, view.proposed.effects, strict=False))
    for action, effect in pairs[:MOST_ACTIONS]:
        lines.append(((f"  {one_line(line_of(action), 100)}  ", "accent"), (one_line(effect, LONGEST), "")))
    if len(pairs) > MOST_ACTIONS:
        lines.append(((f"  and {len(pairs) - MOST_ACTIONS} more, in the conversation", "dim"),))
    return lines


def queued_lines(view: RunView) -> list[Spans]:
    """Questions without an answer yet, in their order."""
    if not view.asked:
        return []
    asked = list(view.asked.values())
    lines: list[Spans] = [(("… answering: ", "model"), (one_line(asked[0], 100), "dim"))]
    if len(asked) > 1:
        shown = " · ".join(one_line(text, 40) for text in asked[1 : 1 + MOST_QUEUED])
        lines.append(((f"  then {counted(len(asked) - 1, 'question')}: ", "dim"), (shown, "dim")))
    return lines


def typed_lines(view: RunView, text: str, past: Past) -> list[Spans]:
    """The commands that may be meant, or what the typed one would do."""
    if not text.startswith("/"):
        return []
    name, *rest = text.split(maxsplit=1)
    if not rest and not text[-1:].isspace() and name not in BY_NAME:
        found = menu(text)
        lines: list[Spans] = [
            ((f"  {verb.name} {verb.takes}  ", "accent"), (verb.help, "dim")) for verb in found[:MENU_ROWS]
        ]
        if len(found) > MENU_ROWS:
            lines.append(((f"  and {len(found) - MENU_ROWS} more; tab goes through them", "dim"),))
        return lines or [((f"  there is no {one_line(name, 40)}; /help lists the commands", "warn"),)]
    verb = BY_NAME.get(name.casefold())
    if verb is not None and not rest:
        example = f"; such as {verb.example}" if verb.takes else ""
        return [((f"  {verb.name} {verb.takes}  ", "accent"), (verb.help + example, "dim"))]
    read = read_line(text, known_of(view))
    if isinstance(read, LineFault):
        return [((f"  {read.text}", "warn"),)]
    return [] if isinstance(read, Local) else preview(view, read, past())


def preview(view: RunView, command: Command, past: History | None) -> list[Spans]:
    """What a command would do, by the functions that the engine carries it out with."""
    task = view.facts.task
    if task is None or past is None:
        return []
    match command:
        case Try(values=values):
            best = None if view.best is None else view.trials[view.best].proposal
            whole, added = filled(values, task.space, None if best is None else best.configuration)
            try:
                checked = task.space.validate(whole)
            except InvalidConfiguration as error:
                return [((f"  {one_line(error, LONGEST)}", "warn"),)]
            shown = one_line(task.space.format(checked), LONGEST)
            where = "the middle of the range" if best is None else f"trial {view.best}, the best"
            rest = f"  ({', '.join(one_line(n, 40) for n in added[:6])} as in {where})" if added else ""
            return [(("  runs next: ", "dim"), (shown, ""), (rest, "dim"))]
        case Freeze() | Narrow() | Widen() | AddChoice() | ChangeBudget() | SetPrior():
            try:
                change = applied(task, command, past)
            except CannotSteer as error:
                return [((f"  {one_line(error, LONGEST)}", "warn"),)]
            newest = "the newest " if len(past) >= MOST_TRIALS else ""
            count = f"{newest}{counted(len(past), 'completed trial')}"
            stays = f"; {len(past) - len(change.left)} of {count} stay in it"
            told = stays if change.space and len(past) else ""
            return [(("  changes ", "dim"), (one_line(change.text, LONGEST), ""), (told, "dim"))]
        case Kill(number=number):
            trial = view.trials.get(number)
            last = f", last report {trial.curve[-1][1]:.4g}" if trial is not None and trial.curve else ""
            return [((f"  ends trial {number}{last}; it counts as pruned", "dim"),)]
        case Ask():
            return []
        case _:
            return (
                [((f"  {BY_NAME[f'/{command.kind}'].help}", "dim"),)] if f"/{command.kind}" in BY_NAME else []
            )
