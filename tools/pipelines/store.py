"""The samples of a run, shared by all its trials, and what the run spent on them: one SQLite file.

A sample is looked up by all that it depends on (`SampleKey`), exactly. Several workers use the file at once;
what a killed one had paid for is there. Workers import this file: Python 3.9, standard library only.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.plain import digest_of
from tunesmith.tools.records.atomic_write import set_aside

log = logging.getLogger(__name__)

SAMPLES = "samples.sqlite"
"""Name of the file in a run's folder."""
BUSY_TIMEOUT_S = 60.0
LARGEST_VALUE = 16 << 20
FUSION = -1
"""Sample number of the call that joins the others."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS samples (
    key TEXT PRIMARY KEY, stage TEXT NOT NULL, model TEXT NOT NULL, temperature REAL, prompt TEXT,
    item TEXT NOT NULL, input TEXT NOT NULL, turn INTEGER NOT NULL, sample INTEGER NOT NULL,
    version TEXT NOT NULL, output TEXT NOT NULL, prompt_tokens REAL, completion_tokens REAL,
    thinking_tokens REAL, cached_tokens REAL, seconds REAL, weight REAL NOT NULL, score REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spend (
    part TEXT NOT NULL, trial INTEGER NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL,
    made INTEGER NOT NULL, stored INTEGER NOT NULL, failed INTEGER NOT NULL, prompt_tokens REAL NOT NULL,
    completion_tokens REAL NOT NULL, seconds REAL NOT NULL, cost REAL NOT NULL,
    PRIMARY KEY (part, trial, stage, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_FIELDS = "output, prompt_tokens, completion_tokens, thinking_tokens, cached_tokens, seconds, weight, score"


class SampleKey(NamedTuple):
    """All that a sample depends on."""

    stage: str
    model: str
    """What the callable is told: the provider's id, or the name in the task."""
    temperature: float | None
    prompt: str | None
    item: str
    """Id of the item."""
    input: str
    """Digest of what the callable is given of the item and of earlier outputs."""
    turn: int
    """How often the stage had run on the item before."""
    sample: int
    """From 0; `FUSION` for the call that joins the samples."""
    version: str
    """Of the callable's code; empty where none is known, as of samples recorded elsewhere."""

    @property
    def digest(self) -> str:
        temperature = None if self.temperature is None else float(self.temperature)
        return digest_of(json.dumps(self._replace(temperature=temperature)))


class Spend(NamedTuple):
    """What one trial really spent on one stage with one model."""

    part: str
    """`trials`, or `confirm` for what ran at the end."""
    trial: int
    stage: str
    model: str
    made: int
    """Calls that were made."""
    stored: int
    """Calls that were spared: their samples were there."""
    failed: int
    """Calls that raised."""
    prompt_tokens: float
    """Of the calls made, as far as samples say."""
    completion_tokens: float
    seconds: float
    """Wall time of the calls made, one after another."""
    cost: float
    """Of the calls made, in units of the cost model."""


