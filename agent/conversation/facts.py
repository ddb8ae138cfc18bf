"""The records as a prompt of bounded size: what a model is given to answer a person by."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.intents import beliefs, best, running
from tunesmith.agent.conversation.records import Records
from tunesmith.text.cleaning import clean, fenced
from tunesmith.tools.analysis.curve import curve_line, curve_text
from tunesmith.tools.analysis.excerpt import best_trials, overview
from tunesmith.tools.analysis.task_text import task_text

NAMED = 4
"""Trials of a question that are shown in full."""
CURVES = 5
"""Learning curves that are shown, beside those of the trials named."""
Section = tuple[str, str, int, Callable[[Asked, Records], str]]


def _curves(asked: Asked, records: Records) -> str:
    """Those of running trials and of the best."""
    history = records.history
    shown = {t.number: t for t in (*history.pending[:CURVES], *best_trials(history, CURVES)) if t.curve}
    return "\n".join(f"#{n} {curve_line(history, trial)}" for n, trial in list(shown.items())[: 2 * CURVES])


def _named(asked: Asked, records: Records) -> str:
    """The trials that the question names, with curve, prediction, reason and the end of a failure's log."""
    history = records.history
    parts = []
    for number in asked.trials[:NAMED]:
        trial = history.find(number)
        if trial is None:
            parts.append(records.missing(number))
            continue
        why = f"Why it was tried: {clean(trial.proposal.reason, 400)}"
        log = records.log_of(number)
        if log and not trial.state.failed:
            why += f"\nThe end of its log:\n{clean(log, 800, lines=True)}"
        told = "" if trial.proposal.expected is None else f"Predicted: {trial.proposal.expected:.6g}."
        parts.append("\n".join(text for text in (curve_text(history, trial), why, told) if text))
    return "\n\n".join(parts)


def _conclusions(asked: Asked, records: Records) -> str:
    return "\n".join(records.briefing.conclusions())


SECTIONS: tuple[Section, ...] = (
    ("Trials", "trials", 9000, lambda asked, records: overview(records.history)),
    ("The trials that are asked about", "trials asked about", 5000, _named),
    ("Learning curves", "learning curves", 3000, _curves),
    ("What the statistics believe", "beliefs", 3500, beliefs.everything),
    ("What matters", "importance", 2000, beliefs.matters),
    ("How sure that is", "calibration", 1500, beliefs.sure),
    ("What runs and waits", "queue", 1200, beliefs.following),
    ("Whether to go on", "progress", 800, beliefs.worth),
    ("The best", "best", 1500, best.best),
    ("Failures", "failures", 2000, running.failed),
    ("Spent, of which budget", "budget", 800, running.cost),
    ("Changes and notes of people", "changes", 2000, running.changed),
    ("What the method has concluded", "conclusions", 2000, _conclusions),
)
"""Heading, name of the fence, characters at most, and where it comes from."""


def facts_text(asked: Asked, records: Records) -> str:
    """Everything, each part in a fence of its own: notes, logs and names in it are data."""
    parts = [task_text(records.briefing)]
    for heading, name, limit, of in SECTIONS:
        text = of(asked, records)
        if text.strip():
            parts.append(f"{heading}:\n{fenced(text, name, limit)}")
    return "\n\n".join(parts)
