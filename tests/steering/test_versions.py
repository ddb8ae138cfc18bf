"""Versions of the space of a run, with who made them and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.inline_engine import EngineMaker, InlineExecutor
from tunesmith.api.steering import EndedRun
from tunesmith.cli.stream import Stream
from tunesmith.commands import ChangeBudget, Narrow, Undo
from tunesmith.events import RunStarted
from tunesmith.steering.versions import space_versions, versions_text
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.report.lineage import lineage_part


def test_each_space_says_who_made_it_why_and_how_much_of_it_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = EngineMaker(tmp_path)
    with maker.engine(executor=InlineExecutor())._store.lease():
        pass
    engine = maker.engine(executor=InlineExecutor())
    with maker.store.lease():
        engine.run()
    maker.close()
    store = FolderStore(RunFolder.open(tmp_path / "job"))
    with store.lease():
        ended = EndedRun(store, store.load(store.events.append), store.events.append)
        assert "x: 0 to 1 is now 0.4 to 1" in ended.steer(1, Narrow(parameter="x", low=0.4))
        first, second = space_versions(store.folder.lineage, store.steered, ended.history)
        inside = sum(t.configuration["x"] >= 0.4 for t in ended.history)
        assert (first.version, first.by, first.why, first.trials, first.legal) == (
            1,
            "task file",
            (),
            5,
            inside,
        )
        assert (second.version, second.by, second.first_trial, second.trials) == (2, "person", 5, 0)
        assert second.why == ("x: 0 to 1 is now 0.4 to 1",) and second.at
        text = versions_text((first, second))
        assert text.startswith(
            f"Space 1, from trial 0, by the task file: 5 trials, of which {inside} count.\n"
        )
        assert "Space 2 (now), from trial 5, by a command of " in text and text.endswith(
            ": x: 0 to 1 is now 0.4 to 1: no trial."
        )
        part = lineage_part(store.folder, ended.history, lambda text, *_, **__: text)
        assert part.spaces[1].changes == ("x: 0 to 1 is now 0.4 to 1 (by a person's command)",)
        assert part.spaces[1].by == "person" and part.spaces[1].at is not None
        assert 0 < part.spaces[0].legal <= part.spaces[0].trials
        ended.steer(2, Undo())
        last = space_versions(store.folder.lineage, store.steered, ended.history)[-1]
        assert last.version == 1 and last.why == ("taken back: x: 0 to 1 is now 0.4 to 1",)
        ended.steer(3, Narrow(parameter="x", low=0.2))
        ended.steer(4, ChangeBudget(more_trials=1))
    store.close()
    # The run's own task file is the task as run: continued by it, nothing gives way.
    for task in (RunFolder.open(tmp_path / "job").task, maker.task()):
        again = RunFolder.create(tmp_path, task)
        assert [c.number for c in again.record.active] == [3, 4] and not again.told
        assert again.task.space.parameters["x"].low == 0.2 and again.task.budget.trials == 6
        assert again.given.space.parameters["x"].low == 0.0 and again.given.budget.trials == 5
    # What is printed when it goes on is the task as run, though the file says another.
    store = FolderStore(RunFolder.open(tmp_path / "job"))
    with store.lease():
        store.load(store.events.append)
        stream = Stream(maker.task())
        about = {"name": "job", "folder": str(store.path), "strategy": "s", "policy": "rules", "model": None}
        stream.show(RunStarted(**about, workers=1, resumed=True))
        printed = capsys.readouterr().out
        assert "in 6 trials" in printed and "x: a number from 0.2 to 1" in printed, printed
        assert "Changed by commands, and in force:\n  x: 0 to 1 is now 0.2 to 1\n" in printed
        ended = EndedRun(store, store.load(store.events.append), lambda event: stream.show(event) or event)
        ended.steer(9, ChangeBudget(more_trials=3))
        assert stream.task.budget.trials == 9
    store.close()
