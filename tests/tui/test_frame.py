"""Palette, themes, no colour and what is kept of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.segment import Segment

from fakes.tui_runs import Run, begun, trials
from tunesmith.tui import theme
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.hints import hint_line
from tunesmith.tui.panes.base import Pane
from tunesmith.tui.settings import Settings
from tunesmith.tui.spans import plain
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.status_line import StatusLine
from tunesmith.tui.widgets.title_bar import TitleBar


def kept() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "tunesmith" / "terminal.json"


def cells(app: TunesmithApp) -> list[Segment]:
    """Every segment on the screen, as it would be written."""
    return [
        segment
        for strip in app.screen._compositor.render_strips()
        for segment in strip.apply_filter(app._filters[-1], app.screen.styles.background)
    ]


async def test_the_palette_reaches_panes_themes_and_commands_and_the_choice_is_kept(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(200, 60)) as pilot:
        await app.settled()
        names = [command.title for command in app.get_system_commands(app.screen)]
        for pane in app.query(Pane):
            assert any(name.startswith(f"Pane: {pane.TITLE}") for name in names) == (pane.NAME != "front")
        assert {"Theme: tunesmith-light", "Theme: tunesmith-contrast", "Theme: ansi-dark"} <= set(names)
        assert any(name.startswith("/why") for name in names) and any("/pause" in name for name in names)
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        assert "Expected" not in "".join(s.text for s in cells(app)) and app.is_running
        await pilot.press(*"tunesmith-light")
        await pilot.pause(0.3)
        await pilot.press("down", "enter")
        while app.theme != "tunesmith-light":
            await pilot.pause(0.05)
        await pilot.pause()
        light = theme.style("best").color
        assert light is not None and light.name == "#8a5a00"
        await pilot.press("f2", "x")
        await pilot.pause()
        assert json.loads(kept().read_text()) == {"theme": "tunesmith-light", "hidden": ["trials"]}
        app._offer("/why")
        assert app.query_one(Prompt).value == "/why" and app.focused is app.query_one(Prompt)
    again = TunesmithApp(run.folder)
    async with again.run_test(size=(200, 60)) as pilot:
        await again.settled()
        await pilot.pause()
        assert again.theme == "tunesmith-light" and not again.query_one("#trials").display
        again.action_show_all()
        await pilot.pause()
        assert again.query_one("#trials").display


async def test_without_colours_nothing_has_one_and_the_cursor_is_still_seen(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.press("f2")
        await pilot.pause()
        drawn = cells(app)
        coloured = [
            s
            for s in drawn
            if s.style and any(c and not c.is_default for c in (s.style.color, s.style.bgcolor))
        ]
        assert not coloured
        reversed_ = "".join(s.text for s in drawn if s.style and s.style.reverse)
        assert "0.7000" in reversed_ and "0.5000" not in reversed_


@pytest.mark.parametrize(
    "text",
    ["", "[]", "nonsense", '{"theme": 3, "hidden": {"a": 1}}', '{"theme": "no such", "hidden": [1, "talk"]}'],
)
async def test_a_damaged_file_of_settings_is_the_same_as_none(run: Run, text: str) -> None:
    kept().parent.mkdir(parents=True)
    kept().write_text(text)
    assert isinstance(Settings.read(), Settings)
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.theme == "tunesmith" and app.query_one("#talk").display


def test_hints_that_have_no_room_are_left_out_whole() -> None:
    hints = (("s", "sort"), ("f", "filter"), ("g", "group"))
    assert plain(hint_line(hints, 200, (("^q", "quit"),))) == "s sort  f filter  g group  ^q quit"
    for width in range(60):
        line = plain(hint_line(hints, width, (("^q", "quit"),)))
        assert line.endswith("^q quit") and (len(line) <= width or line == "^q quit")


async def test_other_themes_can_be_drawn(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        for name in ("tunesmith-contrast", "ansi-light", "nord", "tunesmith"):
            app.theme = name
            await pilot.pause()
            assert app.is_running


async def test_the_title_keeps_the_name_of_the_run_apart_from_what_is_tuned(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(60, 24)) as pilot:
        await app.settled()
        app.query_one(TitleBar).tell((("maximize val_accuracy · gp · " + "m" * 60, "dim"),))
        await pilot.pause()
        first = app.screen._compositor.render_strips()[0].text
        assert " tunesmith  digits  maximize val_accuracy" in first and len(first) == 60


async def test_a_long_log_says_how_far_it_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.tui.feed.MOST_EVENTS", 4)
    monkeypatch.setattr("tunesmith.tui.app.CATCHING_UP_S", -1.0)
    run.tell(begun(), *trials([0.1 * k for k in range(10)]))
    app = TunesmithApp(run.folder)
    said: list[str] = []
    draw = app._draw_status

    def drawn() -> None:
        draw()
        said.append(app.query_one(StatusLine).render().plain)

    monkeypatch.setattr(app, "_draw_status", drawn)
    async with app.run_test(size=(200, 60)):
        await app.settled()
        reading = [line for line in said if "reading the log: " in line]
        shares = [int(line.split("reading the log: ")[1].split(" %")[0]) for line in reading]
        assert len(shares) >= 3 and shares == sorted(shares) and 0 < shares[0] < shares[-1] <= 100
        assert "reading the log" not in said[-1] and len(app.view.trials) == 10
