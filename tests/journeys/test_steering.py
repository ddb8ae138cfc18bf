"""A running study is steered from another process, and resumed afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.tiny_job import started, tunesmith, wait_for, write_job
from tunesmith.commands import (
    AddChoice,
    ChangeBudget,
    Command,
    Freeze,
    Kill,
    Narrow,
    Note,
    Pause,
    Resume,
    SetPrior,
    Try,
    Undo,
    Widen,
)
from tunesmith.events import CommandDone, Event, Noted, Steered, TaskChanged, TrialFinished, TrialStarted
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.run_folder import RunFolder

STEPPED = """
import time
from pathlib import Path


def train(config, trial):
    trial.report(config["lr"], 1)
    while trial.number and not Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    return {"score": config["lr"]}
"""


class Watched:
    def __init__(self, process, folder: Path) -> None:
        self.process, self.store = process, EventStore(folder / "run.db", create=False)

    def until(self, condition) -> list[Event]:
        wait_for(lambda: condition(self.store.events()), self.process)
        return self.store.events()

    def of(self, kind):
        return [event for event in self.store.events() if isinstance(event, kind)]

    def ask(self, wanted: Command) -> CommandDone:
        number = self.store.post(wanted)
        self.until(lambda events: any(isinstance(e, CommandDone) and e.command_id == number for e in events))
        return next(e for e in self.of(CommandDone) if e.command_id == number)


@contextmanager
def running(tmp_path: Path, *, workers: int = 2, trials: int = 8) -> Iterator[Watched]:
    """A run whose first trial has ended; the others have reported once and wait for a file called `go`."""
    write_job(tmp_path, trials=trials, workers=workers, train=STEPPED)
    text = (tmp_path / "task.yaml").read_text().replace('confirm: {function: "train.py:test", seeds: 3}', "")
    (tmp_path / "task.yaml").write_text(text)
    process = started("run", "task.yaml", cwd=tmp_path)
    watched = Watched(process, tmp_path / "runs" / "tiny")
    try:
        watched.until(lambda events: len(waiting(events)) == workers)
        yield watched
    finally:
        process.kill()
        process.wait()
        watched.store.close()


def waiting(events: list[Event]) -> set[int]:
    ended = {e.number for e in events if isinstance(e, TrialFinished)}
    return {e.number for e in events if isinstance(e, TrialStarted)} - ended - {0}


def test_a_running_study_is_steered_and_goes_on_alike_when_it_is_resumed(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        first, second = sorted(waiting(run.store.events()))
        killed = run.ask(Kill(number=first, reason="hopeless"))
        assert killed.ok and "counts as stopped early" in killed.reply
        run.until(lambda events: first not in waiting(events))
        (ended,) = [e for e in run.of(TrialFinished) if e.number == first]
        assert ended.outcome.state == "pruned" and ended.outcome.message.startswith(
            "ended by a person after step 1"
        )
        assert not run.ask(Kill(number=99)).ok
        assert run.ask(Pause()).ok
        narrowed = run.ask(Narrow(parameter="lr", low=1e-4, high=2e-4))
        assert narrowed.ok and "lr: 1e-5 to 1 is now 0.0001 to 0.0002" in narrowed.reply, narrowed.reply
        assert run.ask(ChangeBudget(more_trials=2)).ok
        prior = run.ask(SetPrior(parameter="width", best=100))
        assert prior.ok, prior.reply
        assert run.ask(Note(text="lr matters most")).ok
        tried = run.ask(Try(values={"lr": 1.5e-4}, fill=True))
        assert tried.ok and "Filled in: width=" in tried.reply
        assert "/widen" in run.ask(Narrow(parameter="lr", low=1e-6)).reply
        assert run.ask(Resume()).ok
        (tmp_path / "go").touch()
        run.process.communicate()
        assert run.process.returncode == 0
        steered, changed = run.of(Steered), run.of(TaskChanged)
        assert [type(e.command) for e in steered] == [Narrow, ChangeBudget, SetPrior]
        assert len(changed) == 1 and changed[0].version == 2
        before = [e for e in run.of(TrialStarted) if e.seq < changed[0].seq]
        assert sorted((*changed[0].carried, *changed[0].left)) == list(range(len(before)))
        later = [e for e in run.of(TrialStarted) if e.seq > changed[0].seq]
        assert later and all(1e-4 <= e.proposal.configuration["lr"] <= 2e-4 for e in later)
        assert len({e.number for e in run.of(TrialFinished)}) == 10
        assert [e.text for e in run.of(Noted) if e.by == "person"] == ["lr matters most"]
    # Resumed with the task file that says 8 trials and the wide range, it is the steered run that goes on.
    again = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    folder = RunFolder.open(tmp_path / "runs" / "tiny")
    assert folder.task.budget.trials == 10 and folder.task.space.parameters["lr"].high == 2e-4
    assert folder.given.budget.trials == 8 and [c.number for c in folder.record.active] == [1, 2, 3]
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    for name in ("tiny", "tiny@2"):
        study = optuna.load_study(study_name=name, storage=storage)
        assert all(trial.state.is_finished() for trial in study.trials), name
    # A newer word in the file wins for what it is about, and for nothing else.
    text = (tmp_path / "task.yaml").read_text()
    (tmp_path / "task.yaml").write_text(
        text.replace("low: 1e-5, high: 1,", "low: 1e-5, high: 0.5,").replace("trials: 8", "trials: 8")
    )
    assert tunesmith("run", "task.yaml", cwd=tmp_path).returncode == 0
    folder = RunFolder.open(tmp_path / "runs" / "tiny")
    assert folder.task.space.parameters["lr"].high == 0.5 and folder.task.budget.trials == 10
    assert [c.number for c in folder.record.active] == [2, 3]
    assert json.loads((folder.path / "steering.json").read_text())["replaced"] == [1]


@pytest.mark.slow
def test_changes_are_taken_back_one_by_one(tmp_path: Path) -> None:
    with running(tmp_path, workers=1) as run:
        assert run.ask(Freeze(parameter="width", value=20)).ok
        assert run.ask(Widen(parameter="lr", high=10)).ok
        assert not run.ask(AddChoice(parameter="lr", choices=(1,))).ok
        back = run.ask(Undo())
        assert back.ok and "taken back: lr" in back.reply
        assert "taken back: width" in run.ask(Undo()).reply
        assert not run.ask(Undo()).ok
        (tmp_path / "go").touch()
        run.process.communicate()
        assert run.process.returncode == 0
        assert [e.version for e in run.of(TaskChanged)] == [2, 3, 2, 1]
    store = FolderStore.create(tmp_path / "runs", RunFolder.open(tmp_path / "runs" / "tiny").given)
    found: list[Event] = []
    with store.lease():
        history = store.load(found.append)
        assert not [e for e in found if getattr(e, "what", "") == "repair"], found
    assert len(history.completed) == 8 and not history.earlier
    store.close()
