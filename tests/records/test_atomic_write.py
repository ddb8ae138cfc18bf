"""Files that are whole or absent."""

import errno
import os
import subprocess
import sys

import pytest

from tunesmith.tools.records import atomic_write
from tunesmith.tools.records.atomic_write import set_aside, write_atomic, write_once


def test_a_new_content_replaces_the_old_and_leaves_nothing_else(tmp_path):
    write_atomic(tmp_path / "a.json", b"old")
    write_atomic(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("write", [write_atomic, write_once])
def test_a_full_disk_leaves_the_old_content(tmp_path, monkeypatch, write):
    (tmp_path / "a.json").write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_write.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_only_the_first_of_two_writers_once_gets_its_content_in(tmp_path):
    assert write_once(tmp_path / "result.json", b"first")
    assert not write_once(tmp_path / "result.json", b"second")
    assert (tmp_path / "result.json").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_disk_without_hard_links_still_writes_once(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(atomic_write.os, "link", refuse)
    assert write_once(tmp_path / "result.json", b"first")
    assert not write_once(tmp_path / "result.json", b"second")
    assert (tmp_path / "result.json").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from tunesmith.tools.records.atomic_write import write_atomic\n"
        "i = 0\n"
        "while True: i += 1; write_atomic(Path(sys.argv[1]), (b'%d,' % i) * 20000); print(i, flush=True)\n"
    )
    path = tmp_path / "a.json"
    for lines in (1, 3, 5):
        writer = subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(lines):
            announced = int(writer.stdout.readline())
        writer.kill()
        writer.communicate()
        numbers = set(path.read_bytes().rstrip(b",").split(b","))
        assert len(numbers) == 1 and int(numbers.pop()) >= announced


def test_damaged_files_are_set_aside_each_under_a_name_of_its_own(tmp_path):
    for content in (b"one", b"two"):
        (tmp_path / "a.json").write_bytes(content)
        set_aside(tmp_path / "a.json")
    assert (tmp_path / "a.json.damaged-1").read_bytes() == b"one"
    assert (tmp_path / "a.json.damaged-2").read_bytes() == b"two"
    assert not (tmp_path / "a.json").exists()
