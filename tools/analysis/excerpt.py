"""A history as text of bounded size: the best, the latest, the failed, and some that differ from all of them.

The number of rows and the length of each are limited, so the text is as long after 3,000 trials as after 30.
The agent's tools and the prompts show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np

from tunesmith.history import History
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import plus_minus
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Proposal, Trial, TrialState

CONFIGURATION_LIMIT = 400
"""Characters of one configuration; spaces of more than some 20 parameters are cut in the middle."""
MESSAGE_LIMIT = 120
"""Characters of a failure's cause."""
POOL = 1000
"""Differing trials are looked for among this many of the latest, to bound the time it takes."""
MAX_PENDING = 12


def select(
    history: History, *, best: int = 8, recent: int = 6, failed: int = 4, diverse: int = 6
) -> tuple[Trial, ...]:
    """The most informative trials, in order of number; at most the sum of the four counts.

    Args:
        best: Completed trials of the highest score.
        recent: Latest finished trials, however they ended.
        failed: Latest trials that failed or were pruned, beyond the recent ones.
        diverse: Finished trials farthest from those already chosen, in the unit cube.
    """
    finished, completed = history.finished, history.completed
    order = np.argsort(-history.scores, kind="stable")[:best]  # of equal ones, the earlier trial
    latest = finished[len(finished) - min(recent, len(finished)) :]
    chosen = {trial.number: trial for trial in (*(completed[index] for index in order), *latest)}
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


def overview(history: History, *, best: int = 8, recent: int = 8) -> str:
    """Counts, a table of `select`ed trials, and the running ones."""
    shown = select(history, best=best, recent=recent, failed=3, diverse=4)
    lines = [f"{census(history)}. Shown: {len(shown)} of {len(history.finished)} finished."]
    if shown:
        lines += ["number | value | end | configuration | notes", table(history, shown)]
    if history.pending:
        lines += ["Running now:", table(history, history.pending[:MAX_PENDING])]
    return "\n".join(lines)


def census(history: History) -> str:
    """How many trials ended in which way: `41 trials: 30 completed, 9 pruned, 2 crashed, 0 running`."""
    counts = Counter(trial.state for trial in history)
    parts = [f"{counts[state]} {state.value.replace('_', ' ')}" for state in TrialState if counts[state]]
    return f"{len(history)} trial{'s' * (len(history) != 1)}" + (": " + ", ".join(parts) if parts else "")


def table(history: History, trials: Sequence[Trial]) -> str:
    """One `row` a trial."""
    return "\n".join(row(history, trial) for trial in trials)


def row(history: History, trial: Trial) -> str:
    """One trial in one line, such as `#12 | 0.931 | completed | lr=0.001, optimizer=adam | best`."""
    configuration = clean(history.space.format(trial.configuration), CONFIGURATION_LIMIT)
    cells = [f"#{trial.number}", format_metric(history, trial.value), trial.state.value.replace("_", " ")]
    notes = []
    if history.incumbent is not None and history.incumbent.number == trial.number:
        notes.append("best")
    if history.default is not None and trial.configuration == history.default:
        notes.append("default")
    if trial.state is not TrialState.COMPLETED and trial.last_reported is not None:
        step = trial.curve[-1][0]
        notes.append(f"last reported {format_metric(history, trial.last_reported)} at step {step}")
    if trial.state.failed and trial.message:
        notes.append(f'cause: "{clean(trial.message, MESSAGE_LIMIT)}"')
    return " | ".join([*cells, configuration, *([", ".join(notes)] if notes else [])])


def proposal_text(history: History, proposal: Proposal) -> str:
    """A proposal in a sentence or two: configuration, prediction and reason."""
    expected = ""
    if proposal.expected is not None:
        limits = history.metric_range
        spread = "" if proposal.spread is None else plus_minus(proposal.expected, proposal.spread, limits)
        expected = f" (expected {format_metric(history, proposal.expected)}{spread})"
    configuration = clean(history.space.format(proposal.configuration), 400)
    return f"{configuration}{expected}. {clean(proposal.reason, 500)}".strip()
