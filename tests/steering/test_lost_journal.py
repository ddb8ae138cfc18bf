"""A journal that is taken away has the studies of all spaces again: at once, and in the next session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fakes.inline_engine import EngineMaker, InlineExecutor, completed
from tunesmith.commands import Freeze, Narrow, Undo
from tunesmith.events import Degraded
from tunesmith.tools.execution.base import Job

Studies = dict[str, list[tuple[int, str, dict[str, Any], list[float] | None]]]


def studies(journal: Path) -> Studies:
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return {
        found.study_name: [
            (t.number, t.state.name, t.params, t.values)
            for t in optuna.load_study(study_name=found.study_name, storage=storage).trials
        ]
        for found in optuna.get_all_study_summaries(storage)
    }


def steered(runs: Path, then: Callable[[Path], None]) -> tuple[EngineMaker, Studies]:
    """A run of 7 trials: narrowed during trial 2, frozen during 3, taken back during 5; `then` in 2 and 4."""
    maker = EngineMaker(runs)
    commands = {2: Narrow(parameter="x", low=0.4), 3: Freeze(parameter="k", value=2), 5: Undo()}
    asked: dict[int, int] = {}

    def train(job: Job) -> Any:
        log = maker.store.events
        if job.number in commands and job.number not in asked:
            asked[job.number] = log.post(commands[job.number])
        if job.number in asked and log.command_status(asked[job.number]).status == "pending":
            return None
        if job.number in (2, 4):
            then(maker.store.folder.journal)
        return completed(job)

    engine = maker.engine(executor=InlineExecutor(1, train), budget={"trials": 7})
    with maker.store.lease():
        assert engine.run().status == "finished"
    return maker, studies(maker.store.folder.journal)


def test_studies_of_earlier_spaces_are_made_again_with_the_journal(tmp_path: Path) -> None:
    maker, whole = steered(tmp_path / "whole", lambda journal: None)
    assert set(whole) == {"job", "job@2", "job@3"} and [len(trials) for trials in whole.values()] == [3, 7, 6]
    assert all(state != "RUNNING" for trials in whole.values() for _, state, _, _ in trials)
    journal = maker.store.folder.journal
    for rest in (b"", journal.read_bytes()[:400]):  # it is gone, or torn
        journal.write_bytes(rest) if rest else journal.unlink()
        maker.engine(budget={"trials": 7})
        assert studies(journal) == whole
        before = len(maker.events(Degraded))
        maker.engine(budget={"trials": 7})
        assert len(maker.events(Degraded)) == before, "nothing is left to repair"
    maker.close()
    maker, again = steered(tmp_path / "taken", Path.unlink)
    assert again == whole
    maker.close()
