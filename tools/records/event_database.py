"""The file behind a run's event log: how it is made, and what is refused when it is opened.

Whoever made a run folder may have put anything in its place. A view can be endless and a trigger can write,
so a schema with either is none of ours.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.tools.records.atomic_write import TEMPORARY, publish
from tunesmith.tools.records.plain_files import clear, free_name, kind

BUSY_TIMEOUT_S = 10.0
SCHEMA_VERSION = 1
LARGEST_VALUE = 64 << 20
"""Bytes that one stored event may have; SQLite refuses to read more."""
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
_BESIDE = ("-wal", "-shm", "-journal")
FIX = "Move it away and run the same command again: the log's trials are rebuilt from their folders."


def create(path: Path) -> None:
    """Put an empty log at `path`, complete from the start; one that is there already is left."""
    publish(make_beside(path), path)


def make_beside(path: Path) -> Path:
    """An empty log under a temporary name.

    Switching a file to WAL cannot wait for others, so it is done before others can open it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}{TEMPORARY}")
    clear(temporary)
    with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
    return temporary


def replace(path: Path, by: Path) -> None:
    """Give the log at `by` the name `path`; what has it is renamed to `run.db.damaged-<n>`.

    No connection to what is at `path` may be open: closing one removes files beside it, by their names.
    """
    if kind(path) is not None:
        path.rename(free_name(path, "damaged"))
    for name in _BESIDE:
        clear(path.with_name(path.name + name))
    publish(by, path)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the log at `path`, for all threads, in autocommit mode.

    Raises:
        RunError: It is no run log, or of a newer Tunesmith, or cannot be read.
    """
    for file in (path, *(path.with_name(path.name + name) for name in _BESIDE)):
        what = kind(file)
        if what != "a file" and (what is not None or file == path):
            raise RunError(f"{file} is {what or 'missing'}, not a run's log. {FIX}")
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
        connection.execute("PRAGMA trusted_schema = OFF")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RunError(f"{path} was written by a newer Tunesmith. Update this one to read it.")
        if version < SCHEMA_VERSION or not _is_ours(connection):
            raise RunError(f"{path} is not a run's log. {FIX}")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        connection.close()
        raise unusable(path, error) from error
    except RunError:
        connection.close()
        raise
    return connection


def unusable(path: Path, error: Exception) -> RunError:
    """For a log that SQLite cannot open or read."""
    if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return RunError(f"{path} is in use by another program ({error}). End that, and try again.")
    return RunError(f"{path} cannot be used: {error}. {FIX}")


def damage(path: Path) -> str:
    """What is wrong with the log at `path`, all of which is read; empty where nothing is."""
    try:
        with closing(connect(path)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except (sqlite3.Error, RunError) as error:
        return str(error)
    return "" if found == "ok" else f"{path} is damaged: {found.splitlines()[0]}"


def _is_ours(connection: sqlite3.Connection) -> bool:
    rows = connection.execute("SELECT type, name FROM sqlite_master LIMIT 100").fetchall()
    kinds = {kind for kind, _ in rows}
    tables = {name for kind, name in rows if kind == "table"}
    return kinds <= {"table", "index"} and {"events", "commands"} <= tables
