"""What a run has spent, from its log alone."""

from __future__ import annotations

import pytest

from fakes.inline_engine import SPACE
from tunesmith.budget import ModelSpend
from tunesmith.events import Event, ModelCalled, Noted, RunFinished, RunStarted
from tunesmith.history import History
from tunesmith.tools.records.log_reading import spent


def began(at: float) -> Event:
    return RunStarted(
        name="job", folder="/job", strategy="s", policy="p", model=None, workers=1, resumed=False, at=at
    )


def said(at: float) -> Event:
    return Noted(text="working", at=at)


def over(at: float) -> Event:
    return RunFinished(reason="so", status="stopped", at=at)


def called(at: float, calls: int) -> Event:
    return ModelCalled(
        purpose="test",
        model="m",
        ok=True,
        seconds=1.0,
        prompt_tokens=1,
        completion_tokens=1,
        dollars=0.0,
        spend=ModelSpend(calls=calls),
        at=at,
    )


NIGHT = 30_000.0


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ([], 0.0),
        ([began(100), said(103), over(110)], 10.0),
        ([began(100), said(107)], 7.0),
        ([began(100), over(110), began(NIGHT), over(NIGHT + 5)], 15.0),
        ([began(100), said(107), began(NIGHT), said(NIGHT + 2)], 9.0),
        ([began(100), over(110), called(112, 1), began(NIGHT), over(NIGHT + 5)], 15.0),
        ([began(100), said(107), said(103)], 7.0),
    ],
    ids=["new", "ended", "killed", "two sessions", "two, both killed", "a late call", "restored late"],
)
def test_time_is_that_of_the_sessions_not_of_the_nights_between(events: list[Event], seconds: float) -> None:
    assert spent(events, History(SPACE, "score", "maximize")).seconds == pytest.approx(seconds)


def test_a_model_call_counts_even_when_it_ended_after_the_run() -> None:
    events = [began(1), called(2, 3), over(4), called(5, 4)]
    assert spent(events, History(SPACE, "score", "maximize")).model.calls == 4
