"""How one trial ended. By the standard library alone: a worker writes it in whatever Python trains."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any, Literal, NamedTuple

from tunesmith.text.secrets import redact


class _Text(str, Enum):  # noqa: UP042 - StrEnum is not in Python 3.9, which may run a worker
    """Members are their text, also when they are printed."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


class TrialState(_Text):
    """How far a trial is, or how it ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"  # stopped early because its curve or items were poor
    DIVERGED = "diverged"  # a reported or final value was NaN or infinite
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    LOST = "lost"  # the run was interrupted, or the worker vanished without a word

    @property
    def failed(self) -> bool:
        """True for an end that says something bad about the configuration."""
        return self in FAILURES


FAILURES = frozenset(
    {TrialState.DIVERGED, TrialState.OUT_OF_MEMORY, TrialState.TIMED_OUT, TrialState.CRASHED}
)


Loss = Literal["interrupted", "process"]
"""Why a trial is lost. `interrupted`: from outside, such as a run that was stopped, or an engine that was
killed. `process`: the trial's own process vanished, or took the one that watches over it with it."""


class Stamp(NamedTuple):
    """Which start of which configuration an outcome is of; `result.json` says so under `of`."""

    trial: int
    attempt: int
    """As `Job.attempt`."""
    configuration: str
    """`Configuration.digest`."""

    @classmethod
    def from_data(cls, data: Any) -> Stamp:
        """Raises ValueError where it is none."""
        if not isinstance(data, Mapping) or set(data) != set(cls._fields):
            raise ValueError("`of` does not name trial, attempt and configuration")
        if type(data["trial"]) is not int or type(data["attempt"]) is not int:
            raise ValueError("`of` has a trial or attempt that is no integer")
        return cls(data["trial"], data["attempt"], _text("of", data["configuration"]))

    def __str__(self) -> str:
        return f"attempt {self.attempt} of trial {self.trial}, configuration {self.configuration[:16]}"


LARGEST_AMOUNT = 1e9
"""Seconds or MiB that a record may tell of; more is no record of ours, and breaks what calculates with it."""


@dataclass(frozen=True)
class Outcome:
    """What came of running one configuration; `result.json` holds it, and its `Stamp`."""

    __pydantic_config__ = {"extra": "forbid", "ser_json_inf_nan": "strings"}

    state: TrialState
    values: dict[str, float] = field(default_factory=dict)
    """Every finite metric the training function returned, by name; empty unless completed, or stopped early
    with scores by item: then the means so far."""
    curve: tuple[tuple[int, float], ...] = ()
    """(step, value) as reported, in order of step; finite values only; thinned where there were very many."""
    reports: int = 0
    """How many reports there were, where the curve is thinned; 0: the curve has them all."""
    notes: tuple[str, ...] = ()
    """Sentences on how the value was read, such as which of several was taken. Hostile text, cleaned."""
    message: str = ""
    """For a failure: its cause in one line; for a trial that was stopped early, why, where that is known.
    Hostile text: cleaned and capped at 500 characters."""
    traceback: str = ""
    """The last lines of the traceback or log, at most 4,000 characters; hostile text too."""
    seconds: float = 0.0
    """Wall time from start to end."""
    loss: Loss | None = None
    """For a lost trial: why; None counts as `interrupted`, as in records of before 0.3."""
    items: dict[str, str] = field(default_factory=dict)
    """Scores per item behind a metric, by the metric's name, packed as `items.py` says. Of a trial that was
    stopped early those of its first items."""
    peak_memory_mib: float | None = None
    """Largest resident memory of the worker, where known."""

    def __post_init__(self) -> None:
        for name in ("message", "traceback"):
            object.__setattr__(self, name, redact(getattr(self, name)))
        object.__setattr__(self, "notes", tuple(map(redact, self.notes)))
        object.__setattr__(self, "values", {redact(name): value for name, value in self.values.items()})

    def changed(self, **changes: Any) -> Outcome:
        """This outcome with some of its fields replaced."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """As text; a number that is not finite is the text `NaN`, `Infinity` or `-Infinity`."""
        plain = asdict(self)
        if not self.items:
            del plain["items"]
        return json.dumps(_with_texts(plain), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: bytes | str) -> Outcome:
        """An outcome from text that anybody may have written.

        Raises:
            ValueError: It is none; the message names the field.
        """
        return cls.from_data(json_object(text))

    @classmethod
    def from_data(cls, stored: Mapping[str, Any]) -> Outcome:
        """As `from_json`, from what was JSON."""
        unknown = sorted(set(stored) - {known.name for known in fields(cls)})
        if unknown:
            raise ValueError(f"it has an unknown key {unknown[0][:80]!r}")
        if "state" not in stored:
            raise ValueError("it has no state")
        return cls(**{name: _READERS[name](name, value) for name, value in stored.items()})


def json_object(text: bytes | str) -> dict[str, Any]:
    """The JSON object in a text that anybody may have written. Raises ValueError where it holds none."""
    try:
        stored = json.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    if not isinstance(stored, dict):
        raise ValueError("it is no JSON object")
    return stored


def _with_texts(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _with_texts(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_texts(item) for item in value]
    return value


def _number(name: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number and value not in ("NaN", "Infinity", "-Infinity"):
        raise ValueError(f"{name} holds {value!r:.80}, which is no number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} holds a number that is too large") from None


def _amount(name: str, value: Any) -> float:
    number = _number(name, value)
    if not 0 <= number <= LARGEST_AMOUNT:
        raise ValueError(f"{name} is {number:g}, which cannot be")
    return number


def _numbers(name: str, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is no mapping")
    return {key: _number(name, item) for key, item in value.items()}


def _points(name: str, value: Any) -> tuple[tuple[int, float], ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    points = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:
            raise ValueError(f"{name} holds {pair!r:.80}, not a step and a value")
        points.append((pair[0], _number(name, pair[1])))
    return tuple(points)


def _count(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError(f"{name} is {value!r:.80}, not a number of reports")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} is no list of texts")
    return tuple(value)


def _named_texts(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError(f"{name} does not map names to texts")
    return value


def _loss(name: str, value: Any) -> str:
    if value not in ("interrupted", "process"):
        raise ValueError(f"{name} is {value!r:.80}, neither interrupted nor process")
    return str(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "state": lambda name, value: TrialState(_text(name, value)),
    "values": _numbers,
    "curve": _points,
    "reports": _count,
    "notes": _texts,
    "message": _text,
    "traceback": _text,
    "seconds": _amount,
    "peak_memory_mib": lambda name, value: None if value is None else _amount(name, value),
    "items": _named_texts,
    "loss": lambda name, value: None if value is None else _loss(name, value),
}
