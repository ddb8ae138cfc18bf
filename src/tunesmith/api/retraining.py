"""The best configuration of a run trained again on fresh seeds, and its checkpoint delivered.

runs/NAME/retrain/seed-0 ...    a folder for each training, as a trial's
runs/NAME/winner/               checkpoints/, config.json and retrain.json of the seed that is delivered
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.api.checking import check_code
from tunesmith.api.winner import Winner
from tunesmith.errors import RetrainFailed
from tunesmith.goals import Goals
from tunesmith.interfaces import Emit
from tunesmith.seeds import derive_seed
from tunesmith.text.numbers import metric, readable
from tunesmith.trial import TrialState

if TYPE_CHECKING:
    from tunesmith.tools.engine.repeats import Repeat

Deliver = Literal["best", "median"]
LEVEL = 0.05
"""The share of the intervals that may miss the mean."""


@dataclass(frozen=True)
class Measurements:
    """One metric over the fresh seeds; metric units."""

    in_search: float | None
    """Its value in the search; None where the trial has none."""
    values: tuple[float | None, ...]
    """One for each seed; None where the training failed."""
    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval of the mean, Student's; None with fewer than two values."""


@dataclass(frozen=True)
class Retrained:
    """What came of training a configuration again. Metric units."""

    trial: int
    """The trial whose configuration it is."""
    configuration: dict[str, Any]
    """As training receives it, in JSON's types."""
    metric: str
    in_search: float
    """The trial's value in the search."""
    seeds: tuple[int, ...]
    values: tuple[float | None, ...]
    """One for each seed; None where the training failed."""
    mean: float
    low: float | None
    high: float | None
    """Ends of the 95 % interval of the mean, Student's; None with fewer than two values."""
    delivered_seed: int
    delivered: str
    """The folder with what is delivered."""
    checkpoint: str | None
    """Its newest checkpoint file; None where the training wrote none."""
    further: dict[str, Measurements] = field(default_factory=dict)
    """Every other metric that is optimised or has a limit, by name."""
    kept: dict[str, int] = field(default_factory=dict)
    """By limit, such as `latency_ms <= 20`: on how many of the seeds that completed it was kept."""
    broken: tuple[str, ...] = ()
    """The limits that the delivered training breaks: empty, unless the trainings of all seeds break one."""

    def lines(self) -> list[str]:
        """What a person is told."""
        done = [value for value in self.values if value is not None]
        shown = ", ".join("failed" if value is None else metric(value) for value in self.values)
        within = ""
        if self.low is not None and self.high is not None:
            within = f", 95 % interval {metric(self.low)} to {metric(self.high)}"
        on = f"{len(done)} fresh seeds" if len(done) != 1 else "one fresh seed"
        return [
            f"Confirmed: {self.metric} {metric(self.mean)} on {on}{within} "
            f"(trial {self.trial} had {metric(self.in_search)} in the search)",
            f"Values      {shown}",
            *(self._further(name, found) for name, found in self.further.items()),
            *(f"Limit       {limit} kept on {n} of {on}" for limit, n in self.kept.items()),
            f"Delivered   {self.delivered} (seed {self.delivered_seed})" + self._breaks(),
            f"Checkpoint  {self.checkpoint}"
            if self.checkpoint is not None
            else "Checkpoint  none: the training wrote no file to its checkpoint folder",
        ]

    @staticmethod
    def _further(name: str, found: Measurements) -> str:
        within = "" if found.low is None else f", {readable(found.low)} to {readable(found.high)}"
        if found.low is not None and found.low == found.high:
            within = " on every seed"
        searched = "" if found.in_search is None else f" ({readable(found.in_search)} in the search)"
        return f"Also        {name} {readable(found.mean)}{within}{searched}"

    def _breaks(self) -> str:
        return f", which breaks {' and '.join(self.broken)}: no seed keeps every limit" if self.broken else ""

    def as_json(self) -> dict[str, Any]:
        """With one metric and no limits without the keys `further`, `kept` and `broken`."""
        data = asdict(self)
        if not self.further and not self.kept:
            for key in ("further", "kept", "broken"):
                del data[key]
        return data


