"""A run's event log as a file: `run.db`.

SQLite in WAL mode, so that readers in other processes never wait for the engine nor it for them. A
poll for new events reads one index page. `synchronous=NORMAL` means that a power cut may take the last
events (never damage the file); trials are durable in their folders before their events are stored, and
`reconcile` adds the events that are missing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from tunesmith.commands import COMMAND, Command
from tunesmith.errors import RunError
from tunesmith.events import EVENT, Event, TrialReported
from tunesmith.text.secrets import redactor
from tunesmith.tools.records import event_database
from tunesmith.tools.records.base import CommandStatus, EventLog
from tunesmith.tools.records.event_database import FIX
from tunesmith.tools.records.plain_files import FileMark, kind, make_folder
from tunesmith.trial import Frozen

AnyEvent = TypeVar("AnyEvent", bound=Frozen)


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
        self._file: FileMark | None = None  # what the connection is to
        self._owned = create
        self._session: list[Event] = []  # of this process, to write them again: all but reports
        self._mended: list[str] = []
        self.lost = False
        """Whether events of earlier sessions were lost with a damaged file."""
        if create:
            if kind(self._path) is None:
                event_database.create(self._path)
            self._connect()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    # -- events ---------------------------------------------------------------------------------

    def append_many(self, events: Sequence[Event]) -> list[Event]:
        at = time.time()
        dated = [event if event.at else event.model_copy(update={"at": at}) for event in events]
        try:
            with self._writing() as connection:
                stored = _insert(connection, dated)
        except RunError as error:
            if not self._owned or not _is_damage(error.__cause__):
                raise
            self._make_anew(str(error))
            with self._writing() as connection:
                stored = _insert(connection, dated)
        self._session += [event for event in stored if not isinstance(event, TrialReported)]
        return stored

    def check(self) -> None:
        """Read the whole file, and make it anew where it was damaged; at the end of a session."""
        with self._lock:
            self._open()
        cause = event_database.damage(self._path) or self._unreadable()
        if cause:
            self._make_anew(cause)

    def _unreadable(self) -> str:
        """Why an event cannot be read, as where another program wrote it; empty where all can be."""
        after = 0
        try:
            while found := self.events(after, limit=1000):
                after = found[-1].seq
        except RunError as error:
            return str(error)
        return ""

    def mended(self) -> list[str]:
        """What had to be mended since the last call: the file was deleted, moved, replaced or damaged."""
        told, self._mended = self._mended, []
        return told

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

    def last_improvement(self) -> float | None:
        """The primary metric of the newest trial that was better than all before it; None without one."""
        rows = self._read(
            "SELECT json_extract(body, '$.value') FROM events WHERE kind = 'trial_finished' "
            "AND json_extract(body, '$.improved') ORDER BY seq DESC LIMIT 1",
            (),
        )
        return float(rows[0][0]) if rows and isinstance(rows[0][0], int | float) else None

    def last_seq(self) -> int:
        rows = self._read("SELECT seq FROM events ORDER BY seq DESC LIMIT 1", ())
        return int(rows[0][0]) if rows else 0

    def trial_numbers(self, kind: Literal["trial_started", "trial_finished"]) -> set[int]:
        """Trials that have an event of this kind."""
        rows = self._read("SELECT json_extract(body, '$.number') FROM events WHERE kind = ?", (kind,))
        return {number for (number,) in rows if isinstance(number, int)}

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
            self._hide_secrets(command_id, body)
            try:
                taken.append((command_id, COMMAND.validate_json(body)))
            except ValidationError as error:  # posted by other software, or another version of ours
                self.acknowledge(command_id, False, f"not understood: {str(error).splitlines()[0]}")
        return taken

    def _hide_secrets(self, command_id: int, body: str) -> None:
        """A command may come from a terminal that does not know the run's secrets."""
        kept = _without_secrets(body)
        if kept != body:
            with self._writing() as connection:
                connection.execute("PRAGMA secure_delete = ON")  # else the bytes stay in the file
                connection.execute("UPDATE commands SET body = ? WHERE id = ?", (kept, command_id))

    def acknowledge(self, command_id: int, ok: bool, reply: str) -> None:
        with self._writing() as connection:
            connection.execute(
                "UPDATE commands SET status = ?, reply = ? WHERE id = ?",
                ("done" if ok else "refused", redactor().text(reply), command_id),
            )

    def command_status(self, command_id: int) -> CommandStatus:
        rows = self._read("SELECT status, reply FROM commands WHERE id = ?", (command_id,))
        if not rows:
            raise KeyError(command_id)
        return CommandStatus(*rows[0])

    # -- the file -------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection | None:
        """The connection, or None while there is no log; `_lock` is held."""
        if self._connection is None:
            if kind(self._path) is not None:
                self._connect()
        elif self._file is not None and not self._file.same(self._path):
            # Deleted, moved or replaced. What it held is still there for whoever has it open.
            if self._owned:
                self._save_elsewhere(self._connection)
            else:
                self._connection.close()
                self._connection = None
                return self._open()
        return self._connection

    def _connect(self) -> None:
        self._connection = event_database.connect(self._path)
        self._file = FileMark.of(self._path)

    def _save_elsewhere(self, connection: sqlite3.Connection) -> None:
        """Put a copy of the log that `connection` is to where the log has to be."""
        what = kind(self._path)
        try:
            self._make_place()
            copy = event_database.make_beside(self._path)
            with closing(sqlite3.connect(copy)) as target:
                connection.backup(target)
        except (OSError, sqlite3.Error) as error:
            raise RunError(f"{self._path} was taken away, and cannot be written again: {error}.") from error
        connection.close()
        event_database.replace(self._path, copy)
        self._connect()
        self._mended.append(f"{self._path.name} was {'replaced' if what == 'a file' else what or 'gone'}")

    def _make_place(self) -> None:
        """The run's folder may be gone as well, or something else in its place."""
        if not self._path.parent.is_dir():
            self._path.parent.parent.mkdir(parents=True, exist_ok=True)
            make_folder(self._path.parent)

    def _make_anew(self, cause: str) -> None:
        """Start another log with the events of this session; earlier trials' come from the history."""
        with self._lock:
            self._make_place()
            copy = event_database.make_beside(self._path)
            with closing(sqlite3.connect(copy)) as target:
                _insert(target, self._session)
                target.commit()
            if self._connection is not None:
                self._connection.close()
            event_database.replace(self._path, copy)
            self._connect()
        self._mended.append(cause)
        self.lost = True

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
            try:
                return [] if connection is None else connection.execute(sql, parameters).fetchall()
            except (sqlite3.Error, OverflowError) as error:
                raise event_database.unusable(self._path, error) from error

    def _event(self, seq: int, at: float, body: str) -> Event:
        try:
            event = EVENT.validate_json(body)
            return event.model_copy(update={"seq": int(seq), "at": float(at)})
        except (ValueError, TypeError, LookupError) as error:
            cause = str(error).splitlines()[0]
            raise RunError(f"event {seq} in {self._path} cannot be read: {cause}. {FIX}") from error


