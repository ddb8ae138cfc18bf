"""One writer a run, with real processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tunesmith.errors import RunError
from tunesmith.tools.records.lock import Holder, hold, holder_of

HOLD = (
    "import sys, time; from pathlib import Path; from tunesmith.tools.records.lock import hold\n"
    "with hold(Path(sys.argv[1])): print('held', flush=True); time.sleep(3600)\n"
)


@pytest.fixture
def other_holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_the_lock_and_since_when(tmp_path, other_holder):
    with pytest.raises(RunError) as caught, hold(tmp_path / "lock"):
        pass
    assert f"process {other_holder.pid}" in str(caught.value)
    assert time.strftime("since %Y-%m-%d") in str(caught.value)
    assert holder_of(tmp_path / "lock").pid == other_holder.pid
    assert holder_of(tmp_path / "lock").alive


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path, other_holder):
    other_holder.kill()
    other_holder.wait()
    assert not holder_of(tmp_path / "lock").alive
    with hold(tmp_path / "lock") as holder:
        assert holder_of(tmp_path / "lock") == holder
    assert holder_of(tmp_path / "lock") is None


def test_one_process_cannot_hold_it_twice(tmp_path):
    with hold(tmp_path / "lock"):
        with pytest.raises(RunError), hold(tmp_path / "lock"):
            pass
        with pytest.raises(RunError), hold(tmp_path / "lock"):
            pass  # the refused attempt freed nothing
    with hold(tmp_path / "lock"):
        pass


def test_a_process_that_got_the_number_of_a_dead_one_is_not_taken_for_it():
    holder = Holder.this_process()
    assert holder.alive
    assert not holder.model_copy(update={"started": holder.started - 100}).alive
    assert not holder.model_copy(update={"boot": "another"}).alive
    assert holder.model_copy(update={"host": "elsewhere"}).alive is None


def test_a_child_of_a_killed_holder_does_not_keep_the_lock(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from tunesmith.tools.records.lock import hold\n"
        "with hold(Path(sys.argv[1])):\n"
        "    if os.fork() == 0: print(os.getpid(), flush=True)\n"
        "    time.sleep(3600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    orphan = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        with hold(tmp_path / "lock") as holder:
            os.kill(orphan, 0)  # it is alive all the same
            assert holder.pid == os.getpid()
    finally:
        os.kill(orphan, signal.SIGKILL)
        process.stdout.close()


def test_a_note_that_was_cut_short_does_not_matter(tmp_path):
    (tmp_path / "lock.json").write_text('{"pid": 1')
    with hold(tmp_path / "lock") as holder:
        assert holder_of(tmp_path / "lock") == holder
