"""Reads `confirm.json`: best against default on fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tunesmith.events import Confirmed, Event
from tunesmith.history import Direction, History
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.task import Task
from tunesmith.tools.analysis import compare
from tunesmith.tools.analysis.compare_goals import FurtherComparison, MetricCompared
from tunesmith.tools.records.log_reading import recommended
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.data import Comparison, Pair
from tunesmith.tools.report.goal_data import LimitOnSeeds, MetricPairs
from tunesmith.tools.report.goals import finite, items_line
from tunesmith.trial import Value


class ComparisonRecord(BaseModel):
    """The file, as far as a report needs it."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    metric: str
    direction: Direction
    trial: int | None = None
    default_configuration: dict[str, Value] | None = None
    """None in a record of before this was written."""
    seeds: list[int]
    best: list[float | None]
    default: list[float | None]
    comparison: compare.Comparison
    further: FurtherComparison = FurtherComparison()
    """Beside the values of that metric; empty in a record of a task with one metric and no limit."""
    note: str = ""

    @classmethod
    def read(cls, run: Path) -> ComparisonRecord:
        """That of the run in folder `run`.

        Raises:
            OSError, ValidationError: There is none, or it cannot be read.
        """
        return cls.model_validate_json((run / "confirm.json").read_bytes())


def of_another_task(record: ComparisonRecord, history: History) -> bool:
    """Whether the default was another one then, or the trial does not count in the space of now."""
    then, now = record.default_configuration, history.default
    if then is not None and (now is None or then != dict(now)):
        return True
    return record.trial is not None and record.trial in {trial.number for trial in history.earlier}


def verdict_now(run: Path, history: History, events: Sequence[Event]) -> str:
    """The latest verdict; empty where it is about another default, or a trial that does not count now."""
    latest = next((e for e in reversed(events) if isinstance(e, Confirmed) and e.text), None)
    if latest is None:
        return ""
    try:
        stale = bool(latest.total) and of_another_task(ComparisonRecord.read(run), history)
    except (OSError, ValidationError):
        stale = False
    return "" if stale else latest.text


def comparison_due(run: Path, task: Task, history: History, found: Recommendation | None) -> bool:
    """Whether a run that has ended lacks the comparison that its task asks for."""
    if task.confirm is None or task.confirm.seeds < 1 or history.default is None:
        return False
    best = found or by_best_value(history)
    if best is None or best.configuration == history.default:
        return False
    try:
        record = ComparisonRecord.read(run)
    except FileNotFoundError:
        return True
    except (OSError, ValidationError):
        return False  # the report says what is wrong with it
    limits = tuple(kept.limit for kept in record.further.limits)
    if limits != task.limits:
        return True  # the trainings stand; what they say of the limits is asked again
    return of_another_task(record, history) or len(record.seeds) < task.confirm.seeds


def read_comparison(
    folder: RunFolder, history: History, events: Sequence[Event], text: Anonymous
) -> tuple[Comparison | None, str]:
    """(comparison, why there is none); one of the two is None or empty."""
    try:
        record = ComparisonRecord.read(folder.path)
    except FileNotFoundError:
        return None, _why_not(folder, history, events, text)
    except (OSError, ValidationError) as error:
        return None, text(f"confirm.json cannot be read: {str(error).splitlines()[0]}")
    if of_another_task(record, history):
        return None, _why_not(folder, history, events, text)
    try:
        return _comparison(record, history, events, text), ""
    except ValidationError:  # a number in it is none
        return None, "confirm.json cannot be read: it holds a value that is no finite number."


def _comparison(
    record: ComparisonRecord, history: History, events: Sequence[Event], text: Anonymous
) -> Comparison:
    sign = 1.0 if record.direction == "maximize" else -1.0
    pairs = tuple(
        Pair(seed=seed, best=best, default=default, gain=_gain(sign, best, default))
        for seed, best, default in zip(record.seeds, record.best, record.default, strict=False)
    )
    judged = record.comparison
    return Comparison(
        metric=text(record.metric, 100),
        direction=record.direction,
        trial=record.trial,
        pairs=pairs,
        mean_gain=judged.difference,
        sentence=text(judged.sentence),
        note=" ".join(part for part in (text(record.note), _stale(record, history, events)) if part),
        **_beside(record.further, text),
        **judged.model_dump(include={"unit", "n", "low", "high", "confidence", "verdict"}),
    )


def _beside(further: FurtherComparison, text: Anonymous) -> dict[str, Any]:
    """The fields of `Comparison` on all but the primary metric."""
    return {
        "further": tuple(_metric_pairs(one, text) for one in further.metrics),
        "limits": tuple(
            LimitOnSeeds(
                text=text(kept.limit.text, 200),
                **kept.model_dump(include={"best", "best_of", "worst", "default", "default_of"}),
            )
            for kept in further.limits
        ),
        "items": tuple(items_line(one, text) for one in further.items),
        "beside": text(further.sentence, 2000),
        "breaks_limit": further.broken,
    }


def _metric_pairs(one: MetricCompared, text: Anonymous) -> MetricPairs:
    found = one.comparison
    return MetricPairs(
        metric=text(one.metric, 100),
        direction=one.direction,
        best=one.best,
        default=one.default,
        n=0 if found is None else found.n,
        best_mean=None if found is None else found.first_mean,
        default_mean=None if found is None else found.second_mean,
        mean_gain=None if found is None else finite(found.difference),
        low=None if found is None else finite(found.low),
        high=None if found is None else finite(found.high),
        word=one.word,
    )


def _gain(sign: float, best: float | None, default: float | None) -> float | None:
    if best is None or default is None:
        return None
    gain = sign * (best - default)
    return gain if isfinite(gain) else None


def _stale(record: ComparisonRecord, history: History, events: Sequence[Event]) -> str:
    """A note where a continued run has found a better configuration since."""
    best, found = history.incumbent, recommended(events, history)
    if best is None or record.trial is None or record.trial == best.number:
        return ""
    if found is not None and found.trial == record.trial and found.best_trial == best.number:
        return ""
    return f"This compared trial {record.trial}, the best at that time, and not yet trial {best.number}."


def _why_not(folder: RunFolder, history: History, events: Sequence[Event], text: Anonymous) -> str:
    latest = next((e for e in reversed(events) if isinstance(e, Confirmed) and e.text), None)
    if latest is not None and not latest.total:
        return text(latest.text)
    if folder.task.confirm is None or folder.task.confirm.seeds < 1:
        return "Not compared with the default: the task asks for no comparison on fresh seeds."
    if history.default is None:
        return "Not compared with the default: the task states no default configuration."
    if latest is not None:
        return (
            "Not compared with the default: the comparison there is was made before the task was changed. "
            "The same command makes it anew."
        )
    return "Not compared with the default: the run ended before the comparison."
