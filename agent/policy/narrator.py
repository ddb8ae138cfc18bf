"""Explains a run from its records, through templates, without a language model."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.agent.policy.findings import predictions, what_matters
from tunesmith.goal_words import aims
from tunesmith.history import History
from tunesmith.interfaces import Briefing
from tunesmith.prompts import render
from tunesmith.text.charts import sparkline, thin
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.excerpt import census, proposal_text, row
from tunesmith.tools.analysis.goals_text import front_list, of_primary, values_text
from tunesmith.tools.analysis.limits import broken_text, none_feasible
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.tools.analysis.pareto import front_text
from tunesmith.trial import Origin, Proposal

ORIGINS = {
    Origin.DEFAULT: "the task's default",
    Origin.USER: "a person",
    Origin.MODEL: "the language model",
    Origin.SURROGATE: "the statistical model of the trials so far",
    Origin.PRIOR: "general knowledge of such hyperparameters",
    Origin.LOCAL: "a small step from one of the best trials",
    Origin.RANDOM: "a random draw",
    Origin.RETRY: "an interrupted trial, run again",
    Origin.PREVIOUS: "a result taken over from another run",
    Origin.REPLICATE: "a trial run again on another seed, because the metric is noisy",
}


def opening(
    briefing: Briefing, *, resumed: bool, standing_in: bool, chosen_by: str = "", competing: bool = False
) -> str:
    """The first text of a session; `standing_in` while a model is in use but could not decide.

    Args:
        chosen_by: The method by which a language model chooses every trial; empty where it does not.
        competing: Whether a language model proposes what competes, and decides nothing.
    """
    task, history = briefing.task, briefing.history
    best, left = history.incumbent, str(briefing.trials_left)
    if resumed and briefing.budget.cost is not None:
        left = f"Up to {left}"  # what is left in costs may pay for fewer
    return render(
        "narrator/opening",
        version=2,
        resumed=resumed,
        task=clean(task.name, 100),
        metric=clean(task.metric, 100),
        goal=history.direction,
        aims="" if history.goals.plain else _lower(aims(history.goals)),
        parameters=len(history.space.names),
        cardinality=history.space.cardinality,
        trials=left,
        default="" if history.default is None else clean(history.space.format(history.default), 400),
        census=census(history),
        best="" if best is None else f"#{best.number} with {format_metric(history, best.value)}",
        closest=none_feasible(history),
        standing_in=standing_in,
        chosen_by=chosen_by,
        competing=competing,
    ).text


def update(briefing: Briefing, findings: Sequence[str], suggestion: Proposal | None) -> str:
    """What was learned and what comes next."""
    described = "" if suggestion is None else proposal_text(briefing.history, suggestion)
    return render("narrator/update", findings=list(findings), next=described, left=briefing.trials_left).text


def why(history: History, number: int) -> str:
    """Why a trial was run and what came of it."""
    trial = history.find(number)
    if trial is None:
        return f"There is no trial {number}; {census(history)}."
    proposal = trial.proposal
    checked = predictions(history, [trial])
    if not checked and proposal.expected is not None:
        value = f"{of_primary(history)}{format_metric(history, proposal.expected)}"
        checked = [f"Predicted: {value}; the trial has not completed."]
    return render(
        "narrator/why",
        number=number,
        origin=ORIGINS[proposal.origin],
        reason=clean(proposal.reason, 600),
        row=row(history, trial),
        expected=" ".join(checked),
        evidence=list(proposal.evidence),
        prompt=proposal.prompt_id or "",
        curve=sparkline([value for _, value in thin(trial.curve, 40)]),
    ).text


def best(history: History) -> str:
    """The best trial, how far ahead of the default it is, and what seems to matter."""
    incumbent = history.incumbent
    return render(
        "narrator/best",
        row="" if incumbent is None else row(history, incumbent),
        gain=_gain(history),
        front="\n".join(text for text in (_sentence(front_text(history)), front_list(history)) if text),
        closest=none_feasible(history),
        census=census(history),
        findings=what_matters(history),
    ).text


def decision(triggers: Sequence[str]) -> str:
    """The reason recorded with a decision of the rules."""
    return render("narrator/decision", triggers=[t.replace("_", " ") for t in triggers]).text


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _sentence(text: str) -> str:
    return f"{text}:" if text else ""


def _gain(history: History) -> str:
    """The best against the default's own run; one run each, which the sentence says."""
    incumbent = history.incumbent
    default = next((t for t in history.completed if t.configuration == history.default), None)
    if incumbent is None or default is None:
        return ""
    if default.number == incumbent.number:
        if history.others:
            return "That is the default."
        return "That is the default: nothing has beaten it yet."
    assert incumbent.value is not None and default.value is not None
    gain, gave = (format_metric(history, v) for v in (abs(incumbent.value - default.value), default.value))
    if broken := broken_text(history, default):
        return f"The default gave {gave} (#{default.number}), but {broken}."
    if history.others:
        has = values_text(history, default, primary=True)
        on = any(trial.number == default.number for trial in history.front)
        return f"The default (#{default.number}) has {has} and is {'' if on else 'not '}on the front."
    return (
        f"The default gave {gave} (#{default.number}), so the gain is {gain} "
        "in one run each; the comparison over fresh seeds at the end tells whether it is real."
    )
