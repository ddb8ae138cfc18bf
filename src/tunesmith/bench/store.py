"""Runs on disk: one JSON line each in `<results>/<suite>/runs.jsonl`, appended durably, never edited.

A run is found by task, contender, seed, the contender's version and the task's setting (what the
contender reads). A new build of a contender, or a changed task, therefore starts new runs, and the
old ones stay as what they are: runs of an earlier build.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO, Any, Generic, Protocol, TypeVar

import numpy as np

from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import Trace
from tunesmith.errors import UsageError
from tunesmith.history import Array
from tunesmith.tools.records.atomic_write import sync_folder, write_atomic

FILE = "runs.jsonl"
PACKAGES = ("tunesmith", "optuna", "scikit-learn", "numpy", "scipy", "torch")
"""Whose versions are noted with a run."""
Key = tuple[str, str, int, str, str]


@dataclass(frozen=True)
class Run:
    """One line of the store.

    Attributes:
        values: The metric after each evaluation; None where one failed.
        cpu_s: Seconds of the whole run: evaluations and choosing.
        proposal_s: CPU seconds of choosing; `proposals` says how many configurations were chosen.
        versions: Of the packages that may change a run, by name.
        date: UTC, to the second.
        fault: Cause of the first evaluation that raised; empty if none did.
        metrics: Of a task with further metrics or limits: every metric after each evaluation, None where one
            failed; `values` is then what the run is judged by (see `aims.py`).
        winners: Of such a task: the evaluations that the contender itself takes for its best, from 0.
    """

    task: str
    contender: str
    version: str
    setting: str
    seed: int
    values: tuple[float | None, ...]
    cpu_s: float
    proposal_s: float | None
    proposals: int
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    fault: str = ""
    metrics: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    winners: tuple[int, ...] = ()

    @staticmethod
    def key_of(task: BenchTask, contender: Contender, seed: int) -> Key:
        """The key of a run as it would be made now."""
        return task.name, contender.name, seed, contender.version, setting(task, contender.reads_words)

    @property
    def key(self) -> Key:
        return self.task, self.contender, self.seed, self.version, self.setting

    @property
    def length(self) -> int:
        """Of several runs with one key the longest is read."""
        return len(self.values)

    def array(self, evaluations: int) -> Array:
        """The first values, (evaluations,), NaN where one failed."""
        return np.array([math.nan if v is None else v for v in self.values[:evaluations]], dtype=np.float64)

    def at(self, evaluation: int) -> dict[str, float]:
        """Every metric of an evaluation, from 0; empty where it failed."""
        found = {name: values[evaluation] for name, values in self.metrics.items()}
        return {name: value for name, value in found.items() if value is not None}

    def as_data(self) -> dict[str, Any]:
        """As a line of the store; of a task with one metric without what only the others have."""
        data = asdict(self)
        return data if self.metrics else {k: v for k, v in data.items() if k not in ("metrics", "winners")}


def made(task: BenchTask, contender: Contender, seed: int, trace: Trace) -> Run:
    """The record of a run that has just ended."""
    return Run(
        task=task.name,
        contender=contender.name,
        version=contender.version,
        setting=setting(task, contender.reads_words),
        seed=seed,
        values=_stored(trace.values),
        cpu_s=round(trace.evaluation_s + trace.proposal_s, 3),
        proposal_s=round(trace.proposal_s, 4),
        proposals=trace.proposals,
        versions={name: v for name in PACKAGES if (v := _version(name)) is not None},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        fault=trace.fault,
        metrics={name: _stored(values) for name, values in trace.metrics.items()},
        winners=trace.winners,
    )


def _stored(values: Iterable[float]) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(v) else float(f"{v:.12g}") for v in values)


def setting(task: BenchTask, reads_words: bool) -> str:
    """8 hexadecimal digits for what a contender is given: space, default, starting points, words if read."""
    inputs: dict[str, object] = {
        "space": task.space.to_dict(),
        "direction": task.direction,
        "default": None if task.default is None else dict(task.default),
        "initial": [dict(values) for values in task.initial(0)],
        "code": task.code,
        "words": task.words if reads_words else "",
    }
    if task.goal is not None:
        inputs["goal"] = task.goal
    if task.aims is not None:
        inputs["goals"] = task.goals.model_dump()
        inputs["reference"] = [*task.aims.reference, task.aims.most]
    if reads_words and task.make_data_card is not None:
        inputs["data card"] = True
    return hashlib.blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=4).hexdigest()


class Stored(Protocol):
    """What a store keeps: a run of any kind."""

    @property
    def contender(self) -> str: ...
    @property
    def key(self) -> Key: ...
    @property
    def length(self) -> int: ...
    def as_data(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=Stored)


class RunFile(Generic[R]):
    """The runs of one suite. Several processes may append at the same time.

    Args:
        folder: Of the suite.
        read: A run from a line of the file; None where it is none.

    Attributes:
        path: The file; its folder is made by the first append.
        damaged: Lines that could not be read, left where they are and not counted.
    """

    def __init__(self, folder: Path, read: Callable[[bytes], R | None]) -> None:
        self.path = folder / FILE
        self.damaged = 0
        self._read = read

    def load(self) -> list[R]:
        """Every run, oldest first; of several with one key the longest, then the newest.

        Raises:
            UsageError: The file cannot be read.
        """
        runs: dict[Key, R] = {}
        self.damaged = 0
        for line in self._lines():
            run = self._read(line)
            if run is None:
                self.damaged += 1
            elif run.key not in runs or run.length >= runs[run.key].length:
                runs[run.key] = run
        return list(runs.values())

    def append(self, runs: Iterable[R]) -> None:
        """Add runs; durable when it returns."""
        data = b"".join(json.dumps(run.as_data(), allow_nan=False).encode() + b"\n" for run in runs)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as file:
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # the last writer was killed while writing
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path.parent)

    def drop(self, contender: str) -> int:
        """Forget a contender's runs, of every build; returns how many there were."""
        if not self.path.exists():
            return 0
        with self._locked() as file:
            kept, dropped = [], 0
            for line in file.read().splitlines():
                run = self._read(line)
                if run is not None and run.contender == contender:
                    dropped += 1
                else:
                    kept.append(line)
            if dropped:
                write_atomic(self.path, b"".join(line + b"\n" for line in kept))
        return dropped

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror or error}") from error

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        while True:
            with open(self.path, "a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_ino != os.stat(self.path).st_ino:
                    continue  # replaced by a `drop` while this waited
                file.seek(0)
                yield file
                return


class Store(RunFile[Run]):
    """The runs of a suite of `BenchTask`s."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _read)


def as_run(data: dict[str, Any]) -> Run:
    """A run from its JSON form.

    Raises:
        TypeError, KeyError, ValueError, AttributeError: It is not one.
    """
    return Run(
        **{
            **data,
            "values": _numbers(data["values"]),
            "metrics": {str(name): _numbers(of) for name, of in data.get("metrics", {}).items()},
            "winners": tuple(int(i) for i in data.get("winners", ())),
        }
    )


def _numbers(values: Iterable[Any]) -> tuple[float | None, ...]:
    return tuple(None if v is None else float(v) for v in values)


def _read(line: bytes) -> Run | None:
    try:
        run = as_run(json.loads(line))
        if not all(isinstance(text, str) for text in (run.task, run.contender, run.version, run.setting)):
            return None
        return run if isinstance(run.seed, int) and run.values else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
