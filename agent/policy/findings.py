"""What the trials since the last report show, as sentences computed from numbers.

Both policies use these: the rules policy shows them, the agent reads them in its briefing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tunesmith.goal_words import measured
from tunesmith.goals import Goal
from tunesmith.history import History
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted, plus_minus
from tunesmith.tools.analysis.effects import Effect, effects
from tunesmith.tools.analysis.excerpt import census
from tunesmith.tools.analysis.failures import FailurePattern, failure_patterns
from tunesmith.tools.analysis.goals_text import limits_text, of_primary
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial, TrialState

MAX_EFFECTS = 3
MAX_PREDICTIONS = 4
MAX_JOINED = 5
HELD_WITHIN = 2.0
"""A prediction held when the value lies within this many of its standard deviations."""


class Watermark:
    """Which finished trials have been reported on.

    In a resumed run all of them count as reported. Kept in memory only: losing it costs a repeated sentence.
    """

    def __init__(self) -> None:
        self._reported: set[int] | None = None

    def advance(self, history: History, *, resumed: bool) -> tuple[Trial, ...]:
        """Trials finished since the last call."""
        finished = {trial.number for trial in history.finished}
        if self._reported is None:
            self._reported = finished if resumed else set()
        fresh = tuple(trial for trial in history.finished if trial.number not in self._reported)
        self._reported = finished
        return fresh


def findings(history: History, fresh: Iterable[Trial]) -> list[str]:
    """Sentences on the results of the `fresh` trials and on what all trials show, a dozen at most."""
    fresh = tuple(fresh)
    sentences = []
    if fresh:
        sentences += [_results(history, fresh), _progress(history, fresh), *predictions(history, fresh)]
    sentences += what_matters(history)
    sentences += [_failure(pattern) for pattern in failure_patterns(history)[: 2 + len(history.limits)]]
    return [sentence for sentence in sentences if sentence]


def what_matters(history: History) -> list[str]:
    """Which hyperparameters went with better results, where chance is an unlikely explanation."""
    return [
        _effect(history, effect, goal)
        for place, goal in enumerate(history.goals.objectives)
        for effect in effects(history, goal if place else None)[:MAX_EFFECTS]
    ]


def _results(history: History, fresh: tuple[Trial, ...]) -> str:
    if len(fresh) <= 3:
        return " ".join(_result(history, trial) for trial in fresh)
    part = replace(history.without_trials(), trials=fresh)
    return f"Finished since the last look: {census(part)}."


def _result(history: History, trial: Trial) -> str:
    name = f"#{trial.number} ({trial.proposal.origin.value})"
    if trial.value is not None:
        primary, *others = measured(history.goals, {history.metric: trial.value, **trial.values})
        gave = format_metric(history, trial.value) + (f" ({primary.mark})" if primary.broken else "")
        return f"{name} gave {', '.join([gave, *(other.text for other in others)])}."
    if trial.state is TrialState.PRUNED:
        reached = f" at {format_metric(history, trial.last_reported)}" if trial.curve else ""
        if trial.items and trial.curve:
            items = counted(trial.curve[-1][0], "item")
            return (
                f"{name} was stopped early{reached} after {items}: no better than the best on the same items."
            )
        return f"{name} was stopped early{reached}: its curve was poor."
    cause = f": {clean(trial.message, 120)}" if trial.message else ""
    return f"{name} {_ended(trial.state)}{cause}."


def _ended(state: TrialState) -> str:
    return {
        TrialState.DIVERGED: "diverged",
        TrialState.OUT_OF_MEMORY: "ran out of memory",
        TrialState.TIMED_OUT: "took too long",
        TrialState.CRASHED: "crashed",
        TrialState.LOST: "was lost to an interruption",
    }.get(state, state.value)


def _progress(history: History, fresh: tuple[Trial, ...]) -> str:
    if history.incumbent is None:
        return f"{none_feasible(history) or 'No trial has completed yet'}."
    numbers = {trial.number for trial in fresh}
    return " ".join(text for text in (_best(history, numbers), _front(history, numbers)) if text)


def _best(history: History, fresh: set[int]) -> str:
    """How the best feasible trial stands, by the primary metric."""
    best = history.incumbent
    assert best is not None and best.value is not None, "an incumbent has a value"
    kind = "best feasible" if history.limits else "best"
    kind += f" {clean(history.metric, 60)}" if history.others else ""
    now = f"#{best.number} with {format_metric(history, best.value)}"
    if best.number not in fresh:
        since = sum(trial.number > best.number for trial in history.finished)
        return f"The {kind} is still {now}, {since} trial{'s' * (since != 1)} ago."
    earlier = [t for t in history.feasible if t.number not in fresh]
    if not earlier:
        first = any(t.number not in fresh for t in history.completed)
        return (
            f"{now} is the first to keep {limits_text(history)}." if first else f"The {kind} so far is {now}."
        )
    before = max(earlier, key=lambda t: history.sign * (t.value or 0.0))
    assert before.value is not None
    if best.value == before.value:  # the incumbent is the one on the front
        return f"New {kind}: {now}, as good as #{before.number} and better in another metric."
    gain = format_metric(history, abs(best.value - before.value))
    return (
        f"New {kind}: {now}, {gain} better than #{before.number}; one run each, so part of it may be noise."
    )


def _front(history: History, fresh: set[int]) -> str:
    """What the latest trials did to the Pareto front; empty with one metric."""
    if not history.others:
        return ""
    size = f"{len(history.front)} trial{'s' * (len(history.front) != 1)}"
    joined = [f"#{trial.number}" for trial in history.front if trial.number in fresh]
    if not joined:
        return f"The Pareto front is as it was ({size})."
    shown = (
        joined if len(joined) <= MAX_JOINED else [*joined[:MAX_JOINED], f"{len(joined) - MAX_JOINED} more"]
    )
    who = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"{who} join{'s' * (len(joined) == 1)} the Pareto front ({size})."


def predictions(history: History, fresh: Iterable[Trial]) -> list[str]:
    """Whether what was predicted held, for the trials that had a prediction and completed."""
    sentences = []
    for trial in fresh:
        expected, spread = trial.proposal.expected, trial.proposal.spread
        if trial.value is None or expected is None:
            continue
        predicted = f"#{trial.number}: predicted {of_primary(history)}{format_metric(history, expected)}"
        got = f"got {format_metric(history, trial.value)}"
        if spread is None or spread <= 0:
            sentences.append(f"{predicted}, {got}.")
            continue
        held = abs(trial.value - expected) <= HELD_WITHIN * spread
        better = history.sign * (trial.value - expected) > 0
        verdict = "held" if held else f"did not hold, {'better' if better else 'worse'} than predicted"
        within = plus_minus(expected, spread, history.metric_range)
        sentences.append(f"{predicted}{within}, {got}: {verdict}.")
    if len(sentences) <= MAX_PREDICTIONS:
        return sentences
    held_count = sum(sentence.endswith(": held.") for sentence in sentences)
    return [f"Of {len(sentences)} predictions, {held_count} held within {HELD_WITHIN:g} standard deviations."]


def _effect(history: History, effect: Effect, goal: Goal) -> str:
    name, metric = clean(effect.parameter, 60), clean(goal.metric, 60)
    better = "higher" if goal.sign > 0 else "lower"
    if effect.choice is not None:
        value = history.space.format_value(effect.parameter, effect.choice)
        return f"{name}={clean(value, 60)} went with {better} {metric} ({effect.trials} trials)."
    size = "larger" if effect.strength > 0 else "smaller"
    return (
        f"{size.capitalize()} {name} went with {better} {metric} "
        f"(rank correlation {abs(effect.strength):.2f} over {effect.trials} trials)."
    )


def _failure(pattern: FailurePattern) -> str:
    others = f"{pattern.others or 'none'} of {pattern.out_of} others had"
    return (
        f"All {pattern.failures} trials that {_verb(pattern.kind)} had {clean(pattern.parameter, 60)} "
        f"{pattern.relation} {_show(pattern.value)}; {others}."
    )


def _verb(kind: str) -> str:
    return {"out of memory": "ran out of memory"}.get(kind, kind)


def _show(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else clean(value, 60)
