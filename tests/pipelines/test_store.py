"""The store of a run's samples: shared by processes, exact in its keys, never what ends a run."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tunesmith.tools.execution.own_module import module_command
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.store import SampleKey, SampleStore, Spend

KEY = SampleKey("answer", "m", 0.5, None, "q1", "in", 0, 0, "v")
SAMPLE = Drawn([1, "ä"], '[1,"ä"]', prompt_tokens=3.0, seconds=0.25, weight=0.5, score=1.0)


def spend(made: int = 1) -> Spend:
    return Spend("trials", 4, "answer", "m", made, 2, 0, 3.0, 0.0, 0.25, 1.5)


def test_a_sample_is_found_by_all_that_it_depends_on_and_nothing_else(tmp_path: Path):
    path = tmp_path / "samples.sqlite"
    store = SampleStore(path)
    assert store.put({KEY: SAMPLE}, [spend()]) == {} and store.put({}, [spend(2)]) == {}
    store.close()
    store = SampleStore(path)
    assert store.get([KEY]) == {KEY: SAMPLE}
    names = ("stage", "model", "prompt", "item", "input", "version")
    others = [KEY._replace(**{name: "other"}) for name in names]
    others += [KEY._replace(temperature=None), KEY._replace(temperature=0.0)]
    others += [KEY._replace(turn=1), KEY._replace(sample=1)]
    assert store.get(others) == {}
    assert store.get([KEY._replace(temperature=0.5)]) == {KEY: SAMPLE}
    assert store.spent() == [Spend("trials", 4, "answer", "m", 3, 4, 0, 6.0, 0.0, 0.5, 3.0)]
    other = Drawn("later", '"later"')
    assert store.put({KEY: other}) == {KEY: SAMPLE}  # the first is kept, and whoever came later is told
    store.close()


def test_a_damaged_store_is_set_aside_with_a_note_and_one_that_cannot_be_made_is_done_without(tmp_path: Path):
    path = tmp_path / "samples.sqlite"
    store = SampleStore(path)
    for i in range(200):
        store.put({KEY._replace(sample=i): SAMPLE})
    store.close()
    whole = path.read_bytes()
    for damaged in (b"no database at all" * 100, whole[:5000] + os.urandom(len(whole) - 5000), b""):
        path.write_bytes(damaged)
        store = SampleStore(path)
        store.get([KEY._replace(sample=i) for i in range(200)])
        store.put({KEY: SAMPLE})
        assert store.get([KEY]) == {KEY: SAMPLE}
        assert bool(store.notes) == bool(damaged)
        store.close()
    assert sorted(p.name for p in tmp_path.glob("*damaged*"))[0] == "samples.sqlite.damaged-1"
    missing = SampleStore(tmp_path / "no folder" / "samples.sqlite")
    assert missing.put({KEY: SAMPLE}, [spend()]) == {} and missing.get([KEY]) == {} and missing.spent() == []
    assert "samples are neither read nor kept from here on" in missing.notes[0]
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(b"")
    path.symlink_to(tmp_path / "elsewhere")
    linked = SampleStore(path)
    assert linked.put({KEY: SAMPLE}) == {} and (tmp_path / "elsewhere").read_bytes() == b""


WORKER = """
import sys
from pathlib import Path
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.store import SampleKey, SampleStore, Spend
store, me = SampleStore(Path(sys.argv[1])), sys.argv[2]
for i in range(150):
    key = SampleKey("s", "m", None, None, f"q{i}", "in", 0, 0, "v")
    mine = Drawn(me, '"%s"' % me)
    kept = store.put({key: mine}, [Spend("trials", 0, "s", "m", 1, 0, 0, 0.0, 0.0, 0.0, 1.0)]).get(key, mine)
    assert store.get([key]) == {key: kept}
    print(i, flush=True)
assert not store.notes, store.notes
"""


def test_processes_share_it_and_one_that_is_killed_leaves_it_whole(tmp_path: Path):
    path = tmp_path / "samples.sqlite"
    words = [sys.executable, "-P", "-c", WORKER, str(path)]
    processes = [
        subprocess.Popen([*words, str(me)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for me in range(4)
    ]
    assert processes[0].stdout is not None
    while processes[0].stdout.readline().strip() not in ("20", ""):
        pass
    processes[0].send_signal(signal.SIGKILL)
    processes[0].communicate()
    for process in processes[1:]:
        assert process.communicate()[1] == "" and process.returncode == 0
    store = SampleStore(path, read_only=True)
    assert len(list(store.everything())) == 150 and not store.notes
    assert 450 + 21 <= store.spent()[0].made <= 450 + 150
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="folders of environments")
def test_what_a_trial_imports_is_the_standard_library(tmp_path: Path):
    venv.create(tmp_path / "plain", symlinks=True, with_pip=False)
    python = str(tmp_path / "plain" / "bin" / "python")
    package = Path(module_command("x", python)[2]).parent
    code = f"import sys; sys.path.insert(0, {str(package)!r}); import tunesmith.tools.pipelines.objective"
    code += "; from tunesmith.pipeline import Sample; print(Sample(1).output)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
