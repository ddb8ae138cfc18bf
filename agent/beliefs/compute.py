"""What a run believes at one history: a pure function for any method, with or without a language model.

The surrogate and the priors are those of the method `numeric`; a method that goes by another model of its own
may believe otherwise, and what is shown says what these results say by this surrogate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunesmith.agent.beliefs.figures import (
    Predict,
    calibration_of,
    incumbent_of,
    predicted_best,
    predictor,
    slice_of,
)
from tunesmith.agent.beliefs.importance import FLAT, FLAT_HIGH, FLAT_RULED_OUT, Importance, importance
from tunesmith.agent.beliefs.marginals import Range
from tunesmith.agent.beliefs.optimum import Drawn, draw_optima
from tunesmith.agent.beliefs.outlook import next_of, progress_of
from tunesmith.agent.beliefs.sources import ruled_out, sources_of
from tunesmith.agent.beliefs.words import basis_text, faults_of, moved_text
from tunesmith.agent.knowledge import Card
from tunesmith.agent.methods.gp.calibration import ONE_SPREAD, spread_factor
from tunesmith.agent.methods.gp.method import strategy_for
from tunesmith.agent.methods.gp.posterior import Posterior, posterior_at
from tunesmith.agent.methods.gp.prior import MODEL, Prior
from tunesmith.agent.methods.gp.surrogate import GaussianProcessSurrogate
from tunesmith.agent.methods.gp.threads import one_thread
from tunesmith.agent.methods.gp.trust import without_surrogate
from tunesmith.agent.methods.hybrid.elicited_priors import card_of
from tunesmith.agent.methods.hybrid.stated import cards as person_cards
from tunesmith.beliefs import Beliefs, Incumbent, ParameterBelief, Progress
from tunesmith.commands import SetPrior
from tunesmith.events import ElicitedPrior
from tunesmith.history import Array, History
from tunesmith.noise import Noise
from tunesmith.seeds import rng_for
from tunesmith.space import Bool, Categorical, Ordinal, Parameter
from tunesmith.task import Task

PERSON = "person"
WIDTH = (1.0, 2.0)
"""Bounds of the factor on a drawn function's deviations, by how earlier predictions of the run held."""
FEWEST_FLAT = 8
"""Trials before anything is called flat, and at least two a hyperparameter."""
UNSURE = 0.5
"""Share of a hyperparameter's range from which the stated range says little of where the best value is."""
FEWEST_DRAWS = 50
"""Draws whose optimum uses a conditional hyperparameter, below which only the prior says where it is best."""
DIGITS = 6


@one_thread
def beliefs_at(
    task: Task,
    history: History,
    elicited: Sequence[ElicitedPrior] = (),
    expected: Sequence[SetPrior] = (),
) -> Beliefs:
    """What a run believes.

    Args:
        task: Of the run; its seed makes the draws.
        history: Trials so far; running ones count as that.
        elicited: Priors that a language model stated in the run.
        expected: Where people expect best values, the latest word on each hyperparameter; they take the place
            of a language model's on the same one, as in the run.
    Returns:
        The same value for the same arguments. Before two different results, of the priors alone.
    """
    by_person = person_cards(expected, history.space)
    strategy = strategy_for(task).with_advice({**_cards(history, elicited), **by_person}, None)
    prior = strategy.prior(history)
    warped = prior.informative

    def surrogate(noise: Noise | None) -> GaussianProcessSurrogate:
        return GaussianProcessSurrogate(history.space, task.seed, warped=warped, noise=noise)

    posterior = None
    if len(history.informative) >= 2:
        # A number is the noise of the primary metric alone, as `GaussianProcessStrategy` has it.
        of_others = task.noise if isinstance(task.noise, str) else None
        further = [surrogate(of_others) for _ in history.others]
        posterior = posterior_at(surrogate(task.noise), prior, history, further)
    if posterior is None:
        return _as_persons(_without_surrogate(task, history, prior), by_person)
    return _as_persons(_with_surrogate(task, history, prior, posterior), by_person)


