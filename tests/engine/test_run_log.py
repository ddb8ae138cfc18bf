"""The log of a session: where it begins, where it ends, and who listens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.api.run_log import RunLog
from tunesmith.budget import ModelSpend
from tunesmith.events import Degraded, Event, ModelCalled, Noted, RunFinished, RunStarted
from tunesmith.tools.records.event_store import EventStore

REPAIR = Degraded(what="repair", where="records", cause="trial 3 has no result", continuation="it is lost")
BEGAN = RunStarted(name="job", folder="/job", strategy="s", policy="p", model=None, workers=1, resumed=False)
OVER = RunFinished(reason="so", status="finished")
CALLED = ModelCalled(
    purpose="test",
    model="m",
    ok=False,
    seconds=1.0,
    prompt_tokens=1,
    completion_tokens=0,
    dollars=None,
    spend=ModelSpend(calls=1),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def opened(path: Path) -> Iterator[RunLog]:
    log = RunLog(EventStore(path))
    yield log
    log.close()


def kinds(path: Path) -> list[str]:
    store = EventStore(path, create=False)
    try:
        return [event.kind for event in store.events()]
    finally:
        store.close()


def test_what_was_repaired_before_the_beginning_is_told_after_it(opened: RunLog, path: Path) -> None:
    opened.append(REPAIR)
    assert kinds(path) == []
    opened.append(BEGAN)
    assert kinds(path) == ["run_started", "degraded"]


def test_repairs_of_a_run_that_never_began_are_not_lost(opened: RunLog, path: Path) -> None:
    opened.append(REPAIR)
    opened.close()
    opened.close()
    assert kinds(path) == ["degraded"]


def test_after_the_end_only_what_costs_money_is_stored(opened: RunLog, path: Path) -> None:
    for event in (BEGAN, OVER, Noted(text="I was still thinking"), CALLED, OVER):
        opened.append(event)
    assert kinds(path) == ["run_started", "run_finished", "model_called", "run_finished"]


def test_who_was_left_behind_does_not_open_a_closed_log_again(opened: RunLog, path: Path) -> None:
    opened.append(BEGAN)
    opened.close()
    opened.append(CALLED)
    assert kinds(path) == ["run_started"]


def test_a_listener_that_fails_is_not_called_again_and_loses_no_event(path: Path) -> None:
    received: list[Event] = []
    noticed: list[Exception] = []

    def listen(event: Event) -> None:
        received.append(event)
        raise ZeroDivisionError("my plot")

    log = RunLog(EventStore(path), listen)
    log.on_fault = noticed.append
    for event in (BEGAN, Noted(text="on it goes"), OVER):
        log.append(event)
    log.close()
    assert len(received) == 1 and received[0].seq == 1
    assert noticed == [log.fault] and isinstance(log.fault, ZeroDivisionError)
    assert kinds(path) == ["run_started", "noted", "run_finished"]
