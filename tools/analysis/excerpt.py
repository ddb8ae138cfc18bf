"""A history as text of bounded size: the best, the latest, the failed, and some that differ from all of them.

The number of rows and the length of each are limited, so the text is as long after 3,000 trials as after 30.
The agent's tools and the prompts show it. Best are feasible trials, by the primary metric; with several
metrics the Pareto front comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import islice

import numpy as np

from tunesmith.goal_words import limit_text
from tunesmith.history import History
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import plus_minus, significant
from tunesmith.tools.analysis.goals_text import cell, of_primary, spread, values_text
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Proposal, Trial, TrialState

CONFIGURATION_LIMIT = 400
"""Characters of one configuration; spaces of more than some 20 parameters are cut in the middle."""
MESSAGE_LIMIT = 120
"""Characters of a failure's cause."""
POOL = 1000
"""Differing trials are looked for among this many of the latest, to bound the time it takes."""
MAX_PENDING = 12
FRONT = "front"
"""Names the Pareto front where trials are put in an order."""


def select(
    history: History, *, best: int = 8, recent: int = 6, failed: int = 4, diverse: int = 6
) -> tuple[Trial, ...]:
    """The most informative trials, in order of number; at most the sum of the four counts.

    Args:
        best: The best completed trials, as `best_trials` has them.
        recent: Latest finished trials, however they ended.
        failed: Latest trials that failed or were pruned, beyond the recent ones.
        diverse: Finished trials farthest from those already chosen, in the unit cube.
    """
    finished = history.finished
    latest = finished[len(finished) - min(recent, len(finished)) :]
    chosen = {trial.number: trial for trial in (*best_trials(history, best), *latest)}
    others = (t for t in reversed(finished) if t.state is not TrialState.COMPLETED and t.number not in chosen)
    chosen |= {trial.number: trial for trial in list(islice(others, failed))}
    pool = tuple(t for t in finished[-POOL:] if t.number not in chosen)
    if pool and diverse > 0 and chosen:
        rows, _ = history.encoded(pool)
        near, _ = history.encoded(tuple(chosen.values()))
        distance = np.min(np.abs(rows[:, None, :] - near[None, :, :]).sum(axis=2), axis=1)
        for _ in range(min(diverse, len(pool))):
            index = int(np.argmax(distance))
            if distance[index] <= 0:
                break
            chosen[pool[index].number] = pool[index]
            distance = np.minimum(distance, np.abs(rows - rows[index]).sum(axis=1))
    return tuple(chosen[number] for number in sorted(chosen))