class SampleStore:
    """Samples by key. Where the file fails it is set aside, and the run goes on with a new one, or with none.

    Args:
        path: The file; it is made where it is missing.
        read_only: Nothing is ever written.

    Attributes:
        notes: What happened to the file, for the trial's record.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = path, read_only
        self.notes: list[str] = []
        self._failures = 0
        self._connection: sqlite3.Connection | None = None
        self._open()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, keys: Sequence[SampleKey]) -> dict[SampleKey, Drawn]:
        """The samples that are there."""
        by_digest = {key.digest: key for key in keys}
        digests = list(by_digest)
        found: dict[SampleKey, Drawn] = {}
        for start in range(0, len(digests), 500):
            part = digests[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, {_FIELDS} FROM samples WHERE key IN ({marks})"
            for row in self._rows(query, part):
                sample = _drawn(row[1:])
                if sample is not None:
                    found[by_digest[row[0]]] = sample
        return found

    def put(self, samples: Mapping[SampleKey, Drawn], spent: Iterable[Spend] = ()) -> dict[SampleKey, Drawn]:
        """Store samples and what they took, together; what another worker stored meanwhile is kept.

        Returns:
            The samples as they are stored now, for those that another worker's are there of.
        """
        if self.read_only:
            return {}
        rows = [(key.digest, *key, *_row(sample)) for key, sample in samples.items()]
        spends = list(spent)

        def write(connection: sqlite3.Connection) -> int:
            connection.execute("BEGIN IMMEDIATE")
            marks = ",".join("?" * 18)
            before = connection.total_changes
            connection.executemany(f"INSERT OR IGNORE INTO samples VALUES ({marks})", rows)
            new = connection.total_changes - before
            connection.executemany(
                "INSERT INTO spend VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                " made = made + excluded.made, stored = stored + excluded.stored,"
                " failed = failed + excluded.failed,"
                " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
                " completion_tokens = completion_tokens + excluded.completion_tokens,"
                " seconds = seconds + excluded.seconds, cost = cost + excluded.cost",
                spends,
            )
            connection.execute("COMMIT")
            return new

        new = self._tried(write)
        return {} if new is None or new == len(rows) else self.get(list(samples))

    def everything(self) -> Iterator[tuple[SampleKey, Drawn]]:
        """All samples, in the order of their keys."""
        names = ", ".join(SampleKey._fields)
        if self._connection is None:
            return
        for row in self._connection.execute(f"SELECT {names}, {_FIELDS} FROM samples ORDER BY {names}"):
            sample = _drawn(row[9:])
            if sample is not None:
                yield SampleKey(*row[:9]), sample

    def spent(self) -> list[Spend]:
        """What all trials of the run spent, by trial, stage and model."""
        return [
            Spend(*row)
            for row in self._rows("SELECT * FROM spend ORDER BY part DESC, trial, stage, model", ())
        ]

    def about(self) -> dict[str, str]:
        """What the file says of itself; of a bank, see `bank.py`."""
        return dict(self._rows("SELECT name, value FROM about", ()))

    def say(self, name: str, value: str) -> None:
        self._tried(
            lambda connection: connection.execute("INSERT OR REPLACE INTO about VALUES (?,?)", (name, value))
        )

    def _rows(self, query: str, given: Sequence[Any]) -> list[Any]:
        found = self._tried(lambda connection: connection.execute(query, given).fetchall())
        return found if found is not None else []

    def _tried(self, work: Any) -> Any:
        """Do it; where the file is damaged set that aside, make a new one and do it once more."""
        for _ in range(2):
            if self._connection is None:
                return None
            try:
                return work(self._connection)
            except sqlite3.Error as error:
                try:
                    self._connection.rollback()
                except sqlite3.Error as also:
                    log.debug("no rollback: %s", also)
                self._mend(error)
        return None

    def _open(self) -> None:
        try:
            self._connection = _connect(self.path, self.read_only)
        except (sqlite3.Error, OSError) as error:
            self._mend(error)

    def _mend(self, error: Exception) -> None:
        """Go on with a new file in the place of a damaged one, or with none where it cannot be helped."""
        self.close()
        self._failures += 1
        passing = isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error)
        if self.read_only or passing or self._failures > 2:
            self.notes.append(f"{self.path.name}: samples are neither read nor kept from here on: {error}")
            return
        try:
            aside = set_aside(self.path)
            for end in ("-wal", "-shm", "-journal"):
                beside = self.path.with_name(self.path.name + end)
                if beside.exists():
                    beside.rename(aside.with_name(aside.name + end))
            self.notes.append(
                f"{self.path.name} was damaged ({error}); it is {aside.name} now, and a new one is used"
            )
            log.warning("%s", self.notes[-1])
        except FileNotFoundError:
            log.debug("another worker has set it aside")
        self._open()


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    if os.path.islink(path):
        raise OSError(f"{path} is a link")
    if read_only:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    else:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    if hasattr(connection, "setlimit"):  # since Python 3.11
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if not read_only:
            _make(connection)
        connection.execute("SELECT key FROM samples LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection) -> None:
    """See to it that the tables are there.

    Where a write-ahead log cannot be used, as on some network file systems, SQLite keeps another, which does.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                connection.execute("PRAGMA journal_mode = WAL")  # does not wait for others by itself
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")


def _row(sample: Drawn) -> tuple[Any, ...]:
    return (
        sample.text,
        sample.prompt_tokens,
        sample.completion_tokens,
        sample.thinking_tokens,
        sample.cached_tokens,
        sample.seconds,
        sample.weight,
        sample.score,
    )


def _drawn(row: Sequence[Any]) -> Drawn | None:
    """A sample as it is stored; None where somebody has put something else there."""
    try:
        text, prompt, completion, thinking, cached, seconds, weight, score = row
        return Drawn(
            json.loads(text),
            text,
            _number(prompt),
            _number(completion),
            _number(thinking),
            _number(cached),
            _number(seconds),
            float(weight),
            _number(score),
        )
    except (TypeError, ValueError, RecursionError):
        log.warning("a stored sample cannot be read, and is drawn again")
        return None


def _number(stored: Any) -> float | None:
    return None if stored is None else float(stored)
