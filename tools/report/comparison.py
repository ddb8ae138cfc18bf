"""Reads `confirm.json`: best against default on fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pydantic import BaseModel, ConfigDict, ValidationError

from tunesmith.events import Event
from tunesmith.history import Direction, History
from tunesmith.tools.analysis import compare
from tunesmith.tools.records.log_reading import recommended, verdict
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.data import Comparison, Pair


class _Record(BaseModel):
    """The file, as far as a report needs it."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    metric: str
    direction: Direction
    trial: int | None = None
    seeds: list[int]
    best: list[float | None]
    default: list[float | None]
    comparison: compare.Comparison
    note: str = ""


def read_comparison(
    folder: RunFolder, history: History, events: Sequence[Event], text: Anonymous
) -> tuple[Comparison | None, str]:
    """(comparison, why there is none); one of the two is None or empty."""
    path = folder.path / "confirm.json"
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None, _why_not(folder, history, events, text)
    except (OSError, ValidationError) as error:
        return None, text(f"confirm.json cannot be read: {str(error).splitlines()[0]}")
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
        **judged.model_dump(include={"n", "low", "high", "confidence", "verdict"}),
    ), ""


def _gain(sign: float, best: float | None, default: float | None) -> float | None:
    if best is None or default is None:
        return None
    gain = sign * (best - default)
    return gain if isfinite(gain) else None


def _stale(record: _Record, history: History, events: Sequence[Event]) -> str:
    """A note where a continued run has found a better configuration since."""
    best, found = history.incumbent, recommended(events)
    if best is None or record.trial is None or record.trial == best.number:
        return ""
    if found is not None and found.trial == record.trial and found.best_trial == best.number:
        return ""
    return f"This compared trial {record.trial}, the best at that time, and not yet trial {best.number}."


def _why_not(folder: RunFolder, history: History, events: Sequence[Event], text: Anonymous) -> str:
    if said := verdict(events):
        return text(said)
    if folder.task.confirm is None or folder.task.confirm.seeds < 1:
        return "Not compared with the default: the task asks for no comparison on fresh seeds."
    if history.default is None:
        return "Not compared with the default: the task states no default configuration."
    return "Not compared with the default: the run ended before the comparison."
