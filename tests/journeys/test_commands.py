"""Steering a running study from another process, as the terminal does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.tiny_job import started, tunesmith, wait_for, write_job
from tunesmith.commands import Ask, Command, Pause, Resume, Stop, Try
from tunesmith.events import Answered, CommandDone, Event, RunFinished, TrialFinished, TrialStarted
from tunesmith.tools.records.event_store import EventStore

HELD = """
import time
from pathlib import Path


def train(config, trial):
    while trial.number and not Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    return {"score": config["lr"]}


def test(config, trial):
    return {"score": config["lr"]}
"""


class Watched:
    """A run in another process, seen through its store."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.store = EventStore(folder / "run.db", create=False)

    def events(self) -> list[Event]:
        return self.store.events()

    def until(self, condition: Callable[[list[Event]], bool]) -> list[Event]:
        wait_for(lambda: condition(self.events()), self.process)
        return self.events()

    def ask(self, wanted: Command) -> CommandDone:
        number = self.store.post(wanted)

        def done(events: list[Event]) -> list[CommandDone]:
            return [e for e in events if isinstance(e, CommandDone) and e.command_id == number]

        return done(self.until(lambda events: bool(done(events))))[0]

    def end(self) -> int:
        self.process.communicate()
        return self.process.returncode


@contextmanager
def running(tmp_path: Path, **env: str) -> Iterator[Watched]:
    """A run of 10 trials that has finished one; the others wait for a file called `go`."""
    write_job(tmp_path, trials=10, train=HELD)
    process = started("run", "task.yaml", cwd=tmp_path, **env)
    watched = Watched(process, tmp_path / "runs" / "tiny")
    try:
        watched.until(lambda events: finished(events) >= 1)
        yield watched
    finally:
        process.kill()
        process.wait()
        watched.store.close()


def finished(events: list[Event]) -> int:
    return sum(isinstance(event, TrialFinished) for event in events)


def beginnings(events: list[Event]) -> int:
    return sum(isinstance(event, TrialStarted) for event in events)


def reply(events: list[Event]) -> str | None:
    """The last answer of the run to a question, once it is complete."""
    answers = [e for e in events if isinstance(e, Answered)]
    return "".join(e.text for e in answers) if answers and answers[-1].final else None


@pytest.mark.long
def test_a_run_pauses_resumes_answers_and_runs_the_persons_configuration_next(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        assert run.ask(Pause()).ok
        (tmp_path / "go").touch()
        events = run.until(lambda events: beginnings(events) == finished(events))
        done = run.ask(Try(values={"lr": 0.003, "width": 50}, reason="my colleague swears by it"))
        assert done.ok
        refused = run.ask(Try(values={"lr": 30, "width": 50}))
        assert not refused.ok and "lr" in refused.reply
        assert run.ask(Ask(text="tell me a joke")).ok
        commands = reply(run.until(lambda events: reply(events) is not None))
        assert commands is not None and "why 12" in commands and "/pause" in commands
        assert beginnings(run.events()) == beginnings(events), "nothing starts while the run is paused"
        assert run.ask(Resume()).ok
        assert run.end() == 0
        assert finished(run.events()) == 10
        (tried,) = [e for e in run.events() if isinstance(e, TrialStarted) and e.proposal.origin == "user"]
        assert done.reply == f"Queued as trial {tried.number}."
        assert tried.number == beginnings(events)
        assert dict(tried.proposal.configuration) == {"lr": 0.003, "width": 50}


@pytest.mark.long
def test_a_stopped_run_ends_resumably_and_its_late_commands_do_not_reach_the_next_session(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as run:
        assert run.ask(Stop()).ok
        assert run.end() == 130
        assert [e.status for e in run.events() if isinstance(e, RunFinished)] == ["stopped"]
        run.store.post(Stop(reason="too late"))
    (tmp_path / "go").touch()
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0


@pytest.mark.long
def test_a_study_in_sqlite_is_the_same_study(tmp_path: Path) -> None:
    import optuna

    write_job(tmp_path, trials=5)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    assert tunesmith("run", "task.yaml", "--storage", url, cwd=tmp_path).returncode == 0
    assert tunesmith("run", "task.yaml", "--storage", url, "--trials", 7, cwd=tmp_path).returncode == 0
    study = optuna.load_study(study_name="tiny", storage=url)
    assert [trial.number for trial in study.trials] == list(range(7))
    attributes = [trial.user_attrs["tunesmith"] for trial in study.trials]
    assert attributes[0]["origin"] == "default" and all(a["reason"] for a in attributes)
