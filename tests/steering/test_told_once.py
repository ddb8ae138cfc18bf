"""A change by a command is told once, by its reply, wherever a run is watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.inline_engine import EngineMaker, InlineExecutor
from tunesmith.api.steering import EndedRun
from tunesmith.cli.stream import Stream
from tunesmith.commands import Narrow
from tunesmith.events import CommandDone, Event, Noted, Steered, TaskChanged
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tui.facts import Facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView


def test_a_narrowed_range_is_one_entry_that_says_it_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = EngineMaker(tmp_path)
    engine = maker.engine(executor=InlineExecutor())
    with maker.store.lease():
        engine.run()
    maker.close()
    store, events = FolderStore(RunFolder.open(tmp_path / "job")), list[Event]()
    with store.lease():
        ended = EndedRun(store, store.load(store.events.append), lambda event: events.append(event) or event)
        reply = ended.steer(1, Narrow(parameter="x", low=0.4))
        kept = sum(t.configuration["x"] >= 0.4 for t in ended.history)
    events.append(CommandDone(command_id=1, command="narrow", ok=True, reply=reply))
    assert [type(event) for event in events] == [Steered, TaskChanged, CommandDone]
    counts = f"Search space 2: of 5 earlier trials {kept} {'counts' if kept == 1 else 'count'}."
    assert "x: 0 to 1 is now 0.4 to 1" in reply and counts in reply

    note = Noted(text="lr is the learning rate", by="person")
    done = CommandDone(command_id=2, command="note", ok=True, reply="Noted.")
    view = RunView(Facts())
    view.fold([*events, note, done])
    assert [plain(item.spans) for item in view.chat.items] == [reply, f"note: {note.text}"]
    capsys.readouterr()
    stream = Stream(maker.task())
    for event in (*events, note, done):
        stream.show(event)
    assert capsys.readouterr().out.splitlines() == [f"  > narrow: {reply}", f"  note: {note.text}"]

    told = events[1]  # by a changed task file: no command's reply tells of it
    view.fold([told])
    stream.show(told)
    assert "changed: x" in plain(view.chat.items[-1].spans) and "Search space 2" in plain(
        view.chat.items[-1].spans
    )
    assert "changed: x" in capsys.readouterr().out
