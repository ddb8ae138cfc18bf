"""The second argument of `train(config, trial)`: how training code reports and asks for verdicts."""

from __future__ import annotations

import errno
import logging
import math
import operator
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tunesmith.errors import ObjectiveError, TunesmithError, short
from tunesmith.metric import Reading
from tunesmith.tools.execution.channel import CLOSED
from tunesmith.tools.execution.measuring import as_number
from tunesmith.tools.execution.printed.item_scores import scored
from tunesmith.tools.execution.reports import Reports
from tunesmith.tools.records.bounds import MAX_STEP, legal_step
from tunesmith.tools.records.curve_file import CurveFile
from tunesmith.tools.records.trial_folder import CHECKPOINTS

log = logging.getLogger(__name__)

MOST_STEPS = 100_000
"""Steps that are remembered, so that a second report of one is ignored; after so many, steps have to rise."""


class Pruned(TunesmithError):
    """Raise it from training code to end a trial that is not worth going on with."""


class Diverged(TunesmithError):
    """Raised by `trial.report` for NaN or an infinite value; let it pass, the trial is over."""


class Channel(Protocol):
    """Where reports go and verdicts come from; see `channel.EngineChannel`."""

    def report(self, step: int, value: float, others: Mapping[str, float] | None = None) -> None: ...

    def verdict(self, step: int) -> bool: ...


