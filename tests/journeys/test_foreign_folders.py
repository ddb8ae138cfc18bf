"""Run folders that somebody else made, or damaged: a line names file and fix; nothing is followed."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fakes.tiny_job import tunesmith, write_job
from tunesmith.tools.records import event_database

VICTIM = "precious"
Damage = Callable[[Path], object]


def put(name: str, content: bytes) -> Damage:
    def damage(run: Path) -> None:
        (run / name).write_bytes(content)

    return damage


def instead(name: str, make: Callable[[Path], object]) -> Damage:
    """Something else in the place of a file or folder of the run."""

    def damage(run: Path) -> None:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        make(path)

    return damage


def to_victim(path: Path) -> None:
    path.symlink_to(path.parents[2] / "victim")


def to_folder(path: Path) -> None:
    path.symlink_to("/tmp")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, in_folder(path.parent):
        server.bind(path.name)


@contextmanager
def in_folder(path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    yield
    os.chdir(before)


def hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def sql(*statements: str) -> Damage:
    def damage(run: Path) -> None:
        with closing(sqlite3.connect(run / "run.db", isolation_level=None)) as log:
            for statement in statements:
                log.execute(statement)

    return damage


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS seq, 1.0 AS at"
DIGITS = "\u0661\u0662\u0663\u0664\u0665"
DEEP = b"[" * 200_000
REFUSED = {
    **{f"{name} a link": instead(name, to_victim) for name in [
        "task.yaml", "run.json", "study.journal", "run.db", "run.db-wal", "lock", "lock.json", "engine.log",
        "exchanges.jsonl", "confirm.json", "report.md",
    ]},
    **{f"{name} a FIFO": instead(name, os.mkfifo) for name in [
        "task.yaml", "run.json", "study.journal", "run.db", "lock", "exchanges.jsonl", "confirm.json",
    ]},
    **{f"{name} a folder": instead(name, Path.mkdir) for name in [
        "task.yaml", "run.json", "study.journal", "run.db", "lock", "exchanges.jsonl", "confirm.json",
    ]},
    **{f"{name} a file": instead(name, lambda p: p.write_text("x")) for name in [
        "trials", "confirm", "sinks", "trials/00001",
    ]},
    **{f"{name} a link": instead(name, to_folder) for name in [
        "trials", "confirm", "trials/00001", "trials/00007",
    ]},
    **{f"{name} a link": instead(name, lambda p: p.symlink_to("/dev/zero")) for name in [
        f"trials/00001/{record}" for record in ("config.json", "result.json", "curve.jsonl", "log.txt")
    ]},
    "run.db a socket": instead("run.db", a_socket),
    "task.yaml huge": instead("task.yaml", hole),
    "task.yaml not text": put("task.yaml", b"\xff\xfe\x00"),
    "task.yaml deep": put("task.yaml", DEEP),
    "run.json a list": put("run.json", b"[]"),
    "run.json deep": put("run.json", DEEP),
    "run.json huge": instead("run.json", hole),
    "run.json not text": put("run.json", b"\xff"),
    "run.db no database": put("run.db", b"no database" * 1000),
    "run.db empty": put("run.db", b""),
    "run.db huge": instead("run.db", hole),
    "run.db another's": sql("DROP TABLE events", "CREATE TABLE events (x)"),
    "run.db an endless view": sql(
        "DROP TABLE events", f"CREATE VIEW events AS {ENDLESS}, 'noted' AS kind, '{{}}' AS body FROM n"
    ),
    "run.db a trigger": sql(
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN "
        "INSERT INTO events (at, kind, body) VALUES (1, 'noted', ''); END"
    ),
    "run.db of no JSON": sql("UPDATE events SET body = '{'"),
    "run.db not text": sql("UPDATE events SET body = CAST(x'ff' AS TEXT)"),
    "run.db of no time": sql("UPDATE events SET at = 'yesterday'"),
    "run.db newer": sql("PRAGMA user_version = 99"),
}  # fmt: skip
HELD = {
    **{f"trials/00001/{name} {what}": instead(f"trials/00001/{name}", make)
       for name in ("config.json", "result.json")
       for what, make in {
           "a FIFO": os.mkfifo, "a folder": Path.mkdir, "huge": hole, "deep": lambda p: p.write_bytes(DEEP),
           "a list": lambda p: p.write_text("[]"), "null": lambda p: p.write_text("null"),
           "not text": lambda p: p.write_bytes(b"\xff\x00"),
           "of odd types": lambda p: p.write_text('{"number": 1, "state": [], "proposal": {"details": [1]}}'),
       }.items()},
    "study.journal garbage": put("study.journal", b"\xff{garbage\n[[[" * 999),
    "study.journal deep": put("study.journal", DEEP),
    "study.journal huge": instead("study.journal", hole),
    "study.journal of other lines": put("study.journal", b'{"op_code": 4, "trial_id": 1e400}\n' * 9),
    "study.journal of odd trials": lambda run: (run / "study.journal").write_text(
        (run / "study.journal").read_text().replace('"started_at":', '"started_at":{},"tokens":')
    ),
    "study.journal of line ends": put("study.journal", b"\n" * 3_000_000),
    "odd names in trials": lambda run: [
        (run / "trials" / name).mkdir()
        for name in ("7x", "-1", "999999999999999999999", "0000007", DIGITS, " ", "\x1b[2J")
    ],
    "a name that is not UTF-8": lambda run: os.mkdir(os.fsencode(run / "trials") + b"/\xff\xfe"),
    "exchanges.jsonl garbage": put("exchanges.jsonl", b"\xff{\n[[["),
    "lock.json garbage": put("lock.json", DEEP),
    "confirm.json garbage": put("confirm.json", DEEP),
    "curve and log replaced": lambda run: [
        instead(f"trials/00001/{name}", os.mkfifo)(run) for name in ("curve.jsonl", "log.txt")
    ],
}  # fmt: skip


@contextmanager
def watched() -> Iterator[None]:
    """Fails where a command hangs, instead of hanging with it."""

    def hangs(number: int, frame: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(120)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task and its finished run of two trials."""
    home = tmp_path_factory.mktemp("foreign")
    write_job(home, trials=2)
    task = (home / "task.yaml").read_text()
    (home / "task.yaml").write_text("\n".join(line for line in task.split("\n") if "confirm" not in line))
    assert tunesmith("run", "task.yaml", "--no-model", cwd=home).returncode == 0
    (home / "runs/tiny").rename(home / "whole")
    (home / "victim").write_text(VICTIM)
    return home


