"""The comparison on fresh seeds: the best configuration against the default, paired.

The search chose its best on one metric and one seed a trial, so that value is optimistic. Here both
configurations are trained again on the same new seeds, by the objective and metric that the task
names for it (usually a test split that the search never saw). Runs live in `confirm/` of the run
folder, are durable one by one, and are never trials of the study.

While the two cannot be told apart, twice as many seeds are taken, up to a bound that the task sets; see
`analysis/compare.py` for what that does to the test. The primary metric decides that; all further metrics and
limits are compared on the same seeds (`analysis/compare_goals.py`).

Where the task asks for one seed (`confirm: {seeds: 1}`) and its own code for the comparison gives scores by
item, the items are the pairs: what they leave open, another seed on the same items would not tell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tunesmith.events import Confirmed, Noted
from tunesmith.history import Direction, History
from tunesmith.interfaces import Emit
from tunesmith.items import Items
from tunesmith.objective import Objective
from tunesmith.recommendation import Recommendation, by_best_value, none_recommended
from tunesmith.seeds import derive_seed
from tunesmith.task import Confirm, Task
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.compare import Comparison, compare_paired, levels
from tunesmith.tools.analysis.compare_goals import (
    FurtherComparison,
    MetricCompared,
    compare_further,
    mean_items,
)
from tunesmith.tools.analysis.fresh_scores import FreshScore, compare_items
from tunesmith.tools.analysis.limits import none_feasible
from tunesmith.tools.engine.repeats import Repeat, Repeats
from tunesmith.tools.execution.base import Executor
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.trial_folder import newest_checkpoint
from tunesmith.trial import Configuration, Trial

MOST_OF_A_CAUSE = 300
"""Characters of the cause of a failed run that are quoted."""


class Confirmation:
    """Runs the comparison and writes `confirm.json`.

    Args:
        objective: What the search trained; used where the task names nothing else for the comparison.
        should_stop: Asked between events; True ends it early, resumably.
    """

    def __init__(
        self,
        task: Task,
        store: RunStore,
        executor: Executor,
        emit: Emit,
        objective: Objective,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.task, self._store, self.executor, self._emit = task, store, executor, emit
        self._objective, self._should_stop = objective, should_stop

    def run(self, history: History, recommendation: Recommendation | None = None) -> str:
        """Compare the recommended configuration with the default; returns the verdict as a sentence.

        Args:
            recommendation: What the search recommends; None stands for its best value.
        Raises:
            KeyboardInterrupt: Passed on after the running jobs were killed.
        """
        spec, best, default = self.task.confirm, recommendation or by_best_value(history), history.default
        if spec is None or spec.seeds < 1:
            return self._skip("the task asks for no comparison on fresh seeds (`confirm`)")
        if best is None:
            return self._skip(none_feasible(history) or none_recommended(history) or "no trial completed")
        if default is None:
            return self._skip("the task states no default configuration to compare with")
        if best.configuration == default:
            by = f" by {history.metric}" if history.goals.several else ""
            return self._skip(f"the default configuration is itself the best found{by}")
        metric = spec.metric or self.task.metric
        own = self.task.confirm_ref()
        objective = self._objective if own is None else replace(own, python=self._objective.python)
        repeats = Repeats(self.task, self.executor, self._emit, "the comparison", self._should_stop)
        looks = spec.looks(self.task.budget.trials)
        for seeds, level in zip(looks, levels(looks), strict=True):
            sides = self._sides(spec, best.configuration, default, seeds)
            if not repeats.train(sides, metric, objective):
                return self._skip("the comparison was interrupted; the same command finishes it")
            pairs = _pairs(sides, metric)
            comparison = compare_paired(
                [b for b, _ in pairs],
                [d for _, d in pairs],
                direction=self.task.direction,
                metric=metric,
                level=level,
            )
            by_items = None
            if seeds == 1 and spec.separate:
                by_items = self._by_items(sides, metric, self.task.direction)
            if by_items is not None:
                comparison = by_items
                break
            if seeds == looks[-1] or _decided(comparison, seeds):
                break
            more = min(n for n in looks if n > seeds) - seeds
            text = f"Not told apart by {seeds} seeds: {more} more of each are trained (at most {looks[-1]})."
            self._emit(Noted(text=text))
        further = compare_further(
            self.task.goals,
            metric,
            _Side([side for side in sides if side.name == "best"]),
            _Side([side for side in sides if side.name == "default"]),
            level=level,
        )
        if spec.separate:
            further = self._on_items(further, sides, comparison, history.get(best.trial))
        return self._judge(sides, pairs, comparison, further, best.trial, default)

    def _by_items(self, sides: list[Repeat], metric: str, direction: Direction) -> Comparison | None:
        """One training of each compared item by item; None without scores of the same items."""
        mine, theirs = (
            next(s for s in sides if s.name == name).items(metric) for name in ("best", "default")
        )
        if mine is None or theirs is None:
            return None
        return compare_items(mine, theirs, direction=direction, metric=metric)

    def _on_items(
        self,
        further: FurtherComparison,
        sides: list[Repeat],
        comparison: Comparison,
        trial: Trial | None,
    ) -> FurtherComparison:
        """With what the best one scored on fresh items, beside its value in the search.

        Of one training each, further metrics are judged by their items too; what a comparison by items says
        of a metric is not said again item by item.
        """
        repeats = [side for side in sides if side.name == "best"]
        own = []
        for metric in dict.fromkeys([comparison.metric, *self.task.goals.names]):
            items = mean_items([found for one in repeats if (found := one.items(metric)) is not None])
            if items is not None and len(set(items.scores)) > 1:  # else a known cost, say
                searched = None if trial is None else trial.values.get(metric)
                own.append(FreshScore.of(items, metric, searched))
        metrics = further.metrics
        if len(repeats) == 1:
            metrics = tuple(self._judged_by_items(one, sides) for one in metrics)
        compared = [comparison, *(one.comparison for one in metrics)]
        paired = {one.metric for one in compared if one is not None and one.unit == "items"}
        kept = tuple(one for one in further.items if one.metric not in paired)
        return further.model_copy(update={"metrics": metrics, "items": kept, "own": tuple(own)})

    def _judged_by_items(self, one: MetricCompared, sides: list[Repeat]) -> MetricCompared:
        """A further metric of one training each, by its items where it has any.

        Without a direction as if larger were better, as of `MetricCompared`.
        """
        found = self._by_items(sides, one.metric, one.direction or "maximize")
        return one if found is None else one.model_copy(update={"comparison": found})

    def _sides(self, spec: Confirm, best: Configuration, default: Configuration, count: int) -> list[Repeat]:
        root = self._store.path / "confirm"
        seeds = [derive_seed(self.task.seed, "confirm", index) for index in range(count)]
        code = spec.spec.text() if spec.spec is not None else "the objective"
        return [
            Repeat(name, configuration, seed, root / f"{name}-{index}", code)
            for index, seed in enumerate(seeds)  # paired: both sides of a seed before the next seed
            for name, configuration in (("default", default), ("best", best))
        ]

    def _judge(
        self,
        sides: list[Repeat],
        pairs: list[tuple[float, float]],
        comparison: Comparison,
        further: FurtherComparison,
        number: int,
        default: Configuration,
    ) -> str:
        metric, values = comparison.metric, _values(sides, comparison.metric)
        failed = len(values["best"]) - len(pairs)
        note = ""
        if failed:
            left_out = f"{failed} of {len(values['best'])} pairs had a failed run and were left out"
            note = f"{left_out}{_first_failure(sides, metric)}."
        if self.task.confirm is not None and not self.task.confirm.separate:
            # With limits the best is often worse than a default that breaks one, and has no lead.
            lead = not self.task.limits or comparison.difference is None or comparison.difference >= 0
            optimistic = ", so the best configuration's lead is optimistic" if lead else ""
            note = f"{note} Same data as in the search{optimistic}.".strip()
        if len(pairs) > 1 and all(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
            note = f"{note} Each gave the same value on every seed, so no noise was measured.".strip()
        self._write(
            {
                "metric": metric,
                "direction": self.task.direction,
                "trial": number,
                "default_configuration": dict(default),
                "seeds": list(dict.fromkeys(side.seed for side in sides)),
                **values,
                "comparison": comparison.model_dump(mode="json"),
                **({"further": further.model_dump(mode="json")} if further != FurtherComparison() else {}),
                "note": note,
                "best_checkpoint": self._checkpoint(number),
                "at": time.time(),
            }
        )
        sentence = " ".join(part for part in (comparison.sentence, further.sentence, note) if part)
        self._emit(Confirmed(done=len(sides), total=len(sides), text=sentence))
        return sentence

    def _skip(self, why: str) -> str:
        self._emit(Confirmed(done=0, total=0, text=f"Not compared with the default: {why}."))
        return f"Not compared with the default: {why}."

    def _checkpoint(self, number: int) -> str | None:
        """The newest file that the best trial left in its checkpoint folder, relative to the run folder."""
        newest = newest_checkpoint(self._store.trial_folder(number))
        return None if newest is None else str(newest.relative_to(self._store.path))

    def _write(self, data: dict[str, object]) -> None:
        write_atomic(self._store.path / "confirm.json", json.dumps(data, indent=1, allow_nan=False).encode())


@dataclass(frozen=True)
class _Side:
    """One configuration on all seeds."""

    repeats: Sequence[Repeat]

    def column(self, metric: str) -> tuple[float | None, ...]:
        return tuple(repeat.value(metric) for repeat in self.repeats)

    def items(self, metric: str) -> list[Items | None]:
        return [repeat.items(metric) for repeat in self.repeats]


def _first_failure(sides: list[Repeat], metric: str) -> str:
    """In brackets, why the first run without a value has none; empty where it was not started."""
    for side in sides:
        if side.value(metric) is None and side.outcome is not None:
            outcome = side.outcome
            why = clean(outcome.message, MOST_OF_A_CAUSE).rstrip(".") or outcome.state.value
            return f" (the {side.name}, seed {side.seed}: {why})"
    return ""


def _values(sides: list[Repeat], metric: str) -> dict[str, list[float | None]]:
    """Both sides' values, seed by seed; None for a run that failed."""
    return {name: [s.value(metric) for s in sides if s.name == name] for name in ("best", "default")}


def _pairs(sides: list[Repeat], metric: str) -> list[tuple[float, float]]:
    """Values of both on the seeds where neither failed."""
    values = _values(sides, metric)
    both = zip(values["best"], values["default"], strict=True)
    return [(b, d) for b, d in both if b is not None and d is not None]


def _decided(comparison: Comparison, seeds: int) -> bool:
    """Whether more seeds would not help: there is a verdict, no noise, or mostly failed runs."""
    no_noise = comparison.low is not None and comparison.low == comparison.high
    return comparison.verdict != "not distinguishable" or no_noise or 2 * comparison.n < seeds