class TrialHandle:
    """The trial as training code sees it; the methods have Optuna's names and argument order.

        def train(config, trial):
            for epoch in range(40):
                ...
                trial.report(accuracy, epoch)
                if trial.should_prune():
                    return accuracy  # or raise tunesmith.training.Pruned
            return {"val_accuracy": accuracy, "val_loss": loss}

    Attributes:
        number: The trial's number; negative in the comparison at the end of a run.
        seed: This trial's seed, in [0, 2**31). The global generators of `random`, and of NumPy and
            PyTorch once they are loaded, have been seeded with it.
        folder: The trial's own folder; absolute.
    """

    def __init__(
        self,
        number: int,
        folder: Path,
        seed: int,
        metric: str,
        channel: Channel,
        *,
        reading: Reading | None = None,
        further: Sequence[tuple[str, Reading]] = (),
    ) -> None:
        self.number, self.folder, self.seed = number, folder, seed
        self.metric = metric
        self.diverged: str | None = None
        """Says what was reported that is not finite; None while all was."""
        self.given: Any = None
        """What the task's kind of problem gives its training function (`ProblemKind.given`)."""
        self.notes: list[str] = []
        """What a person should know of the trial; kept with its outcome."""
        self.stopped = False
        """Whether a verdict to stop was received."""
        self.reports = Reports(metric, reading or Reading(), further)
        """What was reported: how often, the last and the best."""
        self._steps: set[int] = set()
        self._highest = -1
        self._channel = channel
        self._latest: int | None = None
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._curve = CurveFile(folder)

    @property
    def checkpoint_dir(self) -> Path:
        """A folder for this trial's checkpoints; it exists, and is kept after the trial."""
        path = self.folder / CHECKPOINTS
        path.mkdir(exist_ok=True)
        return path

    def report(self, value: Any, step: int) -> None:
        """Report the metric after `step` (such as an epoch), or the metrics of a task that has several.

            trial.report(accuracy, epoch)
            trial.report({"val_accuracy": accuracy, "latency_ms": latency}, epoch)

        The first metric of the task, its primary one, makes the trial's curve; the others are kept beside it,
        so that those of the step whose value is taken count.

        It waits for nobody. While the engine is busy its latest reports are kept for it, and of more than a
        thousand some in between never reach it; the trial's curve has them.

        Args:
            value: A number, NumPy scalar or tensor of one element, or a mapping with such a one for the
                primary metric. NaN or an infinite value of the primary metric ends the trial as diverged.
            step: An integer from 0 to 2,147,483,647. Steps may be skipped and come in any order; a step that
                was reported already is ignored, as in Optuna: the first value is kept. After 100,000 reports
                only steps above all earlier ones count.
        Raises:
            TypeError, ValueError: `value` or `step` is not as above.
            Diverged: `value` is not finite; nothing after this counts.
        """
        others: dict[str, float] = {}
        if isinstance(value, Mapping):
            for name, one in value.items():
                other = as_number(one)
                if other is not None and (math.isfinite(other) or name in self.reports.further):
                    others[str(name)] = other
            if self.metric not in value:
                raise ValueError(
                    f"trial.report(values, step) got {short(dict(value))}, which lack {self.metric!r}, "
                    "the metric whose curve is judged. Report it in the same call."
                )
            value = value[self.metric]
            others.pop(self.metric, None)
        number, place = self._number(value), _step(step)
        with self._lock:
            if self.diverged is not None:
                raise Diverged(self.diverged)
            if not math.isfinite(number):
                self.diverged = f"{self.metric} was {number} at step {place}"
                raise Diverged(self.diverged)
            self.reports.add(number, place, others)
            if not self._is_new(place):
                log.warning("step %d was reported before; this value of it is ignored", place)
                return
            try:
                self._keep(number, place)
            except OSError as error:
                if error.errno == errno.EBADF:
                    raise ObjectiveError(CLOSED) from error
                raise
            self._latest = place
            known = {name: one for name, one in others.items() if name in self.reports.further}
            self._channel.report(place, number, *([known] if known else []))

    def report_items(self, scores: Any, metric: str | None = None) -> None:
        """Report the scores of single items behind a metric, such as 1 or 0 for each validation sample.

            trial.report_items(predicted == labels)                      the mean is the metric's value
            trial.report_items({"img_01": 0.91, "img_02": 0.87}, "dice")

        They are kept with the trial, so that two trials can be compared item by item, which tells smaller
        differences apart. Items are matched by their ids, or by their places where there are none: then the
        order has to be the same in every trial. What was reported last counts. Where the training code also
        returns or reports the metric, that is its value, else the mean of the scores is.

        Args:
            scores: Numbers in a list, an array or a tensor of one dimension (True and False count 1 and 0),
                or a mapping from an item's id to its score. Up to 100,000 are kept, in metric units.
            metric: One of the task's; None: the primary one.
        Raises:
            TypeError: `scores` are no scores.
            ValueError: The task has no such metric.
        """
        name = self.metric if metric is None else metric
        known = [self.metric, *self.reports.further]
        if name not in known:
            raise ValueError(
                f"trial.report_items(scores, metric) got metric = {short(name)}; the task has "
                f"{', '.join(known)}."
            )
        found = scored(scores, name)
        if found is None:
            raise TypeError(
                f"trial.report_items(scores) got scores = {short(scores)} ({type(scores).__name__}), which "
                "are no scores of items. Give a list, an array of one dimension, or a dict from id to number."
            )
        with self._lock:
            self.reports.items[name] = found

    def record(self, value: float, step: int) -> None:
        """Put a value into the trial's curve that nobody is to judge, such as one of several final ones."""
        with self._lock:
            if math.isfinite(value) and legal_step(step) and self._is_new(step):
                self._keep(value, step)

    def should_prune(self) -> bool:
        """Whether to stop now, judged by the curve up to the latest report.

        Waits for the verdict on that report (about a millisecond), so that the same seed gives the same
        run; where the engine does not answer within ten seconds, training goes on, and the verdict counts
        when it is there. Without a pruner nothing is waited for. Once True it stays True, and however the
        function returns then, the trial counts as pruned. False before the first report.
        """
        with self._lock:
            latest = self._latest
        if latest is not None and self._channel.verdict(latest):
            self.stopped = True
        return self.stopped

    def _is_new(self, step: int) -> bool:
        if step <= self._highest:
            return len(self._steps) < MOST_STEPS and step not in self._steps
        return True

    def _keep(self, value: float, step: int) -> None:
        if len(self._steps) < MOST_STEPS:
            self._steps.add(step)
        self._highest = max(self._highest, step)
        self._curve.add(step, value, round(time.monotonic() - self._started, 3))

    def _number(self, value: Any) -> float:
        number = as_number(value)
        if number is None:
            raise TypeError(
                f"trial.report(value, step) got value = {short(value)} ({type(value).__name__}), which is "
                f"no number. Report a float; for a tensor of one element, its .item()."
            )
        return number


def _step(step: Any) -> int:
    try:
        place = int(step) if isinstance(step, float) and step.is_integer() else operator.index(step)
    except TypeError:
        place = -1
    if isinstance(step, bool) or not legal_step(place):
        raise ValueError(
            f"trial.report(value, step) got step = {short(step)}; it must be an integer from 0 to "
            f"{MAX_STEP:,}, such as the epoch. The value comes first and the step second."
        )
    return place
