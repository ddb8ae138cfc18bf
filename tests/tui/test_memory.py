"""What the terminal keeps of a long run is bounded: counted, not timed."""

from __future__ import annotations

import math
import sys

from fakes.tui_runs import Run, begun, ended, started
from tunesmith.events import Noted, TrialReported
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.chat_view import MOST_ITEMS
from tunesmith.tui.curve_points import MOST_ENDED, PackedCurve, ended_curve
from tunesmith.tui.facts import Facts
from tunesmith.tui.state import RunView
from tunesmith.tui.widgets.chat_log import MOST_WRAPPED, ChatLog

REPORTS = 3_000


def test_of_the_curve_of_a_trial_that_ended_few_points_are_kept_and_they_are_packed() -> None:
    view = RunView(Facts(trials=16))
    view.fold([begun()])
    for number in range(4):
        view.fold([started(number)])
        view.fold(
            TrialReported(number=number, step=step, value=math.sin(step)) for step in range(1, REPORTS + 1)
        )
        view.fold([ended(number, 0.5)])
    for trial in view.trials.values():
        assert 2 <= len(trial.curve) <= MOST_ENDED
        assert isinstance(trial.curve, PackedCurve)
        held = sum(sys.getsizeof(getattr(trial.curve, name)) for name in PackedCurve.__slots__)
        assert held <= 16 * MOST_ENDED + 200


def test_a_kept_curve_has_its_ends_and_its_peaks_in_order() -> None:
    curve = [(step, 0.5) for step in range(10_000)]
    curve[4_321], curve[7_777], curve[5] = (4_321, 9.0), (7_777, -9.0), (5, math.nan)
    kept = list(ended_curve(curve))
    assert len(kept) <= MOST_ENDED
    assert (kept[0], kept[-1]) == (curve[0], curve[-1])
    assert {curve[4_321], curve[7_777]} <= set(kept)
    assert [step for step, _ in kept] == sorted({step for step, _ in kept})


def test_a_short_curve_is_kept_whole_and_so_are_steps_that_no_machine_integer_holds() -> None:
    assert ended_curve([(1, 0.25), (2, 0.5)]) == [(1, 0.25), (2, 0.5)]
    assert list(ended_curve([(1, 0.25), (10**30, math.inf)])) == [(1, 0.25), (10**30, math.inf)]
    nowhere = [(step, math.nan) for step in range(1_000)]
    assert 2 <= len(ended_curve(nowhere)) <= MOST_ENDED


def test_a_report_after_the_end_is_taken() -> None:
    view = RunView(Facts(trials=16))
    view.fold([begun(), started(0), TrialReported(number=0, step=1, value=0.1), ended(0, 0.5)])
    known = len(view.trials[0].curve)
    view.fold([TrialReported(number=0, step=99, value=0.9)])
    assert len(view.trials[0].curve) == known + 1
    assert view.trials[0].curve[-1] == (99, 0.9)


async def test_of_entries_that_were_in_sight_the_lines_are_not_kept(run: Run) -> None:
    notes = 3 * MOST_WRAPPED
    run.tell(begun(), *(Noted(text=f"note {k} of many") for k in range(notes)))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(100, 30)):
        await app.settled()
        log = app.query_one(ChatLog)
        for _ in range(2):
            said = log.text
            assert all(f"note {k} of many" in said for k in range(notes))
        assert sum(block.lines is not None for block in log._blocks.values()) <= MOST_WRAPPED
        for k in range(2 * MOST_ITEMS):
            app.view.add_reply(((f"reply {k}", ""),))
            if k % 200 == 0:
                app._draw()
        app._draw()
        assert len(log._blocks) == len(app.view.chat.items) < 2 * MOST_ITEMS
