"""Files that are whole or absent, whatever happens while they are written.

The order is: temporary file beside the target, fsync, rename (or link), fsync of the folder. A crash
before the rename leaves the old content and a `.tmp` file that is never read; a crash after it leaves
the new content. Without the last fsync a power cut may undo the rename, so a file is durable only
when the call has returned.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tunesmith.tools.records.plain_files import clear, create_plain, free_name

TEMPORARY = ".tmp"
"""Suffix of files that were being written; whatever carries it may be deleted when no run is active."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path`, replacing what was there; durable when it returns.

    A link at `path` is replaced and not followed. A folder there is renamed to `<name>.damaged-<n>`.

    Args:
        durable: False saves the two syncs: a killed process still leaves the file whole, but a power cut
            may leave it empty. For what can be rebuilt.
    Raises:
        OSError: The folder is missing, or the disk is full; `path` is then unchanged.
    """
    temporary = _write_temporary(path, data, durable)
    try:
        try:
            os.replace(temporary, path)
        except IsADirectoryError:
            clear(path)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_once(path: Path, data: bytes) -> bool:
    """Put `data` at `path` unless something is there already; durable when it returns.

    Returns:
        False when `path` existed; it is then unchanged. Of several writers exactly one gets True.
    """
    return publish(_write_temporary(path, data), path)


def publish(temporary: Path, path: Path) -> bool:
    """Give a finished file beside `path` that name unless something has it; `temporary` is gone afterwards.

    Returns:
        False when `path` existed; it is then unchanged.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):  # a disk without hard links: a look before the rename is the best there is
            return False
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def set_aside(path: Path, mark: str = "damaged") -> Path:
    """Rename a file to `<name>.<mark>-<n>` so that nothing is lost with it; returns its new path."""
    aside = free_name(path, mark)
    path.rename(aside)
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """Make new, renamed and deleted entries of `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, data: bytes, durable: bool = True) -> Path:
    # The pid keeps two writers of one target out of each other's temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with open(create_plain(temporary), "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
