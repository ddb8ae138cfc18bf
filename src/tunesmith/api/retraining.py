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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tunesmith.api.checking import check_code
from tunesmith.api.winner import Winner
from tunesmith.errors import RetrainFailed
from tunesmith.interfaces import Emit
from tunesmith.seeds import derive_seed
from tunesmith.text.numbers import metric

Deliver = Literal["best", "median"]
LEVEL = 0.05
"""The share of the intervals that may miss the mean."""


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
            f"Delivered   {self.delivered} (seed {self.delivered_seed})",
            f"Checkpoint  {self.checkpoint}"
            if self.checkpoint is not None
            else "Checkpoint  none: the training wrote no file to its checkpoint folder",
        ]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


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
            if repeat.outcome is not None and repeat.value(task.metric) is None:
                discard_attempt(repeat.folder)  # it failed; the code may have been mended since
        executor = build_executor(task, objective, listen)
        try:
            Repeats(task, executor, listen, "training the best again").train(repeats, task.metric, objective)
        finally:
            executor.close()
        values = [repeat.value(task.metric) for repeat in repeats]
        done = [(value, index) for index, value in enumerate(values) if value is not None]
        if not done:
            failed = next((o for repeat in repeats if (o := repeat.outcome) is not None), None)
            cause = "none could be started" if failed is None else f"{failed.state.value}: {failed.message}"
            where = folder.path / "retrain"
            raise RetrainFailed(f"none of the {seeds} trainings completed ({cause}). Logs are in {where}.")
        done.sort(key=lambda pair: pair[0], reverse=task.direction == "maximize")
        chosen = done[0 if deliver == "best" else (len(done) - 1) // 2][1]
        place = folder.path / "winner"
        low, high = _interval([value for value, _ in done])
        result = Retrained(
            trial=winner.trial,
            configuration=winner.as_json(),
            metric=task.metric,
            in_search=winner.value,
            seeds=numbers,
            values=tuple(values),
            mean=statistics.fmean(value for value, _ in done),
            low=low,
            high=high,
            delivered_seed=numbers[chosen],
            delivered=str(place),
            checkpoint=None,
        )
        return _delivered(result, repeats[chosen].folder, place, newest_checkpoint)


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
