"""A session that is killed while it carries out a change, and changes of a run that has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.inline_engine import EngineMaker, InlineExecutor
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.commands import ChangeBudget, Freeze, Narrow, SetPrior, Undo
from tunesmith.errors import RunError
from tunesmith.events import CommandDone, Steered, TaskChanged
from tunesmith.tools.engine import steering
from tunesmith.tools.records import folder_store, run_folder


class Killed(BaseException):
    """The process is gone."""


def kill(*args: object, **kwargs: object) -> None:
    raise Killed


POINTS = {
    "lineage": (run_folder, "write_lineage"),
    "study": (folder_store.FolderStore, "_fill"),
    "Steered": (steering, "steered"),
    "TaskChanged": (folder_store.FolderStore, "task_changed"),
    "memory": (RandomStrategy, "__init__"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_change_that_was_begun_is_in_force_in_the_next_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    maker = EngineMaker(tmp_path)
    first = maker.engine(executor=InlineExecutor())
    store = maker.store
    with store.lease():
        first.run()
        command = store.events.post(Narrow(parameter="x", low=0.4))
        with monkeypatch.context() as patched:
            patched.setattr(*POINTS[point], kill)
            if point == "memory":
                patched.setattr(type(first), "_rebuild_parts", kill)
            first._inbox.searching = True
            with pytest.raises(Killed):
                first.asked_to_stop()
    with folder_store.FolderStore.create(tmp_path, maker.task(budget={"trials": 7})).lease():
        pass  # as a session begins
    second = maker.engine(budget={"trials": 7})
    assert second.task.space.parameters["k"].high == 4
    folder = maker.store.folder
    assert folder.task.space.parameters["x"].low == 0.4 and second.history.space == folder.task.space
    assert [e.change for e in maker.events(Steered)] == [1]
    assert [e.version for e in maker.events(TaskChanged) if e.space] == [2]
    steering.answer_late(maker.store.events, maker.store.steered)
    status = maker.store.events.command_status(command)
    assert status.status == "done" and "x: 0 to 1 is now 0.4 to 1" in status.reply
    maker.close()


def test_priors_are_refused_where_the_method_takes_none_and_a_spent_budget_ends_the_run(
    tmp_path: Path,
) -> None:
    maker = EngineMaker(tmp_path)
    engine = maker.engine(executor=InlineExecutor(), budget={"trials": 50})
    with maker.store.lease():
        posted = [
            SetPrior(parameter="x", best=0.5),
            ChangeBudget(trials=1),
            Freeze(parameter="k", value=3),
            Undo(),
        ]
        for command in posted:
            maker.store.events.post(command)
        ended = engine.run()
    done = maker.events(CommandDone)
    assert [e.ok for e in done] == [False, True, True, True] and "takes no priors" in done[0].reply
    assert ended.status == "finished" or ended.by_budget
    assert len(ended.history) == 1
    assert [c.number for c in maker.store.steered.active] == [1]
    maker.close()


def test_a_damaged_record_of_changes_is_named(tmp_path: Path) -> None:
    maker = EngineMaker(tmp_path)
    maker.engine(executor=InlineExecutor())
    with maker.store.lease():
        pass
    (maker.store.path / "steering.json").write_text('{"changes": 3}')
    with pytest.raises(RunError, match="steering.json cannot be read"):
        maker.engine()
    maker.close()
