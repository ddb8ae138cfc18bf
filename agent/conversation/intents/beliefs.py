"""What the run believes: what matters, how sure that is, where an optimum is expected, whether to go on."""

from __future__ import annotations

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.intents.base import Intent
from tunesmith.agent.conversation.records import Records
from tunesmith.agent.policy.findings import what_matters
from tunesmith.beliefs import HONEST, Beliefs, ParameterBelief, Source
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.excerpt import proposal_text
from tunesmith.tools.analysis.numbers import format_metric

MOST = 8
"""Hyperparameters in one answer."""


def where(belief: ParameterBelief) -> str:
    """Where the best value is expected: `lr near 0.003 (0.001 to 0.01 with 80 %)`."""
    name, expected = clean(belief.name, 60), clean(belief.expected, 60)
    if belief.low and belief.high:
        span = f"{clean(belief.low, 40)} to {clean(belief.high, 40)}"
        if belief.unsure:
            return f"{name} anywhere from {span} with {belief.probability:.0%}, perhaps near {expected}"
        return f"{name} near {expected} ({span} with {belief.probability:.0%})"
    return f"{name} {expected} ({belief.probability:.0%})"


def weight(belief: ParameterBelief) -> str:
    """How much it matters, as a clause."""
    if belief.flat:
        return "hardly matters as far as can be told"
    if belief.importance is None:
        return "it is not known yet whether it matters"
    span = ""
    if belief.importance_low is not None and belief.importance_high is not None:
        span = f" ({belief.importance_low:.0%} to {belief.importance_high:.0%})"
    return f"explains {belief.importance:.0%}{span} of the variance"


def _sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _basis(known: Beliefs) -> str:
    return _sentence(f"based on {known.basis}")


def _source(source: Source) -> str:
    name = "nothing in particular" if source.name == "none" else clean(source.name, 40)
    return f"{name} {source.weight:.0%}" + (f" ({clean(source.text, 80)})" if source.text else "")


def matters(asked: Asked, records: Records) -> str:
    """Hyperparameters by importance, and what chance hardly explains."""
    known = records.beliefs
    lines = []
    if known is not None:
        told = [b for b in known.parameters if b.importance is not None]
        lines += [f"{clean(b.name, 60)} {weight(b)}; expected best: {where(b)}." for b in told[:MOST]]
        flat = [clean(b.name, 60) for b in known.parameters if b.flat]
        if flat:
            lines.append(f"Flat so far: {', '.join(flat[:MOST])}.")
        lines.append(_basis(known))
    lines += what_matters(records.history)
    return "\n".join(lines) or "Too few trials have completed to tell what matters."


def about(asked: Asked, records: Records) -> str:
    """Everything believed of the hyperparameters that are named."""
    history = records.history
    parts = []
    for name in asked.parameters[:4]:
        belief = records.belief(name)
        best = history.incumbent
        had = ""
        if best is not None and name in best.configuration:
            value = history.space.format_value(name, best.configuration[name])
            had = f"The best trial #{best.number} has {clean(value, 60)}."
        effects = [text for text in what_matters(history) if clean(name, 60) in text]
        if belief is None:
            known = list(filter(None, [had, *effects])) or ["nothing is known of it yet."]
            parts.append("\n".join([f"{clean(name, 60)}:", *known]))
            continue
        sources = ", ".join(_source(source) for source in belief.sources if source.weight >= 0.005)
        lines = [
            f"{where(belief)}; {weight(belief)}.",
            belief.moved,
            f"What that rests on: {sources}." if sources else "",
            had,
            *effects,
        ]
        parts.append("\n".join(line for line in lines if line))
    return "\n\n".join(parts)


def everything(asked: Asked, records: Records) -> str:
    """Where every hyperparameter's best value is expected."""
    known = records.beliefs
    if known is None:
        return matters(asked, records)
    lines = [f"{where(b)}; {weight(b)}." for b in known.parameters[: 2 * MOST]]
    return "\n".join([*lines, _basis(known), *map(_sentence, known.faults)])


