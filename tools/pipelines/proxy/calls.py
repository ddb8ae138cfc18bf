"""The SQLite file of a run's calls: recorded answers, what each call took, and the money limit.

    answers   (item, digest of the request, sample) -> the answer as the provider gave it, with its tokens
    calls     one row a call: stage, requested and used model, tokens, seconds, price, status
    money     dollars that all calls took, those under way by their worst case

All trials of a run use one file, also at the same time. A call under a money limit is reserved in one
transaction with the check, and durable, before its request leaves; what a killed process had under way
counts in full for ever. Keys of providers never come here: only bodies and a few headers of answers do.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from tunesmith.errors import PipelineError
from tunesmith.tools.pipelines.proxy.usage import Usage
from tunesmith.tools.pipelines.store import SAMPLES

FILE = SAMPLES
"""Its name in a run folder: callables and programs record in the same file, in tables of their own."""
_BUSY_S = 60.0
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    item TEXT NOT NULL, digest TEXT NOT NULL, sample INTEGER NOT NULL, stage TEXT NOT NULL,
    model TEXT NOT NULL, temperature REAL, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    prompt INTEGER NOT NULL, completion INTEGER NOT NULL, cached INTEGER NOT NULL, thinking INTEGER NOT NULL,
    estimated INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (item, digest, sample)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call INTEGER PRIMARY KEY, trial INTEGER NOT NULL, item TEXT NOT NULL, stage TEXT NOT NULL,
    endpoint TEXT NOT NULL, requested TEXT NOT NULL, model TEXT NOT NULL, temperature REAL,
    digest TEXT NOT NULL, sample INTEGER NOT NULL, source TEXT NOT NULL, system TEXT NOT NULL,
    header TEXT NOT NULL, status INTEGER,
    prompt INTEGER, completion INTEGER,
    cached INTEGER, thinking INTEGER, estimated INTEGER, seconds REAL, first_byte REAL, dollars REAL,
    reserved REAL, at REAL NOT NULL, error TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS money (name TEXT PRIMARY KEY, dollars REAL NOT NULL);
INSERT OR IGNORE INTO money VALUES ('spent', 0.0);
"""


class MoneyLimitReached(PipelineError):
    """A trial had a call that might take the run beyond its money limit."""


class LimitReached(Exception):
    """A call that might take the run beyond its money limit.

    Args:
        spent: Dollars that are spent or reserved.
        worst: Dollars that the call may take.
    """

    def __init__(self, limit: float, spent: float, worst: float) -> None:
        super().__init__(
            f"the money limit of ${limit:g} might be passed: ${spent:.4f} is spent or reserved and this call "
            f"may cost up to ${worst:.4f}"
        )


@dataclass(frozen=True)
class Answer:
    """An answer as the provider gave it, decompressed."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    usage: Usage
    seconds: float


@dataclass(frozen=True)
class CallRecord:
    """What one call took."""

    trial: int
    item: str
    stage: str
    endpoint: str
    requested: str
    model: str
    temperature: Optional[float]  # noqa: UP045 - dataclass fields are read by Python 3.9
    digest: str
    sample: int
    """Which of the identical requests of an item in a trial, from 0."""
    source: str
    """`provider` or `bank`."""
    system: str = ""
    """Digest of the system prompt; empty without one."""
    header: str = ""
    """What the program said in `X-Tunesmith-Stage`."""
    status: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    thinking: int = 0
    estimated: bool = False
    seconds: float = 0.0
    first_byte: float = 0.0
    dollars: Optional[float] = None  # noqa: UP045
    """As if nothing had come from the bank; None: the price is not known."""
    reserved: Optional[float] = None  # noqa: UP045
    error: str = ""

    @property
    def usage(self) -> Usage:
        return Usage(self.prompt, self.completion, self.cached, self.thinking, self.estimated)


class Bank:
    """Recorded answers in a file that is only read; safe to use from several threads.

    Raises:
        ValueError: It is no such file; the message is a clause.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()  # guards the connection
        beside = Path(f"{path}-wal").exists()  # a run may be writing it
        try:
            self._file = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro{'' if beside else '&immutable=1'}",
                uri=True,
                timeout=_BUSY_S,
                check_same_thread=False,
            )
            self._file.execute("SELECT count(*) FROM (SELECT item FROM answers LIMIT 1)").fetchone()
        except sqlite3.Error as error:
            raise ValueError(f"{path} holds no recorded answers of a program's calls ({error})") from None

    def recorded(self, item: str, digest: str, sample: int) -> Answer | None:
        """The answer to a request; None where it was never answered."""
        with self._lock:
            return _recorded(self._file, item, digest, sample)

    def close(self) -> None:
        with self._lock:
            self._file.close()


