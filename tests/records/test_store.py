"""The event log and command inbox, on a real SQLite file with real processes."""

import math
import subprocess
import sys
import threading

import pytest

from tunesmith.commands import Ask, Pause, Stop
from tunesmith.errors import RunError
from tunesmith.events import Degraded, Noted, TrialReported
from tunesmith.text.secrets import refresh
from tunesmith.tools.records.event_store import EventStore


@pytest.fixture
def store(tmp_path):
    store = EventStore(tmp_path / "run.db")
    yield store
    store.close()


def test_readers_see_only_what_is_new_and_no_more_than_they_ask_for(store):
    stored = store.append_many([TrialReported(number=0, step=i, value=0.5) for i in range(10)])
    assert [e.seq for e in stored] == list(range(1, 11))
    assert store.events(after_seq=7) == stored[7:]
    assert store.events(after_seq=2, limit=3) == stored[2:5]
    assert store.events(after_seq=10) == []
    assert store.last_seq() == 10


def test_a_full_disk_is_told_as_such_and_costs_one_write_not_the_next_one_too(store):
    store.append(Noted(text="first"))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(RunError, match="run.db cannot be written: database or disk is full"):
        store.append(Noted(text="x" * 100_000))
    store._connection.execute("PRAGMA max_page_count = 100000")
    assert store.append(Noted(text="second")).seq == 2
    assert [e.text for e in store.events()] == ["first", "second"]


def test_threads_share_a_store_without_losing_or_mixing_events(store):
    def write(name):
        for index in range(100):
            store.append(Noted(text=f"{name}-{index}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = store.events()
    assert [e.seq for e in events] == list(range(1, 401))
    for name in "abcd":
        assert [e.text for e in events if e.text[0] == name] == [f"{name}-{i}" for i in range(100)]


def test_processes_write_and_read_one_log_together(store, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tunesmith.events import Noted\n"
        "from tunesmith.tools.records.event_store import EventStore\n"
        "store = EventStore(Path(sys.argv[1]))\n"
        "for i in range(100): store.append(Noted(text=f'{sys.argv[2]}-{i}'))\n"
    )
    command = [sys.executable, "-P", "-c", code, str(tmp_path / "run.db")]
    writers = [subprocess.Popen([*command, name]) for name in "ab"]
    seen = []
    while any(writer.poll() is None for writer in writers):
        seen += store.events(after_seq=seen[-1].seq if seen else 0)
        store.append(Noted(text="reader"))
    seen += store.events(after_seq=seen[-1].seq if seen else 0)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [e.seq for e in seen] == list(range(1, len(seen) + 1))
    for name in "ab":
        assert [e.text for e in seen if e.text[0] == name] == [f"{name}-{i}" for i in range(100)]


@pytest.mark.long
def test_processes_may_create_one_log_at_the_same_moment(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tunesmith.events import Noted\n"
        "from tunesmith.tools.records.event_store import EventStore\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "EventStore(Path(sys.argv[1])).append(Noted(text='here'))\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [
        subprocess.Popen([sys.executable, "-P", "-c", code, str(tmp_path / "run.db")], **pipes)
        for _ in range(4)
    ]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 4
    for writer in writers:
        writer.communicate("go\n") if writer is writers[-1] else writer.stdin.write(
            "go\n"
        ) and writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(EventStore(tmp_path / "run.db").events()) == 4


def test_a_reader_that_comes_before_the_run_sees_an_empty_log_and_then_the_run(tmp_path):
    reader = EventStore(tmp_path / "run.db", create=False)
    assert reader.events() == [] and reader.last_seq() == 0 and reader.take_commands() == []
    assert not (tmp_path / "run.db").exists()
    with pytest.raises(RunError, match="no run was started"):
        reader.post(Pause())
    EventStore(tmp_path / "run.db").append(Noted(text="begun"))
    assert [e.text for e in reader.events()] == ["begun"]
    assert reader.post(Pause()) == 1


def test_a_command_is_taken_until_it_is_acknowledged(store):
    first, second = store.post(Ask(text="why 3?")), store.post(Stop())
    assert store.take_commands() == [(first, Ask(text="why 3?")), (second, Stop())]
    assert store.command_status(first) == ("pending", "")
    store.acknowledge(first, True, "Because of trial 2.")
    store.acknowledge(second, False, "Not now.")
    assert store.take_commands() == []
    assert store.command_status(first) == ("done", "Because of trial 2.")
    assert store.command_status(second) == ("refused", "Not now.")
    with pytest.raises(KeyError):
        store.command_status(99)


def test_a_command_of_another_version_is_refused_and_holds_up_nobody(store, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "run.db") as other:
        other.execute('INSERT INTO commands (at, body) VALUES (0, \'{"kind": "explode"}\')')
    pause = store.post(Pause())
    assert store.take_commands() == [(pause, Pause())]
    assert store.command_status(1).status == "refused"


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 500])
def test_a_damaged_log_is_a_clear_error(tmp_path, content):
    (tmp_path / "run.db").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.db cannot be used.*Move it away"):
        EventStore(tmp_path / "run.db")


def test_a_log_of_a_newer_version_is_left_alone(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "run.db") as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(RunError, match="newer Tunesmith"):
        EventStore(tmp_path / "run.db")


def test_a_log_survives_its_writer_being_killed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tunesmith.events import Noted\n"
        "from tunesmith.tools.records.event_store import EventStore\n"
        "store = EventStore(Path(sys.argv[1]))\n"
        "while True: print(store.append(Noted(text='x')).seq, flush=True)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(tmp_path / "run.db")], stdout=subprocess.PIPE, text=True
    )
    for _ in range(50):
        announced = int(writer.stdout.readline())
    writer.kill()
    rest, _ = writer.communicate()
    announced = max([announced, *(int(line) for line in rest.split("\n")[:-1])])
    events = EventStore(tmp_path / "run.db").events()
    assert len(events) >= announced
    assert [e.seq for e in events] == list(range(1, len(events) + 1))