def _as_persons(beliefs: Beliefs, names: Collection[str]) -> Beliefs:
    """What people expect of these hyperparameters, by its own name: the method keeps it as a model's."""

    def named(parameter: ParameterBelief) -> ParameterBelief:
        if parameter.name not in names:
            return parameter
        sources = (
            source.model_copy(update={"name": PERSON}) if source.name == MODEL else source
            for source in parameter.sources
        )
        return parameter.model_copy(update={"sources": tuple(sources)})

    return beliefs.model_copy(update={"parameters": tuple(map(named, beliefs.parameters))})


def _cards(history: History, elicited: Sequence[ElicitedPrior]) -> Mapping[str, Card]:
    cards: dict[str, Card] = {}
    for stated in elicited:
        parameter = history.space.parameters.get(stated.parameter)
        if parameter is not None and stated.parameter not in cards:
            card = card_of(stated, parameter)
            if card is not None:
                cards[stated.parameter] = card
    return cards


def _without_surrogate(task: Task, history: History, prior: Prior) -> Beliefs:
    now = without_surrogate(prior, history)
    parameters = []
    for name, parameter in history.space.parameters.items():
        before, after = (Range(parameter).of_prior(p.parameters.get(name)) for p in (prior, now))
        parameters.append(_believed(name, parameter, before, after, now, by_results=0.0))
    return Beliefs(
        finished=len(history.finished),
        used=0,
        basis=basis_text(history, None),
        metric=history.metric,
        parameters=tuple(parameters),
        calibration=calibration_of(history) if history.completed else None,
        next=next_of(history, None, None, 0, {}),
        faults=faults_of(task, history, None),
    )


def _with_surrogate(task: Task, history: History, prior: Prior, posterior: Posterior) -> Beliefs:
    rng = rng_for(task.seed, "beliefs", len(history), len(history.pending))
    factor = spread_factor(history)
    best = history.incumbent
    asked = ([] if best is None else [best]) + list(history.pending)
    extra = history.encoded(tuple(asked))[0]
    drawn = draw_optima(posterior, history, rng, extra, float(np.clip(factor / ONE_SPREAD, *WIDTH)))
    index = {trial.number: int(i) for trial, i in zip(asked, drawn.extra, strict=True)}
    shares = importance(posterior, rng)
    predict = predictor(posterior, history, factor)
    row = predicted_best(posterior, history, drawn.rows, rng)
    # With several metrics the ranges are about a Pareto front, and one configuration does not stand for it.
    parameters = _parameters(history, prior, posterior, drawn, shares, None if history.others else row)
    if row is not None:
        along = {p.name: slice_of(posterior, history, row, p.name, predict) for p in parameters}
        parameters = [p.model_copy(update={"slice": along[p.name]}) for p in parameters]
    progress: Progress | None = None
    shown = None if best is None else incumbent_of(history, best.configuration, predict, best.number)
    if shown is not None and row is not None and not history.others:
        unsure = float(predict(row[None])[1][0])
        progress = progress_of(task, history, posterior, drawn, shown, unsure)
    return Beliefs(
        finished=len(history.finished),
        used=len(posterior.fitted.trials),
        basis=basis_text(history, posterior),
        metric=history.metric,
        parameters=tuple(sorted(parameters, key=lambda p: -(p.importance or 0.0))),
        best=shown,
        predicted=None if row is None or history.others else _predicted(history, row, predict),
        calibration=calibration_of(history),
        next=next_of(history, posterior, drawn, index[best.number] if best is not None else 0, index),
        progress=progress,
        faults=faults_of(task, history, posterior),
    )


def _predicted(history: History, row: Array, predict: Predict) -> Incumbent:
    configuration = history.space.decode(row)
    tried = [t for t in history.completed if t.configuration == configuration]
    return incumbent_of(history, configuration, predict, tried[0].number if tried else None)


