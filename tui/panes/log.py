"""The end of the log of one trial, followed while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tunesmith.tools.records.trial_folder import LOG
from tunesmith.trial import TrialState
from tunesmith.tui import theme
from tunesmith.tui.log_view import log_mark, log_tail
from tunesmith.tui.panes.base import Hints, Pane
from tunesmith.tui.state import Changes, RunView

READ_EVERY_S = 1.0


class LogPane(Pane):
    NAME = "log"
    TITLE = "Log"
    KEY = "f5"
    HELP = (
        "The last lines that the trial under the cursor has printed, else those of the best; they are read "
        "again every second while it runs."
    )
    DEFAULT_CSS = "LogPane VerticalScroll { height: 1fr; padding: 0 1; } LogPane Static { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._number: int | None = None
        self._state = TrialState.RUNNING
        self._shown = ""
        self._mark: object = None
        """Which log was read last, and `log_mark` of it."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="log-scroll"):
            yield Static(id="log-text", markup=False)

    def on_mount(self) -> None:
        self.set_interval(READ_EVERY_S, self._read_again)

    def show(self, view: RunView, changes: Changes) -> None:
        number = self.selection.trial(view)
        state = TrialState.RUNNING if number is None else view.trials[number].state
        if number is not None and (number, state) != (self._number, self._state):
            self._number, self._state = number, state
            self.caption(f"of trial {number}")
            self._read(number)

    def hints(self) -> Hints:
        return (("↑↓", "scroll"),)

    def _read_again(self) -> None:
        if self._number is not None and self._state is TrialState.RUNNING and self.display:
            self._read(self._number)

    @work(exclusive=True, group="log", exit_on_error=False)
    async def _read(self, number: int) -> None:
        folder: Path | None = getattr(self.app, "folder", None)
        if folder is None:
            return
        path = folder / "trials" / f"{number:05d}" / LOG
        mark = (number, await asyncio.to_thread(log_mark, path))
        if mark == self._mark:
            return
        text = await asyncio.to_thread(log_tail, path)
        if number != self._number:
            return
        self._mark = mark
        text = "this trial has no log" if text is None else text or "nothing printed so far"
        if text != self._shown:
            self._shown = text
            scroll = self.query_one(VerticalScroll)
            at_end = scroll.scroll_offset.y >= scroll.max_scroll_y
            self.query_one(Static).update(theme.text(((text, ""),)))
            if at_end:
                scroll.scroll_end(animate=False)