class Calls:
    """One file, opened by one process; safe to use from its threads.

    Args:
        path: Made where it is missing.
        money_limit: Dollars that all calls recorded in the file may take together; None: no limit.
    """

    def __init__(self, path: Path, money_limit: float | None = None) -> None:
        self.path, self.money_limit = path, money_limit
        self._lock = threading.Lock()  # guards the connection
        try:
            self._file = sqlite3.connect(
                str(path), timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            _write_ahead(self._file)
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise PipelineError(
                f"{path}: a program's calls cannot be recorded there ({error}); no limit would hold without. "
                "Make it writable, or move it away"
            ) from None

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def recorded(self, item: str, digest: str, sample: int) -> Answer | None:
        """The answer to a request; None where it was never answered."""
        with self._lock:
            return _recorded(self._file, item, digest, sample)

    def reserve(self, call: CallRecord, worst: float | None) -> int | None:
        """Write a call down before its request leaves, and return its number.

        None without a money limit: there is nothing to reserve, and `settle` or `keep` writes it down.

        Args:
            worst: Dollars that it takes at most; under a money limit it is known.
        Raises:
            LimitReached: It might pass the money limit, and must not be sent.
        """
        if self.money_limit is None:
            return None
        # A reservation has to outlast a power cut as well; what is only a record may be lost in one.
        with self._transaction(durable=True) as file:
            assert worst is not None
            (spent,) = file.execute("SELECT dollars FROM money WHERE name = 'spent'").fetchone()
            if spent + worst > self.money_limit:
                raise LimitReached(self.money_limit, spent, worst)
            file.execute("UPDATE money SET dollars = dollars + ? WHERE name = 'spent'", (worst,))
            return self._insert(file, call, worst)

    def settle(self, number: int | None, call: CallRecord, worst: float | None, paid: float | None) -> None:
        """Replace the reservation by what the call took.

        Args:
            paid: Dollars that the provider bills; None: not known, and the reservation stays.
        """
        with self._transaction() as file:
            self._settle(file, number, call, worst, paid)

    def keep(
        self,
        number: int | None,
        call: CallRecord,
        answer: Answer,
        finished: Callable[[Answer], CallRecord],
        worst: float | None,
        paid: float | None,
        *,
        shared: bool = True,
    ) -> tuple[Answer, CallRecord]:
        """Record an answer and settle its call, in one transaction: each takes a program's time.

        Args:
            finished: What the call took, with the answer that counts.
            shared: Whether another trial's answer counts, where that was quicker.
        Returns:
            The answer that counts, and `finished` of it.
        """
        usage = answer.usage
        with self._transaction() as file:
            done = file.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(call.item, call.digest, call.sample, call.stage, call.model, call.temperature),
                    *(answer.status, json.dumps(list(answer.headers)), answer.body),
                    *(usage.prompt, usage.completion, usage.cached, usage.thinking, usage.estimated),
                    answer.seconds,
                ),
            )
            if shared and done.rowcount != 1:
                answer = _recorded(file, call.item, call.digest, call.sample) or answer
            record = finished(answer)
            self._settle(file, number, record, worst, paid)
        return answer, record

    def _settle(
        self,
        file: sqlite3.Connection,
        number: int | None,
        call: CallRecord,
        worst: float | None,
        paid: float | None,
    ) -> None:
        taken = worst if paid is None else paid
        more = (taken or 0.0) - (0.0 if number is None else worst or 0.0)
        if more:
            file.execute("UPDATE money SET dollars = dollars + ? WHERE name = 'spent'", (more,))
        if number is None:
            self._insert(file, call, None)
            return
        fields = _columns(call)
        file.execute(
            f"UPDATE calls SET {', '.join(f'{name} = :{name}' for name in fields)} WHERE call = :call",
            {**fields, "call": number},
        )

    def note(self, call: CallRecord) -> None:
        """Write down a call that cost nothing: one from the bank, or one that was refused."""
        with self._transaction() as file:
            self._insert(file, call, None)

    def spent(self) -> float:
        """Dollars, calls under way by their worst case; calls without a known price count nothing."""
        with self._lock:
            (dollars,) = self._file.execute("SELECT dollars FROM money WHERE name = 'spent'").fetchone()
        return float(dollars)

    def rows(self) -> list[dict[str, Any]]:
        """Every call, oldest first, by column."""
        with self._lock:
            cursor = self._file.execute("SELECT * FROM calls ORDER BY call")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]  # noqa: B905 - Python 3.9

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if durable:
                self._file.execute("PRAGMA synchronous = FULL")
            try:
                self._file.execute("BEGIN IMMEDIATE")
                try:
                    yield self._file
                except BaseException:
                    self._file.execute("ROLLBACK")
                    raise
                self._file.execute("COMMIT")
            finally:
                if durable:
                    self._file.execute("PRAGMA synchronous = NORMAL")

    @staticmethod
    def _insert(file: sqlite3.Connection, call: CallRecord, worst: float | None) -> int:
        fields = {**_columns(call), "reserved": worst, "at": time.time()}
        names = ", ".join(fields)
        cursor = file.execute(
            f"INSERT INTO calls ({names}) VALUES ({', '.join(':' + name for name in fields)})", fields
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _columns(call: CallRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(call).items() if name != "reserved"}


def _write_ahead(file: sqlite3.Connection) -> None:
    """Readers do not wait for writers. The change itself does not wait for other workers, so we do."""
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            if file.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                file.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _recorded(file: sqlite3.Connection, item: str, digest: str, sample: int) -> Answer | None:
    row = file.execute(
        "SELECT status, headers, body, prompt, completion, cached, thinking, estimated, seconds "
        "FROM answers WHERE item = ? AND digest = ? AND sample = ?",
        (item, digest, sample),
    ).fetchone()
    if row is None:
        return None
    status, headers, body, prompt, completion, cached, thinking, estimated, seconds = row
    usage = Usage(prompt, completion, cached, thinking, bool(estimated))
    return Answer(status, [(name, value) for name, value in json.loads(headers)], bytes(body), usage, seconds)
