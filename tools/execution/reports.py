"""What training code said by `trial.report` and `trial.report_items`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunesmith.metric import Reading
from tunesmith.tools.execution.printed.choice import Result
from tunesmith.tools.execution.printed.item_scores import Scored
from tunesmith.tools.execution.printed.tally import Tally, Value

SAME = 1e-3
"""Relative difference below which a value and the mean of its items are the same one, rounded."""


class Reports:
    """The values and scores of one trial, by metric.

    Attributes:
        primary: Values of the primary metric; each has those of further metrics that came with it.
        further: Values of the further ones.
        items: Scores per item, the latest of each metric.
    """

    def __init__(self, metric: str, reading: Reading, further: Sequence[tuple[str, Reading]] = ()) -> None:
        self.metric = metric
        self.primary = Tally(maximize=reading.maximize)
        self.further = {name: Tally(maximize=how.maximize, by_step=True) for name, how in further}
        self.items: dict[str, Scored] = {}

    def add(self, number: float, step: int, others: dict[str, float]) -> None:
        """Values that were reported together."""
        self.primary.add(Value(number, step, others))
        for name, tally in self.further.items():
            if name in others:
                tally.add(Value(others[name], step))

    def with_items(self, result: Result) -> Result:
        """A result with the scores that were reported; a value that is there counts, not their mean."""
        items, notes = dict(result.items), list(result.notes)
        for metric, scores in self.items.items():
            value = result.values.get(metric)
            if scores.note:
                notes.append(scores.note)
            if value is None or not scores.packed:
                continue
            items[metric] = scores.packed
            if not math.isclose(value, scores.mean, rel_tol=SAME):
                notes.append(
                    f"{metric} is {value:g}, and the mean of its scores per item {scores.mean:g}; "
                    "the value counts."
                )
        return Result(result.values, tuple(notes), items)
