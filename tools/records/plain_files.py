"""Files that are opened only where they are plain: no link is followed, and nothing that could hang is read.

Training code and whoever made a run folder can put anything in a file's place: a link to another file, a
FIFO without an other end, a device without end, a folder. By the standard library alone, because workers
write through here as well.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotPlain(OSError):
    """Something other than a file of acceptable size is in a file's place."""

    def __init__(self, path: Path, what: str) -> None:
        self.what = what
        super().__init__(errno.EINVAL, what, str(path))

    def __str__(self) -> str:
        return self.what


class FileMark(NamedTuple):
    """Which file was at a path, and how much of it, so that a change by others is noticed."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> FileMark | None:
        """None where there is no plain file."""
        try:
            found = os.lstat(path)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def same(self, path: Path) -> bool:
        """Whether that very file is still there."""
        now = FileMark.of(path)
        return now is not None and now[:2] == self[:2]

    def holds(self, path: Path) -> bool:
        """Whether that very file is still there, and has lost nothing."""
        now = FileMark.of(path)
        return now is not None and now[:2] == self[:2] and now.size >= self.size


def kind(path: Path) -> str | None:
    """What is at `path` itself, such as `a file` or `a symbolic link`; None for nothing."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None  # ELOOP: of a folder above
        raise
    return _KINDS.get(stat.S_IFMT(mode), "no file")


def open_plain(path: Path, flags: int, mode: int = 0o644) -> int:
    """A descriptor of the file at `path`, as `os.open` makes it.

    Raises:
        NotPlain: It is a link, a folder or something that is no file.
        OSError: As `os.open`.
    """
    # O_NONBLOCK: a FIFO must not be waited for. It means nothing for files.
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except FileNotFoundError:
        raise
    except OSError as error:
        what = kind(path)
        if what not in (None, "a file"):
            raise NotPlain(path, f"it is {what}") from error
        raise
    found = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(found):
        os.close(descriptor)
        raise NotPlain(path, f"it is {_KINDS.get(stat.S_IFMT(found), 'no file')}")
    return descriptor


def read_plain(path: Path, limit: int) -> bytes:
    """The content of the file at `path`.

    Raises:
        NotPlain: As `open_plain`, or it has more than `limit` bytes.
        OSError: As `os.open`.
    """
    with open(open_plain(path, os.O_RDONLY), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(limit + 1) if size <= limit else b""
    if max(size, len(data)) > limit:
        raise NotPlain(path, f"it has more than {limit >> 20} MiB")
    return data


def create_plain(path: Path) -> int:
    """A descriptor for reading and writing of a new, empty file at `path`, whatever was there before.

    A file or link is removed and never written through; a folder is renamed to `<name>.damaged-<n>`.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    try:
        return open_plain(path, flags)
    except OSError:
        clear(path)
        return open_plain(path, flags)


def clear(path: Path) -> None:
    """Make the name free: what is there is removed, a folder renamed to `<name>.damaged-<n>`."""
    if kind(path) == "a folder":
        path.rename(free_name(path, "damaged"))
    else:
        path.unlink(missing_ok=True)


def free_name(path: Path, why: str) -> Path:
    """`<name>.<why>-<n>` beside `path`: the first that nothing has."""
    index = 1
    while os.path.lexists(found := path.with_name(f"{path.name}.{why}-{index}")):
        index += 1
    return found


def make_folder(path: Path) -> str | None:
    """See to it that `path` is a folder that can be written to; its parent has to be one.

    What is in its place is renamed to `<name>.damaged-<n>`.

    Returns:
        What was found there instead, or None where nothing had to be mended (it may have been made).
    """
    found = kind(path)
    if found == "a folder":
        if os.access(path, os.W_OK | os.X_OK):
            return None
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXU)
        return "a folder that could not be written to"
    if found is not None:
        path.rename(free_name(path, "damaged"))
    path.mkdir(exist_ok=True)
    return found