@pytest.fixture
def home(finished: Path) -> Iterator[Path]:
    """That folder, with the run as it was. It is always at the same place, or the task would be another."""
    shutil.copytree(finished / "whole", finished / "runs/tiny")
    yield finished
    shutil.rmtree(finished / "runs/tiny")


REPORT = ("report", "runs/tiny")
CHAT = ("chat", "runs/tiny", "--plain")
RUN = ("run", "task.yaml", "--no-model", "--quiet")


def outcome(home: Path, *command: str) -> tuple[int, str]:
    with watched():
        done = tunesmith(*command, cwd=home)
    said = done.stderr + done.stdout
    assert (home / "victim").read_text() == VICTIM
    assert "Traceback" not in said and "\x1b" not in said
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(REPORT, id="report", marks=pytest.mark.slow),
        pytest.param(CHAT, id="chat", marks=pytest.mark.slow),
        pytest.param(RUN, id="run"),
    ],
)
@pytest.mark.parametrize(
    "what",
    [pytest.param(what, marks=[pytest.mark.slow] * what.endswith(("FIFO", "folder"))) for what in REFUSED],
)
def test_what_no_run_has_is_refused_in_one_line_that_names_it(
    home: Path, what: str, command: tuple[str, ...]
) -> None:
    REFUSED[what](home / "runs/tiny")
    code, said = outcome(home, *command)
    assert code == 2 and said.count("\n") == 1, said
    assert f"runs/tiny/{what.split()[0]}" in said


@pytest.mark.parametrize("what", HELD)
def test_what_can_be_rebuilt_is_or_is_told_in_one_line(home: Path, what: str) -> None:
    HELD[what](home / "runs/tiny")
    told, said = outcome(home, *REPORT)
    assert told == 0 or (told == 2 and said.count("\n") == 1 and "runs/tiny" in said), said
    assert outcome(home, *RUN)[0] == 0
    assert (home / "runs/tiny/report.md").is_file()


def test_a_lock_that_a_kill_left_half_released_ends_no_run(home: Path) -> None:
    lock = home / "runs/tiny" / "study.journal.lock4ff17345-4fc5-4db1-9893-9833de2bb278.rename"
    lock.symlink_to(home / "runs/tiny/study.journal")  # as Optuna's own is
    done = tunesmith("run", "task.yaml", "--no-model", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_record_of_no_legal_configuration_is_told_in_one_line(home: Path) -> None:
    path = home / "runs/tiny/trials/00001/config.json"
    record = json.loads(path.read_text())
    record["proposal"]["configuration"]["values"]["lr"] = None
    path.write_text(json.dumps(record))
    told, said = outcome(home, *REPORT)
    assert told == 2 and said.count("\n") == 1 and "trials/00001" in said


@pytest.mark.parametrize("when", [math.nan, math.inf, -1e18, 1e18])
def test_an_impossible_time_in_a_record_costs_nothing_else(home: Path, when: float) -> None:
    path = home / "runs/tiny/trials/00001/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"started_at": when}))
    if when < 0:
        (home / "runs/tiny/study.journal").unlink()
        (home / "runs/tiny/run.db").unlink()
    assert outcome(home, *RUN)[0] == 0


def test_a_log_that_another_program_holds_is_no_log_to_move_away(home: Path, monkeypatch) -> None:
    monkeypatch.setattr(event_database, "BUSY_TIMEOUT_S", 0.01)
    with closing(sqlite3.connect(home / "runs/tiny/run.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        code, said = outcome(home, *REPORT)
    assert code == 2 and said.count("\n") == 1
    assert "is in use by another program" in said
