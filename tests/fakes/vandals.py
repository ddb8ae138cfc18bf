"""Training code that damages the records of its own run: `act` is `way:target`, one a trial.

Copied beside a task by `tests/journeys/test_vandals.py`. No act may change `victim` beside it.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import stat
from pathlib import Path


def free(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def deleted(path: Path) -> None:
    free(path)


def moved(path: Path) -> None:
    if os.path.lexists(path):
        path.rename(path.with_name(path.name + "-moved"))


def folder(path: Path) -> None:
    free(path)
    path.mkdir()
    (path / "x").write_text("x")


def file(path: Path) -> None:
    free(path)
    path.write_text("x")


def fifo(path: Path) -> None:
    free(path)
    os.mkfifo(path)


def link(path: Path) -> None:
    free(path)
    path.symlink_to(Path(__file__).with_name("victim"))


def loop(path: Path) -> None:
    free(path)
    path.symlink_to(path)


def device(path: Path) -> None:
    free(path)
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    free(path)
    with path.open("wb") as hole:
        hole.truncate(1 << 40)


def garbage(path: Path) -> None:
    free(path)
    path.write_bytes(b"\x00\xff{[" * 1000)


def no_link(path: Path) -> None:
    """Another trial's link: writing through it would be this code's doing, not the engine's."""
    if path.is_symlink():
        path.unlink()


def truncated(path: Path) -> None:
    no_link(path)
    path.open("wb").close()


def overwritten(path: Path) -> None:
    no_link(path)
    size = min(path.stat().st_size, 1 << 20) if path.exists() else 100
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(b"\xff{garbage"[:9] * (size // 9 + 1))


def appended(path: Path) -> None:
    no_link(path)
    with path.open("ab") as file:
        file.write(b"\xff{garbage\n[[[")


def forged(path: Path) -> None:
    """A result of another trial, better than any."""
    free(path)
    of = {"trial": 777, "attempt": 1, "configuration": "0"}
    path.write_text(json.dumps({"of": of, "state": "completed", "values": {"v": 9.0}}))


def events(path: Path) -> None:
    """Events that are none, in a log that is whole."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as log:
        log.execute("INSERT INTO events (at, kind, body) VALUES (1, 'noted', '{\"kind\": \"junk\"}')")


LINES = {
    "deep": b"[" * 200_000,
    "infinite": b'{"step": 1, "value": 1e999}',
    "far": b'{"step": 1e300, "value": 0.9}',
    "odd": b'{"step": [], "value": {}}',
}


def shout(line: bytes) -> None:
    """Write to every socket of this process; one is the line that reports go over."""
    for descriptor in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, line + b"\n")
        except OSError:
            continue


def train(config, trial):
    trial.report(0.1, 0)
    way, _, target = config["act"].partition(":")
    run = trial.folder.parent.parent
    if target == "parent":
        os.kill(os.getppid(), {"stopped": signal.SIGSTOP, "killed": signal.SIGKILL}[way])
        if way == "killed":
            signal.pause()  # until the engine has noticed, and ends this process too
    elif target == "line":
        shout(LINES[way])
        signal.pause()  # until the engine has noticed, and ends this process
    elif target:
        places = {
            "own": trial.folder,
            "next": run / "trials" / f"{trial.number + 1:05d}",
            "default's": run / "trials" / "00000",
            "run": run,
        }
        inside = trial.folder / target if target in OWN else run / target
        globals()[way](places.get(target, inside))
    trial.report(0.2, 1)
    return {"v": 0.5}


OWN = ("config.json", "result.json", "curve.jsonl", "log.txt")
