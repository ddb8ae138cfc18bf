"""A picture of the terminal app, made by the app itself: for the README."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.widgets.trial_table import TrialTable


def write_picture(folder: Path, path: Path, size: tuple[int, int] = (120, 36)) -> None:
    """Open the run in `folder` without a terminal, choose its best trial, and write the screen as SVG.

    Args:
        folder: A run folder; finished or not.
        path: The SVG to write.
        size: Columns and rows.
    """
    asyncio.run(_write(Path(folder), Path(path), size))


async def _write(folder: Path, path: Path, size: tuple[int, int]) -> None:
    app = TunesmithApp(folder)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await pilot.pause()
        if app.view.best is not None:
            app.query_one(TrialTable).choose(app.view.best)
            await pilot.pause()
        svg = app.export_screenshot(title=f"tunesmith chat {folder.name}")
    path.write_text(svg, encoding="utf-8")
