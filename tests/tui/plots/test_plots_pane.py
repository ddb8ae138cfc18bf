"""The pane of plots in the app."""

from __future__ import annotations

from fakes.drawn_beliefs import belief, beliefs
from fakes.tui_runs import Run, begun, ended, started, trials
from tunesmith.events import TrialReported
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.panes.plots import PLOTS, PlotsPane
from tunesmith.tui.spans import plain


async def test_f4_opens_the_plots_and_keys_go_through_them(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]), started(2))
    run.tell(*(TrialReported(number=2, step=step, value=step / 10) for step in range(1, 6)))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.press("f4")
        await pilot.pause()
        pane = app.query_one(PlotsPane)

        def drawn() -> str:
            return "\n".join(plain(line) for line in pane.lines)

        assert "best val_accuracy so far" in drawn() and "★" in drawn()
        await pilot.press("right")
        assert pane.plot == "curves" and "a #2 0.5000 running" in drawn()
        for digit, name in enumerate(PLOTS, 1):
            await pilot.press(str(digit))
            assert pane.plot == name and drawn().strip()
        await pilot.press("right")
        assert pane.plot == PLOTS[0]


async def test_c_in_the_table_puts_a_trial_s_curve_over_the_others(run: Run) -> None:
    curve = tuple((step, step / 20) for step in range(1, 11))
    run.tell(begun())
    for number in range(8):
        run.tell(started(number), ended(number, 0.5 + number / 100, improved=True, curve=curve))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(160, 48)) as pilot:
        await app.settled()
        await pilot.press("f2", "home", "c", "down", "c", "f4", "2")
        await pilot.pause()
        pane = app.query_one(PlotsPane)
        legend = plain(pane.lines[-1])
        marked = sorted(pane.selection.marked)
        assert len(marked) == 2 and all(f"#{number} " in legend for number in marked)
        await pilot.press("f2", "c", "f4")
        await pilot.pause()
        assert len(pane.selection.marked) == 1


async def test_importance_and_slices_follow_what_the_run_believes(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.press("f4", "3")
        await pilot.pause()
        pane = app.query_one(PlotsPane)
        for share in (0.25, 0.75):
            app.view.believe(beliefs(belief("learning_rate", share), belief("width", 0.1)))
            pane.show(app.view, app.view.take_changes())
            assert f"{share:.0%}" in plain(pane.lines[1])
        await pilot.press("4")
        assert "75% of variance" in plain(pane.lines[0])
