"""What a run should be asked before its best value is believed. Empty while nothing is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import median

from tunesmith.events import Event, ModelCalled, Recommended, RunStarted
from tunesmith.goal_words import limit_text
from tunesmith.history import History
from tunesmith.noise import known_noise
from tunesmith.recommendation import none_recommended
from tunesmith.task import Task
from tunesmith.text.numbers import counted, significant
from tunesmith.tools.analysis.collapse import flat_predictions
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Origin, Trial, TrialState

FEWEST = 8
"""Trials below which a share of them says nothing."""
OUTSIDE = 0.32
"""Share of the results that lies outside a band of one spread where the bands are right."""
LUCK = 0.75
"""Share of the best value's lead over the median that has to be missing in what is expected of it."""
RUNS_EACH = 2
"""Completed trials for each hyperparameter, below which the search has hardly begun."""
BINDS = 0.05
"""Share of a bound within which the best trial lies where the limit decides which one that is."""


def health(history: History, task: Task, events: Sequence[Event]) -> tuple[str, ...]:
    """Sentences for a person, the most serious first.

    Args:
        events: The run's log; what it says of the language model is looked at.
    """
    own = [t for t in history if t.finished and t.proposal.origin is not Origin.PREVIOUS]
    said = (
        _failed(own),
        _lost(own),
        _all_alike(history),
        _never_kept(history),
        _unsteady(history),
        _late_feasible(history, own),
        _stopped(own),
        _missed(history, own),
        _flat(history),
        _repeated(own),
        _model_failed(own, events),
        _lucky(history, events),
        _binding(history),
        _default_not_beaten(history, task),
        _few(history),
    )
    return tuple(text for text in said if text)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} trials ({part / whole:.0%})"


def _failed(trials: list[Trial]) -> str:
    ended = [t for t in trials if t.state is not TrialState.LOST]
    failed = Counter(t.state.value.replace("_", " ") for t in ended if t.state.failed)
    if len(ended) < FEWEST or 3 * failed.total() <= len(ended):
        return ""
    kinds = ", ".join(f"{n} {kind}" for kind, n in failed.most_common())
    return (
        f"{_share(failed.total(), len(ended))} failed: {kinds}. Much of the space was not searched: "
        "read why they failed, and narrow the space or repair the training."
    )


def _lost(trials: list[Trial]) -> str:
    lost = sum(t.state is TrialState.LOST for t in trials)
    if len(trials) < FEWEST or 4 * lost <= len(trials):
        return ""
    return f"{_share(lost, len(trials))} were lost to interruptions, and ran again."


def _all_alike(history: History) -> str:
    digests = {t.configuration.digest for t in history.completed}
    values = {t.value for t in history.completed}
    if len(digests) < 5 or len(values) > 1:
        return ""
    return (
        f"All {len(history.completed)} completed trials have the same {history.metric}: the training code "
        "may not use the hyperparameters, or the value may not be what it should be."
    )


def _never_kept(history: History) -> str:
    """Limits that no trial keeps, or that none keeps together."""
    if history.feasible or len(history.completed) < 2:
        return ""
    values = [trial.values for trial in history.completed]
    never = [x for x in history.limits if not any(x.met(v.get(x.metric)) for v in values)]
    count = len(history.completed)
    if never:
        which = " and ".join(limit_text(limit) for limit in never)
        return (
            f"Every one of the {count} completed trials breaks {which}: nothing is known to be possible "
            "there. Loosen it, or let the space reach further."
        )
    which = " and ".join(limit_text(limit) for limit in history.limits)
    return f"Each limit is kept by some of the {count} completed trials, and none keeps {which} together."


def _unsteady(history: History) -> str:
    """What is best kept the limits by luck, and nothing else keeps them."""
    why = none_recommended(history)
    return f"Nothing is recommended: {why}." if why else ""


def _late_feasible(history: History, trials: list[Trial]) -> str:
    first = min((t.number for t in history.feasible), default=None)
    if first is None or not history.limits:
        return ""
    before = sum(t.number < first for t in trials)
    if before < FEWEST or 2 * before < len(trials):
        return ""
    return (
        f"{_share(before, len(trials))} were spent while nothing was feasible; the search among what keeps "
        "the limits has hardly begun."
    )


def _binding(history: History) -> str:
    """Limits at whose edge the best trial lies."""
    best = history.incumbent
    if best is None:
        return ""
    near = [
        (limit, value)
        for limit in history.limits
        if (value := best.values.get(limit.metric)) is not None
        and limit.bound != 0
        and -limit.excess(value) <= BINDS * abs(limit.bound)
    ]
    if not near:
        return ""
    told = "; ".join(f"{limit_text(limit)}, where it has {significant(value)}" for limit, value in near)
    what = "The limit binds" if len(near) == 1 else "Limits bind"
    return (
        f"{what}: the best trial, {best.number}, lies within {BINDS:.0%} of {told}. Trained again it may "
        "break what it kept by so little."
    )


