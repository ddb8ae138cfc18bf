"""A picture of the terminal app, made by the app itself: for the README."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.widgets.trial_table import TrialTable

BELIEFS_WAIT = 300
"""Tenths of a second that a picture waits for what the run believes."""


def write_picture(
    folder: Path, path: Path, size: tuple[int, int] = (120, 36), *, beliefs: bool = True
) -> None:
    """Open the run in `folder` without a terminal, choose its best trial, and write the screen as SVG.

    Args:
        folder: A run folder; finished or not.
        path: The SVG to write.
        size: Columns and rows.
        beliefs: Whether to work out and show what the run believes.
    """
    asyncio.run(_write(Path(folder), Path(path), size, beliefs))


async def _write(folder: Path, path: Path, size: tuple[int, int], beliefs: bool) -> None:
    app = TunesmithApp(folder, beliefs=beliefs)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        for _ in range(BELIEFS_WAIT if beliefs else 0):
            if app.view.beliefs is not None or app.without_beliefs:
                break
            await asyncio.sleep(0.1)
        await pilot.pause(0.2)
        if app.view.best is not None:
            app.query_one(TrialTable).choose(app.view.best)
            await pilot.pause()
        svg = app.export_screenshot(title=f"tunesmith chat {folder.name}")
    path.write_text(svg, encoding="utf-8")
