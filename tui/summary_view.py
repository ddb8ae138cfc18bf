"""How good, what it believes, what next: the lines that are always to be seen."""

from __future__ import annotations

from tunesmith.beliefs import Beliefs
from tunesmith.goal_words import primary
from tunesmith.text import numbers
from tunesmith.text.literal import one_line
from tunesmith.tui.spans import Span, Spans
from tunesmith.tui.state import RunView

MOST_PARAMETERS = 3
"""Hyperparameters in the line of beliefs."""


def summary(view: RunView) -> list[Spans]:
    """Two or three lines, not cut to any width."""
    lines = [_best(view)]
    if view.beliefs is not None:
        lines.append(_beliefs(view.beliefs))
    lines.append(_next(view))
    return lines


def _best(view: RunView) -> Spans:
    if view.best is None or view.trials[view.best].value is None:
        return (("best      ", "dim"), ("no trial has completed yet", ""))
    trial, facts = view.trials[view.best], view.facts
    assert trial.value is not None
    metric = "" if facts.goals is not None else f"{facts.metric} "
    return (
        ("best      ", "dim"),
        (metric, ""),
        (primary(facts.goals, trial.value), "best"),
        (f" #{trial.number}", "dim"),
        (_expected(view), ""),
        ("  ", ""),
        (trial.configuration(facts.write), "dim"),
    )


def _expected(view: RunView) -> str:
    """What is expected of the best trial on another seed: its own value is partly luck."""
    best = None if view.beliefs is None else view.beliefs.best
    if best is None or best.number != view.best:
        return ""
    return f" (expected over seeds {numbers.readable(best.mean, 3)} ± {numbers.readable(best.spread, 2)})"


def _beliefs(beliefs: Beliefs) -> Spans:
    """Where the optimum is expected and how sure that is, of the hyperparameters that matter most."""
    spans: list[Span] = [("believes  ", "dim"), ("best near ", "dim")]
    most = beliefs.parameters[:MOST_PARAMETERS]
    for number, each in enumerate(most):
        where = (
            f"{one_line(each.low, 40)} to {one_line(each.high, 40)}"
            if each.low
            else _percent(each.probability)
        )
        if each.unsure:
            where = f"unsure, {where}"
        spans.append((f"{', ' if number else ''}{one_line(each.name, 24)} ", ""))
        spans += [(one_line(each.expected, 40), "strong"), (f" ({where})", "dim")]
    matter = [f"{one_line(each.name, 24)} {_percent(each.importance)}" for each in most if each.importance]
    if matter:
        spans.append((f"; matters: {', '.join(matter)}", "dim"))
    if beliefs.faults:
        spans.append((f"; {one_line(beliefs.faults[0].rstrip('.'), 100)}", "warn"))
    if beliefs.progress is not None:
        spans.append((f"; {one_line(beliefs.progress.text, 120)}", "dim"))
    return tuple(spans)


def _percent(share: float) -> str:
    return f"{numbers.significant(100 * share, 2)} %"


def _next(view: RunView) -> Spans:
    if view.started is None:
        return (("next      ", "dim"), ("the run has not started", ""))
    if view.over:
        again = "; the command that started it goes on" if view.state in ("interrupted", "stopped") else ""
        ending = view.recommended or f"{view.state}: {view.ending}{again}"
        return (("next      ", "dim"), (one_line(ending, 300), ""))
    told = {each.number: each.text for each in view.beliefs.next} if view.beliefs is not None else {}
    running = view.running_numbers
    if not running:
        waits = "paused: /resume goes on" if view.state == "paused" else "the next trial is being chosen"
        return (("next      ", "dim"), (waits, ""))
    newest = running[-1]
    proposal = view.trials[newest].proposal
    reason = told.get(newest) or (proposal.reason if proposal is not None else "")
    others = "".join(f" #{number}" for number in running[:-1][-4:])
    return (
        ("running   ", "dim"),
        (f"#{newest} ", "strong"),
        (one_line(reason, 300), ""),
        (f"  also{others}" if others else "", "dim"),
    )


def about(view: RunView) -> Spans:
    """What is tuned and with what, for the title line."""
    facts, started = view.facts, view.started
    words: list[str] = []
    if facts.direction is not None:
        words.append(f"{facts.direction} {facts.metric}")
    if started is not None:
        words.append(one_line(started.strategy, 30))
        words.append(one_line(started.model, 30) if started.model else "no language model")
    return ((" · ".join(words), "dim"),)
