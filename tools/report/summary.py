"""A run in a dozen lines of Markdown, to paste into a chat, a pull request or a note; all text is literal."""

from __future__ import annotations

from tunesmith.text.durations import spelled_duration
from tunesmith.text.numbers import counted, readable
from tunesmith.tools.report.believed import matter_text
from tunesmith.tools.report.data import ReportData
from tunesmith.tools.report.render import code, inline

DOUBTS = 4
"""Sentences on the run's health."""
MATTERS = 5
"""Hyperparameters that are named."""


def summary(data: ReportData) -> str:
    """Task, best, how sure, what mattered, health, cost, and how to repeat it."""
    state = data.status + (f", {data.ended}" if data.ended else "")
    lines = [f"**{inline(data.name)}**: {inline(data.metric)}, {data.direction} ({inline(state)})", ""]
    lines += [f"- To be asked first: {inline(doubt)}" for doubt in data.health[:DOUBTS]]
    if len(data.health) > DOUBTS:
        lines.append(f"- and {len(data.health) - DOUBTS} more doubts in report.md")
    lines.append(f"- {inline(data.headline)}")
    lines += [f"- How sure: {inline(said)}" for said in _sure(data)]
    matters = matter_text(data, MATTERS)
    if matters:
        lines.append(f"- What mattered: {inline(matters)}")
    beliefs = None if data.pictures is None else data.pictures.beliefs
    if beliefs is not None and beliefs.progress is not None:
        lines.append(f"- Going on: {inline(beliefs.progress.text)}")
    lines.append(f"- Cost: {inline(_cost(data))}")
    chosen = data.recommended or data.best
    if chosen is not None:
        what = "Recommended" if data.recommended is not None else "Best"
        shown = next((line.shown for line in data.trials if line.number == chosen.trial), "")
        lines += ["", f"{what} (trial {chosen.trial}): {inline(shown)}"]
    lines += ["", *(code(command, "sh") for command in data.reproduce.commands)]
    if not data.reproduce.commands:
        lines.append(inline(data.reproduce.note))
    return "\n".join(lines).rstrip() + "\n"


def _sure(data: ReportData) -> list[str]:
    said = [data.certified] if data.certified else []
    if data.comparison is not None:
        return [*said, data.comparison.sentence]
    found = data.recommended
    if found is not None:
        spread = "" if found.spread is None else f" ± {readable(found.spread, 2)}"
        expected = f"{readable(found.expected, 5)}{spread}"
        said.append(f"{expected} is expected of the recommended one on another seed.")
    return [*said, data.not_compared] if data.not_compared else said


def _cost(data: ReportData) -> str:
    parts = [
        f"{data.used.trials} of {counted(data.used.trials_limit, 'trial')}",
        spelled_duration(data.used.seconds),
    ]
    if data.used.cost is not None:
        parts.append(f"{readable(data.used.cost, 4)} units of cost")
    if data.model.names:
        dollars = "price unknown" if data.model.dollars is None else f"${data.model.dollars:.4f}"
        parts.append(f"{counted(data.model.calls, 'call')} to a language model ({dollars})")
    return ", ".join(parts) + "."
