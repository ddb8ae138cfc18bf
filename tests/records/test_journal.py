"""Optuna's journal: torn ends, stale locks, batches. Real files, real optuna."""

import os
import resource
import subprocess
import sys

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tunesmith.tools.records import journal_repair
from tunesmith.tools.records.journal_repair import BatchingBackend, clear_stale_lock, repair


def make_journal(path, values=(1.0, 2.0, 3.0)):
    study = optuna.create_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    for value in values:
        study.add_trial(optuna.trial.create_trial(value=value, user_attrs={"note": "ü\n"}))
    return path.read_bytes()


def values_in(path):
    study = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    return [trial.value for trial in study.trials]


def test_optuna_alone_is_ruined_by_a_torn_line(tmp_path):
    """The fact that `repair` exists for; when this fails, Optuna has fixed it."""
    path = tmp_path / "j"
    path.write_bytes(make_journal(tmp_path / "whole")[:-10])
    study = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    assert [trial.value for trial in study.trials] == [1.0, 2.0]
    JournalFileBackend(str(path)).append_logs(
        [{"op_code": 2, "worker_id": "x", "study_id": 0, "user_attr": {}}]
    )
    JournalFileBackend(str(path)).append_logs(
        [{"op_code": 2, "worker_id": "x", "study_id": 0, "user_attr": {}}]
    )
    with pytest.raises(ValueError):
        values_in(path)


def test_a_line_torn_at_any_byte_is_repaired_with_nothing_else_lost(tmp_path):
    whole = make_journal(tmp_path / "whole")
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    path = tmp_path / "j"
    for cut in range(start, len(whole) + 1):
        path.write_bytes(whole[:cut])
        mended = repair(path)
        content = path.read_bytes()
        if cut in (start, len(whole)):
            assert mended is None and content == whole[:cut]
        elif cut == len(whole) - 1:
            assert mended.removed_bytes == 0 and content == whole
        else:
            assert mended.removed_bytes == cut - start and content == whole[:start]
        assert repair(path) is None
    assert len(range(start, len(whole))) > 100  # the loop above was about something


def test_after_a_repair_the_study_takes_new_trials(tmp_path):
    path = tmp_path / "j"
    path.write_bytes(make_journal(tmp_path / "whole")[:-10])
    repair(path)
    study = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    study.add_trial(optuna.trial.create_trial(value=9.0))
    study.add_trial(optuna.trial.create_trial(value=10.0))
    assert values_in(path) == [1.0, 2.0, 9.0, 10.0]


@pytest.mark.parametrize(
    "tail",
    [b"\x00" * 5000, b"\x00\x00\n", b"null\n", b'{"op_code"\n', b"\xff\xfe\n", b"[1]\n[2]\n{}"],
    ids=["zeros", "zeros and a line end", "no record", "half a record", "no text", "several lines"],
)
def test_garbage_at_the_end_is_cut_off(tmp_path, tail):
    path = tmp_path / "j"
    whole = make_journal(path)
    with open(path, "ab") as file:
        file.write(tail)
    assert repair(path).removed_bytes == len(tail)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [None, b""], ids=["no journal", "empty journal"])
def test_where_nothing_is_wrong_nothing_is_done(tmp_path, content):
    path = tmp_path / "j"
    if content is not None:
        path.write_bytes(content)
    assert repair(path) is None
    assert path.exists() == (content is not None)


def test_lines_longer_than_a_block_are_read_whole(tmp_path):
    path = tmp_path / "j"
    study = optuna.create_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    study.add_trial(optuna.trial.create_trial(value=1.0, user_attrs={"long": "x" * 200_000}))
    whole = path.read_bytes()
    assert repair(path) is None
    path.write_bytes(whole[:-5])
    assert repair(path).removed_bytes > 190_000


def test_the_lock_of_a_killed_writer_is_cleared_without_optunas_half_minute(tmp_path):
    path = tmp_path / "j"
    make_journal(path)
    os.symlink(path, f"{path}.lock")
    repair(path)
    assert not os.path.lexists(f"{path}.lock")
    BatchingBackend(path).append_logs(
        [{"op_code": 2, "worker_id": "x", "study_id": 0, "user_attr": {"a": 1}}]
    )
    assert not os.path.lexists(f"{path}.lock")


def test_the_lock_of_a_living_writer_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_repair, "STALE_LOCK_S", 60.0)  # it may be held up on a busy machine
    path = tmp_path / "j"
    path.touch()
    code = (
        "import os, sys, time\n"
        "for i in range(5):\n"
        "    os.symlink(sys.argv[1], sys.argv[1] + '.lock'); print(i, flush=True)\n"
        "    time.sleep(0.3); os.unlink(sys.argv[1] + '.lock')\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    writer.stdout.readline()
    assert clear_stale_lock(path) is False
    assert writer.wait(60) == 0  # its unlink would have failed had the lock been taken from it
    writer.stdout.close()


def test_a_batch_is_one_append_and_nothing_when_it_fails(tmp_path):
    path = tmp_path / "j"
    backend = BatchingBackend(path)
    storage = JournalStorage(backend)
    study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "s")
    before = path.read_bytes()
    with backend.batch():
        storage.set_study_user_attr(study_id, "a", 1)
        storage.set_study_user_attr(study_id, "b", 2)
        assert path.read_bytes() == before
    assert storage.get_study_user_attrs(study_id) == {"a": 1, "b": 2}
    before = path.read_bytes()
    with pytest.raises(RuntimeError), backend.batch():
        storage.set_study_user_attr(study_id, "c", 3)
        raise RuntimeError
    assert path.read_bytes() == before
    assert storage.get_study_user_attrs(study_id) == {"a": 1, "b": 2}


def test_a_note_that_optuna_dashboard_writes_meanwhile_is_not_mistaken_for_ours(tmp_path):
    path = tmp_path / "j"
    backend = BatchingBackend(path)
    storage, dashboard = JournalStorage(backend), JournalStorage(JournalFileBackend(str(path)))
    study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "s")
    with backend.batch():
        storage.set_study_user_attr(study_id, "a", 1)
        dashboard.set_study_user_attr(study_id, "note", "hm")
        storage.set_study_user_attr(study_id, "b", 2)
    for reader in (storage, dashboard, JournalStorage(JournalFileBackend(str(path)))):
        assert reader.get_study_user_attrs(study_id) == {"a": 1, "note": "hm", "b": 2}


def test_a_write_that_a_full_disk_cut_short_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "j"
    backend = BatchingBackend(path)
    storage = JournalStorage(backend)
    study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "s")
    before = path.read_bytes()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, unlimited[1]))
    try:
        with pytest.raises(OSError), backend.batch():
            storage.set_study_user_attr(study_id, "a", "x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert path.read_bytes() == before
    storage.set_study_user_attr(study_id, "b", 2)
    assert JournalStorage(JournalFileBackend(str(path))).get_study_user_attrs(study_id) == {"b": 2}