def sure(asked: Asked, records: Records) -> str:
    """How the predictions have held, the spread of the predicted best, and what is not believed."""
    known, history = records.beliefs, records.history
    if asked.parameters:
        return about(asked, records)
    lines = []
    if known is not None:
        held = known.calibration
        if held is not None:
            lines.append(
                f"Of {counted(held.predicted, 'prediction')} {held.within_1} came within 1 and "
                f"{held.within_2} within 2 of their spreads "
                f"({HONEST[0]:.0%} and about {HONEST[1]:.0%} would be right)."
            )
            lines += [_sentence(held.text)] if held.predicted else []
        for what, value in (("the best trial", known.best), ("the predicted best", known.predicted)):
            if value is None:
                continue
            mean, spread = format_metric(history, value.mean), format_metric(history, value.spread)
            measured = (
                "" if value.measured is None else f", measured {format_metric(history, value.measured)}"
            )
            lines.append(f"Expected of {what}: {mean} ± {spread}{measured}.")
        lines += [_basis(known), *map(_sentence, known.faults)]
    if not lines:
        gone = [t for t in history.completed if t.proposal.expected is not None and t.proposal.spread]
        within = sum(
            abs((t.value or 0.0) - (t.proposal.expected or 0.0)) <= 2 * (t.proposal.spread or 0.0)
            for t in gone
        )
        lines.append(
            f"Of {counted(len(gone), 'predicted trial')} {within} came within 2 of their spreads "
            f"(about {HONEST[1]:.0%} would be right)."
            if gone
            else "No trial that had a prediction has completed, so nothing can be said of how sure it is."
        )
    return "\n".join(lines)


def following(asked: Asked, records: Records) -> str:
    """What runs and waits, and what it is meant to teach."""
    known, history, queued = records.beliefs, records.history, records.briefing.queued
    lines = []
    if known is not None and known.next:
        lines += [f"#{n.number}: {n.text}" if n.number is not None else n.text for n in known.next[:MOST]]
    else:
        lines += [f"#{t.number} runs: {proposal_text(history, t.proposal)}" for t in history.pending[:4]]
    lines += [f"Queued: {proposal_text(history, p)}" for p in queued[:4]]
    if not lines:
        lines.append(
            "Nothing is running or queued; the strategy chooses the next trial when a worker is free."
        )
    return "\n".join(lines)


def worth(asked: Asked, records: Records) -> str:
    """Whether further trials are likely to help, and what is left to pay for them."""
    known, history, left = records.beliefs, records.history, records.briefing.trials_left
    best = history.incumbent
    lines = []
    if known is not None and known.progress is not None:
        lines.append(_sentence(known.progress.text))
    if best is not None:
        since = sum(t.number > best.number for t in history.finished)
        lines.append(
            f"The best is #{best.number} with {format_metric(history, best.value)}; "
            f"{counted(since, 'trial')} ended since."
        )
    lines.append(f"{counted(left, 'trial')} of the budget {'is' if left == 1 else 'are'} left.")
    return "\n".join(lines)


MATTERS = Intent(
    "what matters?",
    "hyperparameters by importance",
    lambda a, r: a.has("matter", "importan", "influen", "sensitiv", "flat") and not a.parameters,
    matters,
)
ABOUT = Intent(
    "what do you believe about {parameter}?",
    "where its best value is expected, and why",
    lambda a, r: bool(a.parameters),
    about,
)
EVERYTHING = Intent(
    "what do you believe?",
    "where the best values are expected",
    lambda a, r: a.has("belie", "think", "prior", "posterior", "optim", "assum"),
    everything,
)
SURE = Intent(
    "how sure are you?",
    "how the predictions have held",
    lambda a, r: (
        a.has("sure", "certain", "confiden", "calibrat", "trust", "reliab", "predict", "accura")
        and not a.trials
    ),
    sure,
)
NEXT = Intent(
    "what next?",
    "what runs and waits, and what it is to teach",
    lambda a, r: a.has("next", "plan", "upcoming", "queue") and not a.says("next to"),
    following,
)
WORTH = Intent(
    "is it worth going on?",
    "whether further trials are likely to help",
    lambda a, r: (
        a.has("worth", "converg", "plateau", "improv", "enough", "progress")
        or (a.says("going on") and not a.text.startswith("what"))
        or a.says("go on", "keep going", "stop now", "how long", "how far", "are we done")
    ),
    worth,
)
