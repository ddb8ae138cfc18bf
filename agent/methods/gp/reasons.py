"""Why a configuration was chosen, in sentences computed from the data; no language model is asked."""

from __future__ import annotations

import numpy as np

from tunesmith.agent.methods.gp.failure_words import said_of
from tunesmith.agent.methods.gp.goal_reasons import beside, further_predicted, headline, limits_kept
from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.agent.methods.gp.prior import Prior
from tunesmith.goal_words import NAME_WIDTH
from tunesmith.history import Array, History
from tunesmith.stated_prior import label_of
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import plus_minus
from tunesmith.trial import Configuration, Origin, Proposal, Trial

LEANS = 0.5
"""A prior weight from which the reason mentions the priors."""


def explain(
    history: History,
    posterior: Posterior,
    configuration: Configuration,
    row: Array,
    expected: float,
    spread: float,
    origin: Origin,
    ancestor: Proposal | None,
) -> tuple[str, tuple[int, ...]]:
    """One or two sentences, and the numbers of the trials they rest on: the best, then the nearest.

    Args:
        expected, spread: The prediction that is shown, metric units.
        ancestor: The competing proposal that the configuration is or was refined from; None for none.
    """
    best, near = history.incumbent, _nearest(history, posterior, row)
    predicted = f"{expected:.4g}{plus_minus(expected, spread, history.metric_range)}"
    goals = not history.goals.plain
    if goals and history.others:
        predicted = f"{one_line(history.metric, NAME_WIDTH)} {predicted}"
        predicted += further_predicted(history, posterior, row)
    leads = headline(history, posterior) if goals else None
    parts = [f"{leads or _headline(posterior, best, expected)}: predicted {predicted}"]
    if goals and history.others:
        parts[0] += beside(history, expected)
    elif best is not None and best.value is not None:
        known = "best feasible" if history.limits else "best"
        parts[0] += f" against the {known} {best.value:.4g} (trial {best.number})"
        if difference := _main_difference(posterior, configuration, row, best):
            parts[0] += f"; the main difference is {difference}"
    if goals and (kept := limits_kept(posterior, row)):
        parts.append(kept)
    if ancestor is not None:
        same = ancestor.configuration == configuration
        who = "the language model" if ancestor.origin is Origin.MODEL else f"a {ancestor.origin} candidate"
        parts.append(f"Suggested by {who}" + ("" if same else ", then refined by the surrogate"))
    elif origin is Origin.LOCAL:
        parts.append("A small step from one of the best trials")
    if posterior.prior_weight >= LEANS:
        parts.append(f"Expectations still count ({_trusts(posterior)})")
    elif posterior.prior.informative and posterior.trust < 0.2:
        parts.append("The data do not bear the expectations out, so they hardly count")
    if posterior.feasibility is not None:
        works = float(np.exp(posterior.feasibility.log_works(row[None])[0]))
        if failures := said_of(history, posterior.feasibility, configuration, works):
            parts.append(failures)
    evidence = ([best.number] if best is not None else []) + [t.number for t in near]
    return ". ".join(parts) + ".", tuple(dict.fromkeys(evidence))


def _trusts(posterior: Posterior) -> str:
    """How far each source of the priors is trusted: `trust 90%`, or `its name 100%, the default 12%`."""
    trusts = posterior.prior.source_trusts
    if len(trusts) == 1:
        return f"trust {posterior.trust:.0%}"
    return "trust: " + ", ".join(f"{label_of(source)} {trust:.0%}" for source, trust in trusts.items())


def _headline(posterior: Posterior, best: Trial | None, expected: float) -> str:
    if best is not None and best.value is not None and posterior.fitted.sign * (expected - best.value) > 0:
        return "Best expected improvement"
    return "Best expected improvement, on the chance that it does better than predicted"


def explain_prior(prior: Prior, configuration: Configuration, *, mode: bool) -> str:
    """Why a draw from the prior (or its mode) is tried."""
    named = [name for name, p in prior.parameters.items() if p.card is not None and name in configuration]
    values = ", ".join(f"{name}={prior.space.format_value(name, configuration[name])}" for name in named[:3])
    where = "The most plausible place" if mode else "A draw from what is plausible"
    basis = f" by common practice for {len(named)} known names ({values})" if named else " around the default"
    return f"{where}{basis}; too little is measured yet to predict anything."


def _nearest(history: History, posterior: Posterior, row: Array, k: int = 2) -> list[Trial]:
    """The `k` fitted trials that the prediction at `row` leans on most: nearest in length-scales."""
    distance = (_apart(posterior, history.encoded(posterior.fitted.trials)[0], row) ** 2).sum(axis=1)
    return [posterior.fitted.trials[i] for i in np.argsort(distance, kind="stable")[:k]]


def _main_difference(posterior: Posterior, configuration: Configuration, row: Array, best: Trial) -> str:
    """`lr 0.0031 instead of 0.001`: the parameter furthest from the best in length-scales; '' if none."""
    space = posterior.space
    apart = np.abs(_apart(posterior, space.encode(best.configuration)[0][None], row))[0]
    for i in np.argsort(-apart, kind="stable"):
        name = space.columns[i].parameter
        here, there = configuration.get(name), best.configuration.get(name)
        if apart[i] == 0:
            return ""
        if here is None or there is None:
            continue
        new, old = space.format_value(name, here), space.format_value(name, there)
        if new != old:
            return f"{name} {new} instead of {old}"
    return ""


def _apart(posterior: Posterior, rows: Array, row: Array) -> Array:
    """Differences in length-scales, per column: how different two points look to the surrogate."""
    scale = posterior.fitted.process.length_scales[posterior.surrogate.columns.dimension]
    difference: Array = (posterior.surrogate.points(rows) - posterior.surrogate.points(row[None])) / scale
    return difference
