"""The facts of task and data in a prompt: none, some or all. Every fact is filled in or left out.

| level | warm start | with trials to look at |
|---|---|---|
| none | model, metric | model, metric |
| partial | + direction, kind of task, sizes, classes, missing values | + direction (and instructions) |
| full | + the person's words, scale, skewness, correlations | + kind of task, sizes, classes, words |

As upstream has it: with trials to look at, the shape of the data is left out, since it would be sent with
each of many calls. Blinded, a prompt says only that there is a score and which way is better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tunesmith.agent.methods.llambo.goals import METRIC
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.data_card import DataCard
from tunesmith.goal_words import aims
from tunesmith.text.cleaning import clean, fenced

if TYPE_CHECKING:
    from tunesmith.task import Task

Stage = Literal["start", "history"]
MODEL_LIMIT, METRIC_LIMIT, WORDS_LIMIT = 200, 100, 1500
"""Characters."""
MOST_FEATURES, MOST_CLASSES = 16, 12
STRONG = 0.5
"""Absolute correlation above which a card counts a feature, or a pair, as correlated."""


@dataclass(frozen=True)
class TaskWords:
    """A task in a person's words; each may be empty.

    Attributes:
        model: The model being trained, such as `RandomForest`.
        description: The job.
        data: Facts about the data.
    """

    model: str = ""
    description: str = ""
    data: str = ""

    @classmethod
    def of(cls, task: Task) -> TaskWords:
        """The task's own words; with several metrics or limits, what is looked for is said first."""
        wanted = "" if task.goals.plain else f"{aims(task.goals)}. "
        if task.goals.several:
            wanted += f"These metrics are combined to {METRIC}, by other weights in each question. "
        return cls(task.model, f"{wanted}{task.description}".strip(), task.data)


def facts(
    words: TaskWords | str,
    card: DataCard | None,
    protocol: LlamboSettings,
    *,
    metric: str = "",
    direction: Literal["minimize", "maximize"] | None = None,
    stage: Stage = "history",
) -> str:
    """The facts as lines of text; empty where there are none to give.

    Args:
        words: A bare text counts as the description.
        card: None: sentences about data are left out.
        metric, direction: As the history has them; empty and None leave the sentence out.
        stage: `start`: for the zero-shot design; `history`: beside observed trials.
    """
    task = TaskWords(description=words) if isinstance(words, str) else words
    better = {"minimize": "smaller is better", "maximize": "larger is better", None: ""}[direction]
    if protocol.blinded:
        return f"The score: {better}." if better and protocol.context != "none" else ""
    partial, full = protocol.context != "none", protocol.context == "full"
    with_data = card is not None and (partial if stage == "start" else full)
    lines = []
    if task.model.strip():
        lines.append(f"Model being tuned: {_line(task.model, MODEL_LIMIT)}")
    if metric:
        goal = f"; {better}" if better and partial else ""
        lines.append(f"Quality is measured by: {_line(metric, METRIC_LIMIT)}{goal}")
    if card is not None and with_data:
        lines += _sizes(card)
        if full and stage == "start":
            lines += _shape(card)
    for text, source in ((task.description, "description"), (task.data, "data")):
        if full and text.strip():
            lines.append(fenced(text, f"task file, {source}", WORDS_LIMIT))
    return "\n".join(lines)


def _sizes(card: DataCard) -> list[str]:
    least = "at least " if card.more_samples else ""
    lines = []
    if card.task is not None:
        lines.append(f"Kind of task: {card.task}")
    lines.append(
        f"Data: {least}{card.samples} samples, {card.features} features "
        f"({card.numeric} numeric, {card.categorical} categorical)"
    )
    if card.task == "classification":
        counts = ", ".join(f"{count} of class {_quoted(name)}" for name, count in card.classes[:MOST_CLASSES])
        rest = card.n_classes - len(card.classes[:MOST_CLASSES])
        more = f", and {rest} more" if rest > 0 else ""
        lines.append(f"Classes: {card.n_classes}; {counts}{more}")
    if card.missing:
        lines.append(f"Missing: {card.missing:.2%} of all entries")
    return lines


def _shape(card: DataCard) -> list[str]:
    lines = []
    if card.mean_square is not None and card.smallest_sd is not None and card.largest_sd is not None:
        lines.append(
            f"Scale of the features: standard deviations from {card.smallest_sd:.3g} to "
            f"{card.largest_sd:.3g}, mean square of entries {card.mean_square:.3g}"
        )
    for name, spread in (("Skewness", card.skewness), ("Excess kurtosis", card.kurtosis)):
        if spread is not None:
            lines.append(f"{name} of the features: {spread.text()}")
    shaped = [f for f in card.listed if f.skewness is not None and f.kurtosis is not None]
    if shaped:
        each = ", ".join(
            f"{_quoted(f.name)} {f.skewness:.2f} and {f.kurtosis:.2f}" for f in shaped[:MOST_FEATURES]
        )
        more = f" (the first {MOST_FEATURES})" if card.features > MOST_FEATURES else ""
        lines.append(f"Skewness and excess kurtosis by feature{more}: {each}")
    if card.correlated_with_target is not None:
        lines.append(
            f"Correlation with the target: {card.correlated_with_target} of {card.numeric} numeric "
            f"features above {STRONG} in absolute value"
        )
    if card.correlated_pairs is not None and card.pairs:
        of_all = "" if card.pairs == card.pairs_possible else f" examined, of {card.pairs_possible} possible"
        lines.append(
            f"Correlation between features: {card.correlated_pairs} of {card.pairs} pairs{of_all} above "
            f"{STRONG} in absolute value"
        )
    return lines


def _line(text: str, limit: int) -> str:
    """A person's words on one line, with nothing in them that reads as a mark of ours."""
    return re.sub("##+", "#", clean(text, limit)).replace("<", "‹").replace(">", "›")


def _quoted(name: str) -> str:
    """A name out of a data file, with no quote or mark of ours in it."""
    return "'" + _line(name, 40).replace("'", "’") + "'"
