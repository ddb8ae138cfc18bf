"""The comparison on fresh seeds: the best configuration against the default, paired.

The search chose its best on one metric and one seed a trial, so that value is optimistic. Here both
configurations are trained again on the same new seeds, by the objective and metric that the task
names for it (usually a test split that the search never saw). Runs live in `confirm/` of the run
folder, are durable one by one, and are never trials of the study.

While the two cannot be told apart, twice as many seeds are taken, up to a bound that the task sets; see
`analysis/compare.py` for what that does to the test.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tunesmith.errors import ExecutorError
from tunesmith.events import Confirmed, Degraded, Noted
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.outcome import json_object
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.seeds import derive_seed
from tunesmith.task import Confirm, Task
from tunesmith.tools.analysis.compare import Comparison, compare_paired, levels
from tunesmith.tools.execution.base import Continue, Executor, Finished, Job, Reported, Resources
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.plain_files import read_plain
from tunesmith.tools.records.trial_folder import (
    CONFIG,
    LARGEST_RECORD,
    discard_attempt,
    make_trial_folder,
    newest_checkpoint,
    recorded_outcome,
)
from tunesmith.trial import Configuration, Outcome, TrialState


@dataclass(frozen=True)
class _Side:
    """One configuration on one seed."""

    name: str
    configuration: Configuration
    seed: int
    folder: Path
    objective: str
    """Which training code, as the task names it."""

    def result(self, metric: str) -> tuple[bool, float | None]:
        """(done, value); a run of another configuration, seed or code in this folder counts as not done."""
        try:
            made_for = json_object(read_plain(self.folder / CONFIG, LARGEST_RECORD))
        except (OSError, ValueError):
            return False, None
        outcome = recorded_outcome(self.folder)
        if outcome is None or made_for != self.identity or outcome.state is TrialState.LOST:
            return False, None
        return True, outcome.values.get(metric) if outcome.state is TrialState.COMPLETED else None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "digest": self.configuration.digest,
            "seed": self.seed,
            "objective": self.objective,
            "values": dict(self.configuration),
        }


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
        self._resources = Resources(cpus=task.threads)

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
            return self._skip("no trial completed")
        if default is None:
            return self._skip("the task states no default configuration to compare with")
        if best.configuration == default:
            return self._skip("the default configuration is itself the best found")
        metric = spec.metric or self.task.metric
        looks = spec.looks(self.task.budget.trials)
        for seeds, level in zip(looks, levels(looks), strict=True):
            sides = self._sides(spec, best.configuration, default, seeds)
            if not self._train(sides, metric):
                return self._skip("the comparison was interrupted; the same command finishes it")
            pairs = _pairs(sides, metric)
            comparison = compare_paired(
                [b for b, _ in pairs],
                [d for _, d in pairs],
                direction=self.task.direction,
                metric=metric,
                level=level,
            )
            if seeds == looks[-1] or _decided(comparison, seeds):
                break
            more = min(n for n in looks if n > seeds) - seeds
            text = f"Not told apart by {seeds} seeds: {more} more of each are trained (at most {looks[-1]})."
            self._emit(Noted(text=text))
        return self._judge(sides, pairs, comparison, best.trial)

    def _sides(self, spec: Confirm, best: Configuration, default: Configuration, count: int) -> list[_Side]:
        root = self._store.path / "confirm"
        seeds = [derive_seed(self.task.seed, "confirm", index) for index in range(count)]
        code = spec.spec.text() if spec.spec is not None else "the objective"
        return [
            _Side(name, configuration, seed, root / f"{name}-{index}", code)
            for index, seed in enumerate(seeds)  # paired: both sides of a seed before the next seed
            for name, configuration in (("default", default), ("best", best))
        ]

    def _train(self, sides: list[_Side], metric: str) -> bool:
        waiting = [side for side in sides if not side.result(metric)[0]]
        running: set[int] = set()
        total, done = len(sides), len(sides) - len(waiting)
        own = self.task.confirm_ref()
        objective = self._objective if own is None else replace(own, python=self._objective.python)
        number = 0
        try:
            while waiting or running:
                if self._should_stop():
                    return False
                while waiting and self.executor.room(self._resources) is None:
                    side = waiting.pop(0)
                    number -= 1
                    match self._start(number, side, metric, objective):
                        case "running":
                            running.add(number)
                        case "waits":
                            waiting.insert(0, side)
                            break
                        case "failed":
                            done += 1
                for event in self.executor.events(0.1):
                    if isinstance(event, Reported):
                        self.executor.answer(event.number, event.step, Continue())
                    elif isinstance(event, Finished):
                        running.discard(event.number)
                        done += 1
                        self._emit(Confirmed(done=done, total=total))
            return True
        finally:
            for left in running:
                lost = Outcome(state=TrialState.LOST, message="the comparison was interrupted")
                self.executor.kill(left, lost)

    def _start(
        self, number: int, side: _Side, metric: str, objective: Objective
    ) -> Literal["running", "waits", "failed"]:
        self._prepare(side)
        job = Job(
            number=number,
            folder=side.folder,
            configuration=self.task.space.originals(side.configuration),
            seed=side.seed,
            metric=metric,
            reading=self.task.reading
            if metric == self.task.metric
            else Reading(maximize=self.task.direction == "maximize"),
            judged=False,
            objective=objective,
            time_limit_s=self.task.budget.trial_time_s,
            resources=self._resources,
        )
        try:
            waits = self.executor.offer(job)
        except ExecutorError as error:
            where = f"confirm/{side.folder.name}"
            how = "this run counts as failed"
            self._emit(Degraded(what="warning", where=where, cause=str(error)[:500], continuation=how))
            return "failed"
        return "running" if waits is None else "waits"

    def _prepare(self, side: _Side) -> None:
        make_trial_folder(side.folder)
        discard_attempt(side.folder)
        write_atomic(side.folder / CONFIG, json.dumps(side.identity).encode())

    def _judge(
        self, sides: list[_Side], pairs: list[tuple[float, float]], comparison: Comparison, number: int
    ) -> str:
        metric, values = comparison.metric, _values(sides, comparison.metric)
        failed = len(values["best"]) - len(pairs)
        note = (
            f"{failed} of {len(values['best'])} pairs had a failed run and were left out." if failed else ""
        )
        if self.task.confirm is not None and not self.task.confirm.separate:
            note = (
                note + " Same data as in the search, so the best configuration's lead is optimistic."
            ).strip()
        if len(pairs) > 1 and all(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
            note = f"{note} Each gave the same value on every seed, so no noise was measured.".strip()
        self._write(
            {
                "metric": metric,
                "direction": self.task.direction,
                "trial": number,
                "seeds": list(dict.fromkeys(side.seed for side in sides)),
                **values,
                "comparison": comparison.model_dump(mode="json"),
                "note": note,
                "best_checkpoint": self._checkpoint(number),
                "at": time.time(),
            }
        )
        sentence = comparison.sentence + (f" {note}" if note else "")
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


def _values(sides: list[_Side], metric: str) -> dict[str, list[float | None]]:
    """Both sides' values, seed by seed; None for a run that failed."""
    return {name: [s.result(metric)[1] for s in sides if s.name == name] for name in ("best", "default")}


def _pairs(sides: list[_Side], metric: str) -> list[tuple[float, float]]:
    """Values of both on the seeds where neither failed."""
    values = _values(sides, metric)
    both = zip(values["best"], values["default"], strict=True)
    return [(b, d) for b, d in both if b is not None and d is not None]


def _decided(comparison: Comparison, seeds: int) -> bool:
    """Whether more seeds would not help: there is a verdict, no noise, or mostly failed runs."""
    no_noise = comparison.low is not None and comparison.low == comparison.high
    return comparison.verdict != "not distinguishable" or no_noise or 2 * comparison.n < seeds