def _insert(connection: sqlite3.Connection, events: Sequence[Event]) -> list[Event]:
    """Add events, each with its `seq` where it has one; returns them with it, as they are stored."""
    stored: list[Event] = []
    for event in events:
        whole = event.model_dump_json(exclude={"seq", "at"})
        body = _without_secrets(whole)
        if body != whole:
            try:
                event = EVENT.validate_json(body).model_copy(update={"at": event.at, "seq": event.seq})
            except ValueError:  # the secret is a word that events are made of, such as `warning`
                body = whole
        cursor = connection.execute(
            "INSERT INTO events (seq, at, kind, body) VALUES (?, ?, ?, ?)",
            (event.seq or None, event.at, event.kind, body),
        )
        stored.append(event.model_copy(update={"seq": cursor.lastrowid}))
    return stored


def _is_damage(error: BaseException | None) -> bool:
    """Whether an error means that the file is no log any more, rather than busy or on a full disk."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_CANTOPEN")) or (
        isinstance(error, sqlite3.OperationalError) and "no such table" in str(error)
    )


def _without_secrets(body: str) -> str:
    """A JSON document with the secrets of the environment taken out of its texts."""
    secrets = redactor()
    return json.dumps(secrets.data(json.loads(body))) if secrets.found_in(body) else body
