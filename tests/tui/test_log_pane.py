"""The end of a trial's log: literal, bounded and followed."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Static

from fakes.tui_runs import Run, begun, started
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.log_view import log_tail
from tunesmith.tui.panes.log import LogPane


def test_a_hostile_log_is_literal_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(
        b"first\n" * 50_000 + b"\xff\xfe \x1b]0;title\x07\x1b[2J[red]x[/]\x00\n" + b"w" * 9_000 + b"\nlast\n"
    )
    text = log_tail(path)
    assert text is not None and text.endswith("last") and "[red]x[/]" in text
    assert len(text) < 20_100 and len(text.split("\n")) <= 201
    assert not any(ord(c) < 32 and c != "\n" for c in text) and "characters more" in text
    assert log_tail(tmp_path / "none") is None and log_tail(tmp_path) is None


async def test_the_log_of_the_chosen_trial_is_followed_while_it_runs(run: Run) -> None:
    run.tell(begun(), started(0))
    folder = run.folder / "trials" / "00000"
    folder.mkdir(parents=True)
    log = folder / "log.txt"
    log.write_text("epoch 1\n")
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.press("f2", "l")
        pane = app.query_one(LogPane)

        def shown() -> str:
            return str(pane.query_one("#log-text", Static).render())

        while "epoch 1" not in shown():
            await pilot.pause(0.02)
        log.write_text("epoch 1\nepoch 2 [b]\n")
        while "epoch 2" not in shown():
            await pilot.pause(0.02)
        assert shown().endswith("epoch 1\nepoch 2 [b]")