def best_trials(history: History, n: int) -> tuple[Trial, ...]:
    """The `n` best completed trials: the highest scores, of equal ones the earlier trial.

    With several metrics half of them are of the Pareto front. With limits one of four, or all that are left,
    are infeasible ones, those of the highest scores: they show where the limits bind.
    """
    ranked = [history.completed[i] for i in np.argsort(-history.scores, kind="stable")]
    if history.goals.plain:
        return tuple(ranked[:n])
    kept = {trial.number for trial in history.feasible}
    broken = [trial for trial in ranked if trial.number not in kept]
    most = n - min(len(broken), n // 4)
    front = spread(history.front, max(2, most // 2)) if history.others else ()
    feasible = {t.number: t for t in (*front, *history.ranked)}
    first = list(feasible.values())[:most]
    return (*first, *broken[: n - len(first)])


def ranked_by(history: History, by: str) -> tuple[Trial, ...]:
    """Completed trials in the order of one metric, the best first, feasible ones before the others.

    Args:
        by: A metric of the task, or `FRONT` for the Pareto front alone, best primary value first.
    """
    if by == FRONT:
        return history.front
    sign = next((g.sign for g in history.goals.objectives if g.metric == by), None)
    if sign is None:  # measured for a limit: what keeps it with most room is best
        sign = next((-limit.sign for limit in history.limits if limit.metric == by), 1.0)
    place = {trial.number: place for place, trial in enumerate(history.ranked)}
    last = len(place)  # where the infeasible ones stand
    known = [t for t in history.completed if by in _values(history, t)]

    def order(trial: Trial) -> tuple[bool, float, int, int]:
        value = -sign * _values(history, trial)[by]
        return trial.number not in place, value, place.get(trial.number, last), trial.number

    return tuple(sorted(known, key=order))


def ranking(history: History, by: str, most: int) -> str:
    """A table of the first trials in one order."""
    shown = ranked_by(history, by)
    what = "The Pareto front" if by == FRONT else f"Completed trials by {cell(by)}, the best first"
    lines = [f"{census(history)}. {what}: {min(most, len(shown))} of {len(shown)} shown."]
    return "\n".join([*lines, columns(history), *map(partial(row, history), shown[:most])])


def _values(history: History, trial: Trial) -> dict[str, float]:
    return {**trial.values, **({} if trial.value is None else {history.metric: trial.value})}


def overview(history: History, *, best: int = 8, recent: int = 8) -> str:
    """Counts, a table of `select`ed trials, and the running ones."""
    shown = select(history, best=best, recent=recent, failed=3, diverse=4)
    lines = [f"{census(history)}. Shown: {len(shown)} of {len(history.finished)} finished."]
    if shown:
        lines += [columns(history), table(history, shown)]
    if history.pending:
        lines += ["Running now:", table(history, history.pending[:MAX_PENDING])]
    return "\n".join(lines)


def census(history: History) -> str:
    """How many trials ended in which way: `41 trials: 30 completed, 9 pruned, 2 crashed, 0 running`."""
    counts = Counter(trial.state for trial in history)
    parts = [f"{counts[state]} {state.value.replace('_', ' ')}" for state in TrialState if counts[state]]
    if history.limits and counts[TrialState.COMPLETED]:
        place = parts.index(f"{counts[TrialState.COMPLETED]} completed")
        parts[place] += f" ({len(history.feasible)} of them feasible)"
    return f"{len(history)} trial{'s' * (len(history) != 1)}" + (": " + ", ".join(parts) if parts else "")


def columns(history: History) -> str:
    """What the cells of a `row` are."""
    if history.goals.plain:
        return "number | value | end | configuration | notes"
    further = [cell(name) for name in history.goals.names if name != history.metric]
    cells = ["number", cell(history.metric), *([", ".join(further)] if further else [])]
    return " | ".join([*cells, "end", "configuration", "notes"])


def table(history: History, trials: Sequence[Trial]) -> str:
    """One `row` a trial."""
    return "\n".join(row(history, trial) for trial in trials)


def row(history: History, trial: Trial) -> str:
    """One trial in one line, such as `#12 | 0.931 | completed | lr=0.001, optimizer=adam | best`.

    With further metrics: `#12 | 0.931 | latency_ms 23 | completed | lr=0.001 | breaks latency_ms <= 20`.
    """
    configuration = clean(configuration_text(history, trial), CONFIGURATION_LIMIT)
    further = [] if history.goals.names == (history.metric,) else [values_text(history, trial)]
    ended = trial.state.value.replace("_", " ")
    cells = [f"#{trial.number}", format_metric(history, trial.value), *further, ended]
    notes = []
    if history.incumbent is not None and history.incumbent.number == trial.number:
        notes.append("best feasible" if history.limits else "best")
    if history.others and any(trial.number == other.number for other in history.front):
        notes.append("on the Pareto front")
    if trial.state is TrialState.COMPLETED and history.limits:
        notes += [f"breaks {limit_text(limit)}" for limit in history.goals.broken(trial.values)]
    if history.default is not None and trial.configuration == history.default:
        notes.append("default")
    if trial.state is not TrialState.COMPLETED and trial.last_reported is not None:
        step = trial.curve[-1][0]
        notes.append(f"last reported {format_metric(history, trial.last_reported)} at step {step}")
    if trial.cost is not None:
        notes.append(f"cost {significant(trial.cost)}")
    if trial.state.failed and trial.message:
        notes.append(f'cause: "{clean(trial.message, MESSAGE_LIMIT)}"')
    return " | ".join([*cells, configuration, *([", ".join(notes)] if notes else [])])


def configuration_text(history: History, trial: Trial) -> str:
    """A trial's configuration in one line; one of an earlier search space with all that was set then."""
    names = [n for n in history.space.names if n in trial.configuration]
    names += [n for n in trial.configuration if n not in history.space]
    return ", ".join(f"{name}={setting_text(history, trial, name)}" for name in names)


def setting_text(history: History, trial: Trial, name: str) -> str:
    """A value of a trial's configuration; as it is where the search space of now does not have it."""
    value = trial.configuration[name]
    parameter = history.space.parameters.get(name)
    if parameter is None or parameter.check(name, value) is not None:
        return value if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else str(value)
    return parameter.format(value)


def proposal_text(history: History, proposal: Proposal) -> str:
    """A proposal in a sentence or two: configuration, prediction and reason."""
    expected = ""
    if proposal.expected is not None:
        limits = history.metric_range
        spread = "" if proposal.spread is None else plus_minus(proposal.expected, proposal.spread, limits)
        expected = f" (expected {of_primary(history)}{format_metric(history, proposal.expected)}{spread})"
    configuration = clean(history.space.format(proposal.configuration), 400)
    return f"{configuration}{expected}. {clean(proposal.reason, 500)}".strip()