def _stopped(trials: list[Trial]) -> str:
    # One that keeps its scores by item says what they say: a race stops most, and is meant to.
    stopped = sum(t.state is TrialState.PRUNED and not t.items for t in trials)
    whole = stopped + sum(t.state is TrialState.COMPLETED for t in trials)
    if whole < FEWEST or 2 * stopped <= whole:
        return ""
    return (
        f"{_share(stopped, whole)} were stopped early, so what is known of the space rests on the other "
        f"{whole - stopped}; good ones may be among the stopped (`pruner: none` would tell)."
    )


def _missed(history: History, trials: list[Trial]) -> str:
    errors = [
        history.sign * (t.value - t.proposal.expected) / t.proposal.spread
        for t in trials
        if t.value is not None and t.proposal.expected is not None and t.proposal.spread
    ]
    n = len(errors)
    outside = sum(abs(error) > 1 for error in errors)
    if n < FEWEST or outside <= OUTSIDE * n + 2 * sqrt(OUTSIDE * (1 - OUTSIDE) * n):
        return ""
    worse = sum(error < -1 for error in errors)
    how = (
        "mostly because they came out worse" if 2 * worse > outside else "mostly because they came out better"
    )
    return (
        f"{outside} of {n} results lay outside the band that was predicted for them, where about "
        f"{max(round(OUTSIDE * n), 1)} should, {how}: what the run predicts is to be doubted. "
        "Trust values on fresh seeds (`confirm`) more than predictions."
    )


def _repeated(trials: list[Trial]) -> str:
    counted_once = {t.configuration.digest for t in trials if t.state is not TrialState.LOST}
    whole = sum(t.state is not TrialState.LOST for t in trials)
    if whole < FEWEST or 2 * len(counted_once) >= whole:
        return ""
    return (
        f"{_share(whole - len(counted_once), whole)} repeated a configuration that had been tried: they "
        "tell of the noise, not of the space. Widen the space, or give a smaller budget."
    )


def _flat(history: History) -> str:
    flat = flat_predictions(history)
    if flat is None:
        return ""
    low, high = (format_metric(history, value) for value in flat)
    return (
        f"The latest predictions are all alike ({low} to {high}), and below what was usually reached: the "
        "surrogate did not know where to go. More trials, or a space nearer to what is known, may help."
    )


def _model_failed(trials: list[Trial], events: Sequence[Event]) -> str:
    calls = [e for e in events if isinstance(e, ModelCalled) and e.budget == "search"]
    failed = sum(not call.ok for call in calls)
    instead = sum(t.proposal.provenance.fallback for t in trials)
    had = any(isinstance(event, RunStarted) and event.model for event in events)
    if not had or not ((calls and 2 * failed > len(calls)) or 4 * instead > len(trials)):
        return ""
    text = f"{failed} of {counted(len(calls), 'call')} to the language model failed"
    if instead:
        text += f", and the numeric strategy chose {counted(instead, 'trial')} in its place"
    return f"{text}: this is hardly a run with a model. See what failed under Fallbacks and repairs."


def _lucky(history: History, events: Sequence[Event]) -> str:
    """Whether by all trials most of the best value's lead over the usual one was its seed's.

    A surrogate of few trials draws every value towards the mean, so a part of the lead says nothing.
    """
    found = next((e.recommendation for e in reversed(events) if isinstance(e, Recommended)), None)
    best, values = history.incumbent, [t.value for t in history.feasible if t.value is not None]
    if found is None or best is None or found.best_trial != best.number or len(values) < FEWEST:
        return ""
    expected = found.expected if found.best_expected is None else found.best_expected
    short = history.sign * (found.best_value - expected)
    lead = history.sign * (found.best_value - median(values))
    if found.spread is None or short <= 2 * found.spread or short <= LUCK * lead:
        return ""
    had, is_expected = (format_metric(history, value) for value in (found.best_value, expected))
    return (
        f"The best value, {had}, was probably luck: by all trials {is_expected} is expected of its "
        "configuration on another seed. `confirm`, or `tunesmith retrain`, would tell."
    )


def _default_not_beaten(history: History, task: Task) -> str:
    best = history.incumbent
    values = [t.value for t in history.completed if t.configuration == history.default]
    numbers = [value for value in values if value is not None]
    if best is None or best.value is None or not numbers or len(history.completed) < 3:
        return ""
    if len(history.front) > 1 or not any(t.configuration == history.default for t in history.feasible):
        return ""  # the default is beaten in another metric, or breaks a limit
    if best.configuration == history.default:
        return "Nothing better than the default was found."
    known = known_noise(task.noise, history)
    gain = history.sign * (best.value - sum(numbers) / len(numbers))
    if known is None or gain > 2 * known.sd:
        return ""
    return (
        f"The best value is {gain:.2g} better than the default's, which is within what two seeds differ by "
        f"(noise {known.text})."
    )


def _few(history: History) -> str:
    wanted, completed = RUNS_EACH * len(history.space), len(history.scored)
    cardinality = history.space.cardinality
    if not completed or completed >= wanted or (cardinality is not None and completed >= cardinality):
        return ""
    names = counted(len(history.space), "hyperparameter")
    return (
        f"{counted(completed, 'trial')} with a value for {names}: the search has hardly begun, and a larger "
        "budget is likely to find better."
    )
