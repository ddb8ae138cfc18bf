"""The pane of plots in the app."""

from __future__ import annotations

from fakes.tui_runs import Run, begun, started, trials
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
