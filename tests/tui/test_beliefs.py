"""The pane of beliefs, and the process that works them out."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil

from fakes.tui_runs import Run, begun, trials
from tunesmith.beliefs import Beliefs, ParameterBelief, Source
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.belief_feed import BeliefFeed
from tunesmith.tui.panes.beliefs import BeliefsPane
from tunesmith.tui.spans import plain
from tunesmith.tui.summary_view import summary


def believed(name: str = "lr") -> Beliefs:
    def one(name: str, importance: float) -> ParameterBelief:
        return ParameterBelief(
            name=name, kind="bool", ticks=("False", "True"), prior=(0.5, 0.5), posterior=(0.2, 0.8),
            expected="True", low="", high="", probability=0.8, moved="", importance=importance,
            sources=(Source(name="results", weight=1.0),),
        )  # fmt: skip

    return Beliefs(
        finished=3, used=3, basis="a Gaussian process", metric="m", parameters=(one(name, 0.7), one("b", 0.3))
    )


def feed_of(tmp_path: Path, code: str) -> BeliefFeed:
    feed = BeliefFeed(tmp_path, lambda: 1)
    feed.command = (sys.executable, "-c", code)
    return feed


async def test_beliefs_are_drawn_and_one_is_opened_by_keys(run: Run) -> None:
    run.tell(begun())
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.settled()
        app.view.believe(believed("[bold]lr"))
        await pilot.press("f3")
        await pilot.pause(0.3)
        pane = app.query_one(BeliefsPane)
        assert pane.has_focus and "› [bold]lr" in pane.render().plain and "True (80%)" in pane.render().plain
        await pilot.press("down", "enter")
        assert pane.render().plain.startswith("b  bool") and "results of this run" in pane.render().plain
        await pilot.press("left", "up")
        assert "› [bold]lr" in pane.render().plain


async def test_the_process_is_started_again_once_and_its_death_told(tmp_path: Path) -> None:
    taken: list[Beliefs] = []
    why = await feed_of(tmp_path, "raise SystemExit('no disk')").follow(taken.append)
    assert why == "its process ended with exit code 1: no disk" and not taken


async def test_values_are_taken_and_the_process_ends_with_who_reads_it(tmp_path: Path) -> None:
    line = believed().model_dump_json()
    feed = feed_of(tmp_path, f"import time\nprint({line!r}, flush=True)\ntime.sleep(600)")
    got: asyncio.Queue[Beliefs] = asyncio.Queue()
    task = asyncio.create_task(feed.follow(got.put_nowait))
    assert await got.get() == believed()
    assert feed.process is not None
    process = psutil.Process(feed.process.pid)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        await asyncio.sleep(0.05)


async def test_the_process_has_ended_when_the_app_has(tmp_path: Path) -> None:
    line = believed().model_dump_json()
    feed = feed_of(tmp_path, f"import time\nprint({line!r}, flush=True)\ntime.sleep(600)")
    got: asyncio.Queue[Beliefs] = asyncio.Queue()
    task = asyncio.create_task(feed.follow(got.put_nowait))
    await got.get()
    assert feed.process is not None
    process = feed.process
    await feed.end()
    assert process.returncode is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await feed.end()  # nothing left to end


async def test_what_is_believed_stands_above_the_panes_at_every_size(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(200, 60)) as pilot:
        await app.settled()
        assert not any(plain(line).startswith("believes") for line in summary(app.view))
        app.view.believe(believed("[bold]lr"))
        for size in ((200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            app._draw()
            await pilot.pause()
            line = next(s.text for s in app.screen._compositor.render_strips() if "believes" in s.text)
            expected = "believes  best near [bold]lr True (80 %), b True (80 %); matters: [bold]lr 7"
            assert line.strip().startswith(expected)
