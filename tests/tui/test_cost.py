"""Cost: what is spent, left, unknown and still to come; the pane on its key."""

from __future__ import annotations

from rich.cells import cell_len

from fakes.hostile_text import hostile_texts
from fakes.tui_runs import Run, begun, ended, started
from tunesmith.budget import ConversationCaps, ModelCaps, ModelSpend
from tunesmith.events import Event, ModelCalled, RunFinished
from tunesmith.trial import Origin, TrialState
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.cost_view import cost_lines
from tunesmith.tui.facts import Facts
from tunesmith.tui.panes.cost import CostPane
from tunesmith.tui.spans import joined, plain
from tunesmith.tui.spending import DEAREST, MOST_PURPOSES
from tunesmith.tui.state import RunView

FACTS = Facts(
    trials=10, wall_time_s=3600, cost=20.0, model=ModelCaps(calls=60, tokens=300_000, dollars=2.0),
    conversation=ConversationCaps(),
)  # fmt: skip


def called(purpose: str, spend: ModelSpend, dollars: float | None, **changes: object) -> ModelCalled:
    given = dict(purpose=purpose, model="m", ok=True, seconds=2, prompt_tokens=900, completion_tokens=100)
    return ModelCalled(**(given | {"dollars": dollars, "spend": spend} | changes))  # type: ignore[arg-type]


def seen(events: list[Event], facts: Facts = FACTS, width: int = 100) -> str:
    view = RunView(facts)
    view.fold([event.model_copy(update={"at": 100.0 + place}) for place, event in enumerate(events)])
    return plain(joined(cost_lines(view, 700.0, width)))


def spent(calls: int, dollars: float | None) -> ModelSpend:
    return ModelSpend(calls=calls, prompt_tokens=900 * calls, completion_tokens=100 * calls, dollars=dollars)


def test_what_is_spent_and_left_and_what_the_rest_comes_to() -> None:
    text = seen(
        [
            begun(model="m"),
            started(0).model_copy(update={"cost": 4.0}),
            ended(0, 0.5),
            started(1).model_copy(update={"cost": 2.0}),
            ended(1, None, state=TrialState.PRUNED),
            called("briefing", spent(1, 0.1), 0.1),
            called("briefing", spent(2, 0.2), 0.1, ok=False, error="x"),
            called("conversation", spent(1, 0.01), 0.01, budget="conversation"),
        ]
    )
    assert "10m00 of 1h00  50m00 left" in text
    assert "trials       2 of 10  8 left" in text
    assert "2.0s a trial, 12 trials an hour" in text
    assert "1 completed 2.0s (50%) · 1 pruned 2.0s (50%)" in text
    assert "6 of 20  14 left" in text
    assert "3 a trial; 8 further trials about 24, and there is room for 4" in text
    assert "2/60 calls · 2k/300k tokens · $0.2000/2.00" in text
    assert "left: 58 calls, 298k tokens, $1.80" in text
    assert "1 model calls, 1k tokens, $0.1000 a trial" in text
    assert "8 further trials at that rate: about 8k tokens, $0.8000" in text
    assert "1/100 calls · 1k/600k tokens · $0.0100/1.00" in text
    assert "for briefing: 2 calls (1 failed), 2k tokens, $0.2000, 4.0s" in text
    assert "for conversation (talk): 1 call" in text
    assert text.index("#0 ") < text.index("#1 ") and "by cost" in text


def test_what_is_not_known_is_said_to_be_so_and_what_is_free_to_be_free() -> None:
    unknown = seen([begun(model="m"), called("briefing", spent(1, None), None)], Facts())
    assert "dollars unknown" in unknown and "no price is known for m" in unknown and "$0:" not in unknown
    local = seen([begun(model="m"), called("briefing", spent(1, 0.0), 0.0)], Facts())
    assert "$0: the model runs here, or its price is zero" in local
    none = seen([begun()], Facts())
    assert "no language model is in use" in none and "no limit" in none and "left" not in none
    over = seen([begun(), started(0), ended(0, 0.5), RunFinished(reason="done", status="finished")])
    assert "further trial" not in over and "the rest" not in over
    free = seen([begun(), started(0, origin=Origin.PREVIOUS), ended(0, 0.5)])
    assert "dearest" not in free


def test_what_is_kept_is_bounded_and_lines_fit() -> None:
    view = RunView(FACTS)
    words = list(hostile_texts().values())[::8]
    for number, text in enumerate(words):
        view.fold([begun(model=text), started(number), ended(number, 0.5)])
        view.fold([called(text, spent(number, None), None, model=text)])
    assert len(view.spending.dearest) == DEAREST and len(view.spending.purposes) <= MOST_PURPOSES + 1
    for width in (100, 30, 3):
        for line in cost_lines(view, 700.0, width):
            shown = plain(line)
            assert cell_len(shown) <= width and not any(ord(c) < 32 or c in "\u202e\u2066" for c in shown)


async def test_the_second_f6_shows_the_cost_and_scrolls(run: Run) -> None:
    run.tell(begun(model="m"), started(0), ended(0, 0.5), called("x", spent(1, None), None))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("f6", "f6")
        await pilot.pause()
        pane = app.query_one(CostPane)
        assert app.focused is pane and "no price is known for m" in pane.render().plain
        await pilot.press("end", "home")
        assert pane.render().plain.startswith("time ")
        run.tell(called("x", spent(7, None), None))
        while "7 calls" not in pane.render().plain and "7/" not in pane.render().plain:
            await pilot.pause(0.02)