def retrain(
    winner: Winner,
    *,
    seeds: int,
    deliver: Deliver = "best",
    listen: Emit = lambda event: event,
) -> Retrained:
    """Train the winner's configuration again, by the objective, executor and limits of its trials.

    Trainings that completed before count; so the same call goes on after an interruption.

    Args:
        seeds: Trainings, at least 1; the same seeds at each call.
        deliver: Whose checkpoint: the seed of the best value, or of the median one.
        listen: Called with `Confirmed` after each training, and with `Degraded`.
    Raises:
        RunError: Another process holds the run.
        TaskError, ObjectiveError: The training code cannot be found.
        RetrainFailed: No training completed.
        KeyboardInterrupt: After the running trainings were ended.
    """
    from tunesmith.api.session import build_executor
    from tunesmith.tools.engine.repeats import Repeat, Repeats
    from tunesmith.tools.records.trial_folder import discard_attempt, newest_checkpoint

    task, folder = winner.task, winner.folder
    if task.objective is not None:
        check_code(task)
    objective = winner.objective()
    numbers = tuple(derive_seed(task.seed, "retrain", index) for index in range(seeds))
    repeats = [
        Repeat("best", winner.configuration, seed, folder.path / "retrain" / f"seed-{index}", "the objective")
        for index, seed in enumerate(numbers)
    ]
    with folder.lock():
        for repeat in repeats:
            if repeat.outcome is not None and _metrics(repeat, task.goals) is None:
                discard_attempt(repeat.folder)  # it failed; the code may have been mended since
        executor = build_executor(task, objective, listen)
        try:
            Repeats(task, executor, listen, "training the best again").train(repeats, task.metric, objective)
        finally:
            executor.close()
        found = [_metrics(repeat, task.goals) for repeat in repeats]
        done = [(each[task.metric], index) for index, each in enumerate(found) if each is not None]
        if not done:
            failed = next((o for repeat in repeats if (o := repeat.outcome) is not None), None)
            cause = "none could be started" if failed is None else f"{failed.state.value}: {failed.message}"
            if failed is not None and failed.state is TrialState.COMPLETED:
                lacking = [name for name in task.goals.names if name not in failed.values]
                cause = f"completed without {', '.join(lacking)}"
            where = folder.path / "retrain"
            raise RetrainFailed(f"none of the {seeds} trainings completed ({cause}). Logs are in {where}.")
        broken = {index: task.goals.broken(each) for index, each in enumerate(found) if each is not None}
        able = [pair for pair in done if not broken[pair[1]]] or done
        able.sort(key=lambda pair: pair[0], reverse=task.direction == "maximize")
        chosen = able[0 if deliver == "best" else (len(able) - 1) // 2][1]
        place = folder.path / "winner"
        further = {name: _measurements(name, winner, found) for name in task.goals.names}
        primary = further.pop(task.metric)
        result = Retrained(
            trial=winner.trial,
            configuration=winner.as_json(),
            metric=task.metric,
            in_search=winner.value,
            seeds=numbers,
            values=primary.values,
            mean=primary.mean,
            low=primary.low,
            high=primary.high,
            delivered_seed=numbers[chosen],
            delivered=str(place),
            checkpoint=None,
            further=further,
            kept={limit.text: sum(limit not in each for each in broken.values()) for limit in task.limits},
            broken=tuple(limit.text for limit in broken[chosen]),
        )
        return _delivered(result, repeats[chosen].folder, place, newest_checkpoint)


def _metrics(repeat: Repeat, goals: Goals) -> dict[str, float] | None:
    """Every metric of the task; None where the training is not done, failed, or lacks one of them."""
    found = {name: repeat.value(name) for name in goals.names}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(found) else None


def _measurements(name: str, winner: Winner, found: list[dict[str, float] | None]) -> Measurements:
    values = [None if each is None else each[name] for each in found]
    done = [value for value in values if value is not None]
    return Measurements(winner.values.get(name), tuple(values), statistics.fmean(done), *_interval(done))


def _interval(values: list[float]) -> tuple[float | None, float | None]:
    from numpy import asarray

    from tunesmith.tools.analysis.compare import interval

    if len(values) < 2:
        return None, None
    low, high = interval(asarray(values), LEVEL)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)


def _delivered(
    result: Retrained, trained: Path, place: Path, newest: Callable[[Path], Path | None]
) -> Retrained:
    """Put the checkpoints of a training in their place, all or nothing."""
    from dataclasses import replace

    from tunesmith.tools.records.trial_folder import CHECKPOINTS

    made = place.with_name(".winner.new")
    _remove(made)
    made.mkdir()
    if (trained / CHECKPOINTS).is_dir():
        shutil.copytree(trained / CHECKPOINTS, made / CHECKPOINTS, symlinks=True)
    found = newest(trained)
    if found is not None:
        result = replace(result, checkpoint=str(place / found.relative_to(trained)))
    (made / "config.json").write_text(json.dumps(result.configuration, indent=1))
    (made / "retrain.json").write_text(json.dumps(result.as_json(), indent=1))
    _remove(place)
    made.rename(place)
    return result


def _remove(path: Path) -> None:
    """Remove what is there; of a link, the link."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
