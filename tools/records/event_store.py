"""A run's event log as a file: `run.db`.

SQLite in WAL mode, so that readers in other processes never wait for the engine nor it for them. A
poll for new events reads one index page. `synchronous=NORMAL` means that a power cut may take the last
events (never damage the file); trials are durable in their folders before their events are stored, and
`reconcile` adds the events that are missing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from tunesmith.errors import RunError
from tunesmith.events import COMMAND, EVENT, Command, Event
from tunesmith.text.secrets import redactor
from tunesmith.tools.records.atomic_write import TEMPORARY, publish
from tunesmith.tools.records.base import CommandStatus, EventLog
from tunesmith.trial import Frozen

AnyEvent = TypeVar("AnyEvent", bound=Frozen)
BUSY_TIMEOUT_S = 10.0
SCHEMA_VERSION = 1
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, body TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending', reply TEXT NOT NULL DEFAULT ''
);
CREATE INDEX pending_commands ON commands (id) WHERE status = 'pending';
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


class EventStore(EventLog):
    """Events and commands of one run, in SQLite. Safe from all threads of a process.

    Args:
        path: `run.db` of the run folder.
        create: Make the file when there is none. A reader passes False and sees an empty log until the
            engine has made it.

    Raises:
        RunError: The file is no run log, or of a newer Tunesmith.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()  # guards the one connection
        self._connection: sqlite3.Connection | None = None
        if create:
            if not self._path.exists():
                _create(self._path)
            self._connection = self._connect()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # -- events ---------------------------------------------------------------------------------

    def append_many(self, events: Sequence[Event]) -> list[Event]:
        at = time.time()
        stored: list[Event] = []
        with self._writing() as connection:
            for event in events:
                dated = event if event.at else event.model_copy(update={"at": at})
                body = _without_secrets(dated.model_dump_json(exclude={"seq", "at"}))
                cursor = connection.execute(
                    "INSERT INTO events (at, kind, body) VALUES (?, ?, ?)", (dated.at, dated.kind, body)
                )
                stored.append(dated.model_copy(update={"seq": cursor.lastrowid}))
        return stored

    def events(self, after_seq: int = 0, limit: int | None = None) -> list[Event]:
        rows = self._read(
            "SELECT seq, at, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            (after_seq, -1 if limit is None else limit),
        )
        return [self._event(*row) for row in rows]

    def last(self, kind: type[AnyEvent]) -> AnyEvent | None:
        """The newest event of a kind, or None."""
        name = kind.model_fields["kind"].default
        rows = self._read(
            "SELECT seq, at, body FROM events WHERE kind = ? ORDER BY seq DESC LIMIT 1", (name,)
        )
        event = self._event(*rows[0]) if rows else None
        return event if isinstance(event, kind) else None

    def last_seq(self) -> int:
        rows = self._read("SELECT seq FROM events ORDER BY seq DESC LIMIT 1", ())
        return int(rows[0][0]) if rows else 0

    def trial_numbers(self, kind: Literal["trial_started", "trial_finished"]) -> set[int]:
        """Trials that have an event of this kind."""
        rows = self._read("SELECT json_extract(body, '$.number') FROM events WHERE kind = ?", (kind,))
        return {int(number) for (number,) in rows}

    # -- commands -------------------------------------------------------------------------------

    def post(self, command: Command) -> int:
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO commands (at, body) VALUES (?, ?)",
                (time.time(), _without_secrets(command.model_dump_json())),
            )
        return int(cursor.lastrowid or 0)

    def take_commands(self) -> list[tuple[int, Command]]:
        rows = self._read("SELECT id, body FROM commands WHERE status = 'pending' ORDER BY id", ())
        taken: list[tuple[int, Command]] = []
        for command_id, body in rows:
            try:
                taken.append((command_id, COMMAND.validate_json(body)))
            except ValidationError as error:  # posted by other software, or another version of ours
                self.acknowledge(command_id, False, f"not understood: {str(error).splitlines()[0]}")
        return taken

    def acknowledge(self, command_id: int, ok: bool, reply: str) -> None:
        with self._writing() as connection:
            connection.execute(
                "UPDATE commands SET status = ?, reply = ? WHERE id = ?",
                ("done" if ok else "refused", reply, command_id),
            )

    def command_status(self, command_id: int) -> CommandStatus:
        rows = self._read("SELECT status, reply FROM commands WHERE id = ?", (command_id,))
        if not rows:
            raise KeyError(command_id)
        return CommandStatus(*rows[0])

    # -- the file -------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection | None:
        """The connection, or None while there is no log; `_lock` is held."""
        if self._connection is None and self._path.exists():
            self._connection = self._connect()
        return self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed at the end of the block, undone by an exception.

        Raises:
            RunError: The file cannot be written, as on a full disk; the next write may succeed.
        """
        with self._lock:
            connection = self._open()
            if connection is None:
                raise RunError(f"{self._path} does not exist: no run was started here yet.")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:  # on a full disk SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise RunError(f"{self._path} cannot be written: {error}.") from error
                raise

    def _read(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            connection = self._open()
            return [] if connection is None else connection.execute(sql, parameters).fetchall()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise RunError(f"{self._path} was written by a newer Tunesmith. Update this one to read it.")
            if version < SCHEMA_VERSION:
                raise RunError(f"{self._path} is not a run's log. {_FIX}")
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise RunError(f"{self._path} cannot be used: {error}. {_FIX}") from error
        except RunError:
            connection.close()
            raise
        return connection

    def _event(self, seq: int, at: float, body: str) -> Event:
        try:
            event = EVENT.validate_json(body)
        except ValidationError as error:
            raise RunError(f"event {seq} in {self._path} cannot be read: {error}. {_FIX}") from error
        return event.model_copy(update={"seq": seq, "at": at})


def _without_secrets(body: str) -> str:
    """A JSON document with the secrets of the environment taken out of its texts."""
    secrets = redactor()
    return json.dumps(secrets.data(json.loads(body))) if secrets.found_in(body) else body


def _create(path: Path) -> None:
    """Put an empty log at `path`, complete from the start; one that is there already is left.

    Switching a file to WAL cannot wait for others, so it is done before others can open it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}{TEMPORARY}")
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
    publish(temporary, path)


_FIX = "Move it away and run the same command again: the log's trials are rebuilt from their folders."
