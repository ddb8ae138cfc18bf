"""What is running, what it costs, what failed, what was changed."""

from __future__ import annotations

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.intents.base import Intent
from tunesmith.agent.conversation.memory import as_text, remembered
from tunesmith.agent.conversation.records import Records
from tunesmith.agent.policy.findings import findings
from tunesmith.commands import ChangeBudget, SetPrior
from tunesmith.events import Noted, Steered, TaskChanged
from tunesmith.steering.versions import versions_text
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted, significant
from tunesmith.time_left import about
from tunesmith.tools.analysis.curve import curve_line
from tunesmith.tools.analysis.excerpt import census, proposal_text, row
from tunesmith.tools.analysis.failures import failure_patterns
from tunesmith.tools.analysis.limits import broken_text
from tunesmith.tools.records.log_reading import conversation_spent

MOST = 6


def running(asked: Asked, records: Records) -> str:
    """Trials that run, with their curves so far, and what waits."""
    history, queued = records.history, records.briefing.queued
    lines = [f"{census(history)}."]
    if records.briefing.paused:
        lines.append("The run is paused: no further trial starts until /resume.")
    for trial in history.pending[:MOST]:
        lines.append(row(history, trial) + (f"\n{curve_line(history, trial)}" if trial.curve else ""))
    if not history.pending:
        lines.append("Nothing is running.")
    lines += [f"Queued: {proposal_text(history, proposal)}" for proposal in queued[:MOST]]
    return "\n".join(lines)


def failed(asked: Asked, records: Records) -> str:
    """Failures by pattern, and the latest of each kind with its cause."""
    history = records.history
    if not history.failures and not any(broken_text(history, t) for t in history.completed):
        pruned = (
            f" {counted(len(history.pruned), 'trial was', 'trials were')} stopped early."
            if history.pruned
            else ""
        )
        return f"No trial has failed: {census(history)}.{pruned}"
    lines = [f"{counted(len(history.failures), 'trial')} failed: {census(history)}."]
    patterns = failure_patterns(history)
    told = [text for text in findings(history, ()) if text.startswith("All ")]
    lines += told if patterns else ["They have no value in common that the others lack."]
    latest = {trial.state: trial for trial in history.failures}
    for trial in list(latest.values())[:MOST]:
        lines.append(row(history, trial))
    return "\n".join(lines)


def cost(asked: Asked, records: Records) -> str:
    """What the run has spent of each budget, that of questions included."""
    briefing = records.briefing
    spend, budget = briefing.spend, briefing.budget
    lines = [f"Trials: {spend.trials} of {budget.trials}."]
    time = f"Time: {about(spend.seconds)}"
    lines.append(f"{time} of {about(budget.wall_time_s)}." if budget.wall_time_s is not None else f"{time}.")
    if spend.cost or budget.cost is not None:
        most = "" if budget.cost is None else f" of {significant(budget.cost)}"
        lines.append(f"Cost of the trials: {significant(spend.cost)}{most}.")
    for name, used, caps in (
        ("Language model, search", spend.model, budget.model),
        ("Language model, conversation", conversation_spent(records.events), budget.conversation),
    ):
        dollars = "price unknown" if used.dollars is None else f"${used.dollars:.4f}"
        most = "" if caps.calls is None else f" of {caps.calls}"
        lines.append(f"{name}: {used.calls}{most} calls, {used.tokens:,} tokens, {dollars}.")
    return "\n".join(lines)


def changed(asked: Asked, records: Records) -> str:
    """What people changed of the task, and what was noted."""
    lines: list[str] = []
    told = False  # whether a command's own line says what the event after it would
    for event in records.events:
        if isinstance(event, TaskChanged):
            if told:
                told = False
                continue
            lines += [clean(change, 300) for change in event.changes]
            lines += [event.text] if event.text else []
        elif isinstance(event, Steered):
            told = not isinstance(event.command, ChangeBudget | SetPrior)
            back = f" (takes back change {event.undone})" if event.undone is not None else ""
            lines.append(f"Change {event.change}, at trial {event.started}: {clean(event.text, 300)}{back}")
        elif isinstance(event, Noted) and event.by == "person":
            lines.append(f"Note: {clean(event.text, 300)}")
    return "\n".join(lines[-20:]) or "Nobody has changed this run, and nothing was noted."


def space(asked: Asked, records: Records) -> str:
    """The search space of now, and which trials of other ones count in it."""
    lines = [clean(records.history.space.describe(), 3000, lines=True)]
    versions = records.briefing.spaces()
    if len(versions) > 1:
        lines.append(versions_text(versions))
    return "\n".join(lines)


def said(asked: Asked, records: Records) -> str:
    """What was asked and answered before, the latest last."""
    return as_text(remembered(records.events)) or "Nothing was said in this run before."


SPACE = Intent(
    "space",
    "the search space, and its versions",
    lambda a, r: a.has("space", "range", "bound", "hyperparameter") and not a.has("matter", "importan"),
    space,
)
SAID = Intent(
    "what did I ask?",
    "the talk so far",
    lambda a, r: a.says("i ask", "i asked", "we talk", "i say", "i said", "so far said", "talk so far"),
    said,
)
RUNNING = Intent(
    "which are running?",
    "running trials with their curves, and the queue",
    lambda a, r: (
        a.has("running", "runs", "busy", "status", "waiting", "workers", "paused", "happening")
        or a.says("going on", "going", "what's up", "whats up", "doing")
    ),
    running,
)
FAILED = Intent(
    "what failed, and why?",
    "failures by pattern",
    lambda a, r: a.has("fail", "crash", "diverg", "error", "broke", "wrong", "memory", "infeasib"),
    failed,
)
COST = Intent(
    "what does it cost?",
    "what is used of each budget",
    lambda a, r: (
        a.has("cost", "spen", "budget", "money", "dollar", "token", "price", "expens")
        or a.says("how much", "how many calls", "time left")
    ),
    cost,
)
CHANGED = Intent(
    "what changed?",
    "what people changed and noted",
    lambda a, r: a.has("changed", "changes", "notes", "noted", "steer", "history"),
    changed,
)
