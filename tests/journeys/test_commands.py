"""Steering a running study from another process, as the terminal does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.chat_server import ChatRequest, ChatServer, calls, text
from fakes.tiny_job import command, environment, tunesmith, write_job
from tunesmith.events import (
    Answered,
    Ask,
    Command,
    CommandDone,
    Event,
    Pause,
    Resume,
    RunFinished,
    Stop,
    TrialFinished,
    TrialStarted,
    Try,
    Woken,
)
from tunesmith.tools.records.event_store import EventStore


class Watched:
    """A run in another process, seen through its store."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder
        self.store = EventStore(folder / "run.db", create=False)

    def events(self) -> list[Event]:
        return self.store.events()

    def until(self, found: Callable[[list[Event]], bool], timeout_s: float = 40) -> list[Event]:
        deadline = time.monotonic() + timeout_s
        while True:
            events = self.events()
            if found(events):
                return events
            assert time.monotonic() < deadline, [event.kind for event in events]
            time.sleep(0.05)

    def ask(self, wanted: Command) -> CommandDone:
        number = self.store.post(wanted)

        def done(events: list[Event]) -> list[CommandDone]:
            return [e for e in events if isinstance(e, CommandDone) and e.command_id == number]

        return done(self.until(lambda events: bool(done(events))))[0]

    def end(self, timeout_s: float = 60) -> int:
        return self.process.wait(timeout_s)


@contextmanager
def running(tmp_path: Path, *arguments: object, **env: str) -> Iterator[Watched]:
    process = subprocess.Popen(
        command("run", "task.yaml", *arguments),
        cwd=tmp_path,
        env=environment(**env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watched = Watched(process, tmp_path / "runs" / "tiny")
    try:
        watched.until(lambda events: finished(events) >= 1)
        yield watched
    finally:
        process.kill()
        process.communicate()


def finished(events: list[Event]) -> int:
    return sum(isinstance(event, TrialFinished) for event in events)


def started(events: list[Event]) -> int:
    return sum(isinstance(event, TrialStarted) for event in events)


def test_a_paused_run_starts_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    write_job(tmp_path, trials=8, pause=0.1)
    with running(tmp_path) as run:
        assert run.ask(Pause()).ok
        run.until(lambda events: started(events) == finished(events))
        before = started(run.events())
        time.sleep(1.0)
        assert started(run.events()) == before
        assert run.ask(Resume()).ok
        assert run.end() == 0
        assert finished(run.events()) == 8


def test_a_configuration_of_the_person_runs_next_under_the_promised_number(tmp_path: Path) -> None:
    write_job(tmp_path, trials=8, pause=0.1)
    with running(tmp_path) as run:
        done = run.ask(Try(values={"lr": 0.003, "width": 50}, reason="my colleague swears by it"))
        assert done.ok
        refused = run.ask(Try(values={"lr": 30, "width": 50}))
        assert not refused.ok and "lr" in refused.reply
        assert run.end() == 0
        tried = [e for e in run.events() if isinstance(e, TrialStarted) and e.proposal.origin == "user"]
        assert [f"trial {event.number}" for event in tried] == [
            done.reply.removeprefix("Queued as ").strip(".")
        ]
        assert dict(tried[0].proposal.configuration) == {"lr": 0.003, "width": 50}


def test_a_stopped_run_ends_resumably_and_commands_of_then_do_not_hit_the_next_sitting(
    tmp_path: Path,
) -> None:
    write_job(tmp_path, trials=8, pause=0.1)
    with running(tmp_path) as run:
        assert run.ask(Stop()).ok
        assert run.end() == 130
        assert [e.status for e in run.events() if isinstance(e, RunFinished)] == ["stopped"]
        run.store.post(Stop(reason="too late"))
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0


def test_without_a_model_free_text_gets_the_list_of_commands(tmp_path: Path) -> None:
    write_job(tmp_path, trials=6, pause=0.1)
    with running(tmp_path) as run:
        assert run.ask(Ask(text="what do you think of dropout?")).ok
        events = run.until(lambda events: any(isinstance(e, Answered) and e.final for e in events))
        answer = "".join(e.text for e in events if isinstance(e, Answered))
        assert "/why" in answer and "/pause" in answer


def test_with_a_model_a_question_is_answered_and_wakes_the_agent(tmp_path: Path) -> None:
    write_job(tmp_path, trials=10, pause=0.1)

    def model(request: ChatRequest) -> object:
        if "decide" in request.tools:
            return calls(("decide", {"reason": "Nothing to add.", "wake_after": 9}))
        return text("Trial #0 is the default.")

    with ChatServer(model) as server:
        env = {"TUNESMITH_BASE_URL": server.url, "TUNESMITH_MODEL": "scripted"}
        with running(tmp_path, **env) as run:
            assert run.ask(Ask(text="Which one is the default?")).ok
            events = run.until(lambda events: any(isinstance(e, Answered) and e.final for e in events))
            assert "".join(e.text for e in events if isinstance(e, Answered)) == "Trial #0 is the default."
            run.until(lambda events: any(isinstance(e, Woken) and "message" in e.triggers for e in events))
            assert run.end() == 0


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