def _parameters(
    history: History,
    prior: Prior,
    posterior: Posterior,
    drawn: Drawn,
    shares: Importance | None,
    predicted: Array | None,
) -> list[ParameterBelief]:
    found = drawn.rows[drawn.best]
    active = history.space.active(found)
    even = np.full(len(found), 1 / len(found))
    enough = len(posterior.fitted.trials) >= max(FEWEST_FLAT, 2 * len(history.space))
    believed = []
    for place, (name, parameter) in enumerate(history.space.parameters.items()):
        at, span = posterior.prior.columns[name], Range(parameter)
        before = span.of_prior(prior.parameters.get(name))
        used = active[:, at[0]]
        share = float(drawn.weights[used].sum())
        after, by_results = span.of_prior(posterior.prior.parameters.get(name)), 0.0
        if parameter.size == 1:
            after = before
        elif used.sum() >= FEWEST_DRAWS:
            units = _units(parameter, found[used][:, at])
            after = span.of_units(units, drawn.weights[used] / share)
            by_results = ruled_out(span.of_units(units, even[used] / even[used].sum()))
        at_best = _unit_of(history, predicted, at) if span.ordered else None
        one = _believed(name, parameter, before, after, posterior.prior, by_results=by_results, best=at_best)
        if shares is not None:
            low, high = float(shares.low[place]), float(shares.high[place])
            importance_ = float(shares.share[place])
            small = importance_ < FLAT and high < FLAT_HIGH and by_results < FLAT_RULED_OUT
            flat = enough and small and parameter.size != 1
            one = one.model_copy(
                update={
                    "importance": round(importance_, DIGITS),
                    "importance_low": round(low, DIGITS),
                    "importance_high": round(high, DIGITS),
                    "flat": flat,
                }
            )
        believed.append(one.model_copy(update={"active": round(share, DIGITS)}))
    return believed


def _unit_of(history: History, row: Array | None, at: NDArray[np.intp]) -> float | None:
    """Unit coordinate of a numeric or ordinal hyperparameter in a row; None where the row has no value."""
    if row is None or not history.space.active(row[None])[0, at[0]]:
        return None
    return float(row[at[0]])


def _units(parameter: Parameter, columns: Array) -> Array:
    if columns.shape[1] > 1:
        units: Array = (np.argmax(columns, axis=1) + 0.5) / columns.shape[1]
        return units
    return columns[:, 0]


def _believed(
    name: str,
    parameter: Parameter,
    before: Array,
    after: Array,
    prior: Prior,
    *,
    by_results: float,
    best: float | None = None,
) -> ParameterBelief:
    span = Range(parameter)
    middle = span.expected(after, best)
    low, high, probability = span.interval(after) if span.ordered else (middle, middle, float(after.max()))
    unsure = span.ordered and parameter.size != 1 and high - low > UNSURE
    own = prior.parameters.get(name)
    return ParameterBelief(
        name=name,
        kind=_kind(parameter),
        ticks=span.ticks(),
        prior=tuple(round(p, DIGITS) for p in span.cells(before)),
        posterior=tuple(round(p, DIGITS) for p in span.cells(after)),
        expected=span.text(middle),
        low=span.text(low) if span.ordered else "",
        high=span.text(high) if span.ordered else "",
        probability=round(probability, DIGITS),
        unsure=unsure,
        sources=sources_of(parameter, own, by_results),
        moved=moved_text(span, before, after, middle, unsure=unsure),
        importance=None,
    )


def _kind(parameter: Parameter) -> str:
    if isinstance(parameter, Categorical):
        return "categorical"
    if isinstance(parameter, Bool):
        return "bool"
    if isinstance(parameter, Ordinal):
        return "ordinal"
    return "int" if parameter.type_name == "int" else "float"
