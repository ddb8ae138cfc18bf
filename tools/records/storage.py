"""Optuna storages, opened so that a killed run can go on and an end of a trial costs one write."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage

from tunesmith.errors import RunError
from tunesmith.events import Degraded
from tunesmith.interfaces import Emit
from tunesmith.tools.records.atomic_write import set_aside
from tunesmith.tools.records.journal_repair import BatchingBackend, has_lines, repair
from tunesmith.tools.records.plain_files import FileMark, kind

_TABLES = ("studies", "trials", "trial_params", "trial_values", "trial_user_attributes", "version_info")
Batch = Callable[[], AbstractContextManager[None]]
"""Makes one write of what its block writes to the storage; none of it if the block raises."""


UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AssertionError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What Optuna raises over a journal that holds anything but its own lines."""


def open_storage(journal: Path, url: str | None, emit: Emit | None) -> tuple[BaseStorage, Batch]:
    """The storage at `url`, or the journal file, repaired first, where that is None."""
    return _journal(journal, emit) if url is None else _database(url)


def open_existing(url: str) -> BaseStorage:
    """An Optuna storage to read from; nothing is made there.

    Raises:
        RunError: It is a file that does not exist.
    """
    from sqlalchemy.engine import make_url

    place = make_url(url)
    if place.drivername.startswith("sqlite") and not Path(place.database or "").is_file():
        raise RunError(f"{without_password(url)}: there is no such file.")
    return RDBStorage(url, skip_table_creation=True)


def journal_to_read(path: Path) -> BaseStorage:
    """A file of Optuna's journal storage, to read from; nothing in it is mended.

    Raises:
        Exception: Any of `UNREADABLE`.
    """
    if not has_lines(path):
        raise ValueError("it holds no lines of a journal")
    return JournalStorage(BatchingBackend(path))


def _journal(path: Path, emit: Emit | None) -> tuple[BaseStorage, Batch]:
    """The journal as storage: its end repaired, or the whole set aside where it cannot be read."""
    if not has_lines(path):
        aside = set_aside(path)
        _report(
            emit, "the journal holds no lines of a journal", f"it was moved to {aside.name} and is rebuilt"
        )
    repaired = repair(path)
    if repaired is not None:
        _report(
            emit, "the end of the journal was cut short", f"{repaired.removed_bytes} bytes of it were removed"
        )
    backend = BatchingBackend(path)
    try:
        return JournalStorage(backend), backend.batch
    except UNREADABLE as error:
        aside = set_aside(path)
        cause = f"the journal cannot be read ({type(error).__name__}: {error})"
        _report(emit, cause[:500], f"it was moved to {aside.name} and is rebuilt from the trial folders")
        backend = BatchingBackend(path)
        return JournalStorage(backend), backend.batch


def trials_in_journal(path: Path, study: str) -> int:
    """How many trials a study in a journal has, read from its beginning.

    Raises:
        Exception: Any of `UNREADABLE`, or an OSError.
    """
    storage = journal_to_read(path)
    return storage.get_n_trials(storage.get_study_id_from_name(study))


def _database(url: str) -> tuple[BaseStorage, Batch]:
    storage = RDBStorage(url)
    return storage, lambda: _one_commit(storage)


def sqlite_file(url: str) -> Path | None:
    """The file of a storage; None for a server's, one in memory, and SQLite's own kind of URI."""
    from sqlalchemy.engine import make_url

    place = make_url(url)
    named = place.database or ""
    if not place.drivername.startswith("sqlite") or named in ("", ":memory:") or named.startswith("file:"):
        return None
    return Path(named).absolute()


def lost_file_aside(url: str, mark: FileMark | None) -> Path | None:
    """Make room where the file of a storage is no database of Optuna's any more, or another file.

    What is in its place is renamed, with what SQLite keeps beside it.

    Args:
        mark: The file that it was.
    Returns:
        The new name; None where nothing was renamed.
    """
    path = sqlite_file(url)
    if path is None or kind(path) is None or (mark is not None and mark.same(path) and _is_optunas(path)):
        return None
    for beside in ("-journal", "-wal", "-shm"):
        rest = path.with_name(path.name + beside)
        if kind(rest) is not None:
            set_aside(rest)
    return set_aside(path)


def _is_optunas(path: Path) -> bool:
    """Whether a file is a database with Optuna's tables, as far as that can be seen now."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as database:
            for table in _TABLES:
                database.execute(f"SELECT 1 FROM {table} LIMIT 1")
    except sqlite3.DatabaseError as error:
        return "locked" in str(error)
    return True


def _report(emit: Emit | None, cause: str, continuation: str) -> None:
    if emit is not None:
        emit(Degraded(what="repair", where="study", cause=cause, continuation=continuation))


@contextmanager
def _one_commit(storage: RDBStorage) -> Iterator[None]:
    """Everything the block writes to a database becomes one transaction, undone if it raises.

    Optuna commits every reported value by itself. Its sessions join a transaction of ours here, which
    SQLAlchemy offers for this; "rollback_only" means that their commits wait for ours.
    """
    from sqlalchemy.orm import scoped_session, sessionmaker

    own = storage.scoped_session
    with storage.engine.begin() as connection:
        storage.scoped_session = scoped_session(
            sessionmaker(bind=connection, join_transaction_mode="rollback_only")
        )
        try:
            yield
        finally:
            storage.scoped_session.remove()
            storage.scoped_session = own


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turns errors of a storage into a RunError that names the storage and says that nothing is lost."""
    try:
        yield
    except _storage_errors() as error:
        cause = (str(error.__cause__ or error).splitlines() or [""])[0]
        raise RunError(
            f"the study in {where} cannot be used: {type(error).__name__}: {cause}. Finished trials are safe "
            "in their folders; put this right and run the same command again."
        ) from error


def _storage_errors() -> tuple[type[Exception], ...]:
    errors: list[type[Exception]] = [optuna.exceptions.OptunaError, ImportError, OSError]
    # A journal run never imports SQLAlchemy, so none of its errors can be on their way.
    module = sys.modules.get("sqlalchemy.exc")
    return tuple(errors if module is None else [*errors, module.SQLAlchemyError])


@contextmanager
def quiet() -> Iterator[None]:
    """Silences Optuna's 'A new study created' for the block; its verbosity belongs to the user's program."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def without_password(url: str) -> str:
    """A storage URL fit for a message.

    Raises:
        RunError: It is no URL.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise RunError(f"the storage is not a URL such as sqlite:///study.db: {error}") from error