def test_a_batch_is_stored_whole_or_not_at_all(store):
    store.append(Noted(text="first"))
    with pytest.raises(AttributeError):
        store.append_many([Noted(text="second"), "not an event"])
    assert [e.text for e in store.events()] == ["first"]
    assert store.append(Noted(text="third")).seq == 2


def test_a_value_that_is_not_finite_is_stored_and_read_back(store):
    event = store.append(TrialReported(number=0, step=0, value=-math.inf))
    assert store.events() == [event]
    assert store.trial_numbers("trial_finished") == set()


def test_who_is_given_an_event_gets_it_as_it_is_stored_without_secrets(store, monkeypatch):
    monkeypatch.setenv("SERVICE_API_KEY", "canary-0123456789")
    refresh()
    (event,) = store.append_many([Noted(text="the key is canary-0123456789")])
    assert event.text == "the key is [SERVICE_API_KEY]" and store.events() == [event]
    monkeypatch.setenv("DB_PASSWORD", "fallback")
    refresh()
    (odd,) = store.append_many([Degraded(what="fallback", where="a", cause="b", continuation="c")])
    assert store.events() == [event, odd]
    monkeypatch.undo()
    refresh()


def test_a_command_from_a_terminal_that_knows_no_secrets_leaves_none_in_the_file(
    store, tmp_path, monkeypatch
):
    number = store.post(Ask(text="use canary-0123456789"))
    monkeypatch.setenv("SERVICE_API_KEY", "canary-0123456789")
    refresh()
    assert [taken for taken, _ in store.take_commands()] == [number]
    store.acknowledge(number, False, "canary-0123456789 is no value")
    monkeypatch.undo()
    refresh()
    assert store.command_status(number).reply == "[SERVICE_API_KEY] is no value"
    store.close()
    assert not any(b"canary" in path.read_bytes() for path in tmp_path.iterdir())
