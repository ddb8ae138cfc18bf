"""How the terminal bears a long run: `python -P benchmarks/terminal/measure.py [TRIALS...]`.

Makes run folders of 100 and of 10,000 ended trials with ten reports each, and opens them at 200x60 without a
terminal, while four further trials report ten times a second. Printed for each, with the ratio of the two:

- first paint: from making the app until its first screen is drawn, in ms; until the run's first trials are on
  it, in ms; until the whole log is read, in s. The imports before that are told once, in s of a new process;
- key to paint: p50, p95 and the largest of 60 `up` keys in the table of trials, from the key to the end of
  the drawing it caused, in ms, and of 12 keys that sort by another column;
- plots: median and largest for every plot with eight trials marked, from its key to the end of the drawing,
  in ms, each time after a change of the run, so that its data are reduced again;
- memory: what Python holds of the whole app, its conversation and panes drawn, in MiB: after one and after
  eight simulated hours in which four trials of 20 minutes report once a second each, and how much of the
  growth there is per trial; without what Rich and Textual keep in caches of a fixed number of entries, which
  fill in the first hours (3 MiB at most here).

Absolute numbers belong to a machine and to what else runs there; the ratios are what to compare.
One run on two quiet cores, 100 and 10,000 trials: first paint 145 and 115 ms after 1.1 s of imports,
`up` 17/44/45 and 40/68/74 ms (p50/p95/largest), sort 17/39/39 and 30/73/73 ms; at 10,000 trials the
largest of a plot is 39 to 101 ms, of the timeline 144 ms. Memory: 0.5 and 2.3 MiB, 21 KiB a trial while
the rows and lines that are kept (200 each) and the entries of the talk (2,000) are not all there; about
5 KiB a trial from then on.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from tunesmith.events import Event, RunStarted, TrialFinished, TrialReported, TrialStarted
from tunesmith.tools.records.event_store import EventStore
from tunesmith.trial import Configuration, Origin, Outcome, Proposal, TrialState
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.facts import read_facts
from tunesmith.tui.panes.plots import PLOTS, PlotsPane
from tunesmith.tui.state import Changes
from tunesmith.tui.widgets.trial_table import TrialTable

TASK = """
name: long
metric: val_accuracy
direction: maximize
objective: {function: "train.py:train"}
space:
  learning_rate: {type: float, low: 1.0e-5, high: 0.1, scale: log}
  batch_size: {type: int, low: 8, high: 256}
  optimizer: {type: categorical, choices: [adamw, sgd]}
budget: {trials: 20000}
"""
STREAMS = 4
KEYS = 60
CURVES = 8
"""Marked trials, whose curves are drawn beside those that run."""
PLOT_KEYS = 9


def begun() -> RunStarted:
    return RunStarted(
        name="long", folder="/r", strategy="gp", policy="rules", model=None, workers=STREAMS, resumed=False
    )


def started(number: int, rng: random.Random) -> TrialStarted:
    values = {
        "learning_rate": 10 ** rng.uniform(-5, -1),
        "batch_size": rng.randint(8, 256),
        "optimizer": rng.choice(["adamw", "sgd"]),
    }
    proposal = Proposal(
        configuration=Configuration(values, f"{number:016x}"), origin=Origin.SURROGATE, reason="to learn more"
    )
    return TrialStarted(number=number, seed=number, proposal=proposal)


def ended(number: int, value: float, improved: bool, steps: int = 10) -> TrialFinished:
    curve = tuple((step, value * step / steps) for step in range(1, steps + 1))
    outcome = Outcome(state=TrialState.COMPLETED, seconds=2.0, curve=curve)
    return TrialFinished(number=number, value=value, improved=improved, surprise=None, outcome=outcome)


def make(folder: Path, trials: int) -> EventStore:
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "run.json").write_text(
        json.dumps({"task_file": "task.yaml", "created_at": 0.0, "begun_as": "long"})
    )
    store, rng, best = EventStore(folder / "run.db"), random.Random(0), -1.0
    told: list[Event] = [begun()]
    for number in range(trials + STREAMS):
        value = rng.random()
        told.append(started(number, rng))
        told += [TrialReported(number=number, step=s, value=value * s / 10) for s in range(1, 11)]
        if number < trials:
            told.append(ended(number, value, value > best))
            best = max(best, value)
        if len(told) > 5_000:
            store.append_many(told)
            told = []
    store.append_many(told)
    return store


async def stream(store: EventStore, trials: int) -> None:
    step = 10
    while True:
        step += 1
        store.append_many([TrialReported(number=trials + i, step=step, value=0.5) for i in range(STREAMS)])
        await asyncio.sleep(0.1)


async def key(app: TunesmithApp, pressed: str) -> float:
    """Milliseconds from a key to the end of the drawing it causes."""
    from textual import events

    table, painted = app.query_one(TrialTable), asyncio.Event()
    before = (table.chosen, table.order)
    begun_at = time.perf_counter()
    app.post_message(events.Key(pressed, pressed if len(pressed) == 1 else None))
    while (table.chosen, table.order) == before:
        await asyncio.sleep(0)
    app.screen.call_after_refresh(painted.set)
    await painted.wait()
    return 1000 * (time.perf_counter() - begun_at)


def imports() -> float:
    """Seconds that a new process takes to import the app."""
    begun_at = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", "import tunesmith.tui.app"], check=True)
    return time.perf_counter() - begun_at


async def opened(folder: Path, store: EventStore, trials: int) -> dict[str, float]:
    begun_at = time.perf_counter()
    app = TunesmithApp(folder)
    app.on_much_read = gc.freeze  # as the command line does
    gc.freeze()
    async with app.run_test(size=(200, 60)) as pilot:
        while not any("tunesmith" in strip.text for strip in app.screen._compositor.render_strips()[:1]):
            await asyncio.sleep(0)
        found = {"first paint ms": 1000 * (time.perf_counter() - begun_at)}
        while not app.query_one(TrialTable).shown:
            await asyncio.sleep(0)
        found["trials drawn ms"] = 1000 * (time.perf_counter() - begun_at)
        await app.settled()
        found["whole log read s"] = time.perf_counter() - begun_at
        streaming = asyncio.create_task(stream(store, trials))
        await pilot.press("f2")
        await pilot.pause(0.5)
        moved = sorted([await key(app, "up") for _ in range(KEYS)])
        sorts = sorted([await key(app, "s") for _ in range(KEYS // 5)])
        for name, took in (("key to paint ms", moved), ("sort to paint ms", sorts)):
            found |= {f"{name}, p50": took[len(took) // 2], f"{name}, p95": took[len(took) * 95 // 100]}
            found |= {f"{name}, largest": took[-1]}
        await pilot.press(*(["c", "up"] * CURVES), "f4")
        for place, name in enumerate(PLOTS, 1):
            took = sorted([await plot(app, str(place)) for _ in range(PLOT_KEYS)])
            found[f"{name} ms, median"], found[f"{name} ms, largest"] = took[PLOT_KEYS // 2], took[-1]
        streaming.cancel()
    return found


async def plot(app: TunesmithApp, digit: str) -> float:
    """Milliseconds from the digit of a plot to the end of its drawing, after another change of the run."""
    from textual import events

    pane, painted = app.query_one(PlotsPane), asyncio.Event()
    await pane.run_action(f"choose({int(digit) % len(PLOTS)})")
    pane.show(app.view, Changes(plot=True, front=True))
    await asyncio.sleep(0.02)
    begun_at = time.perf_counter()
    app.post_message(events.Key(digit, digit))
    while pane.plot != PLOTS[int(digit) - 1]:
        await asyncio.sleep(0)
    app.screen.call_after_refresh(painted.set)
    await painted.wait()
    return 1000 * (time.perf_counter() - begun_at)


def forget() -> None:
    """Empty the caches that have a largest size."""
    from functools import _lru_cache_wrapper

    from textual.cache import FIFOCache, LRUCache

    for each in gc.get_objects():
        if isinstance(each, _lru_cache_wrapper) and each.cache_info().maxsize is not None:
            each.cache_clear()
        elif isinstance(each, LRUCache | FIFOCache):
            each.clear()
    gc.collect()


async def memory() -> tuple[float, float]:
    """MiB of the app after one hour and after eight: four 20-minute trials at a time, a report a second."""
    rng, marks = random.Random(0), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "task.yaml").write_text(TASK)
        app = TunesmithApp(Path(folder))
        async with app.run_test(size=(200, 60)) as pilot:
            await app.settled()
            app.workers.cancel_group(app, "follow")  # events come from here
            app.view.know(read_facts(Path(folder)))
            app.view.fold([begun()])

            async def told(events: Sequence[Event]) -> None:
                app.view.fold(events)
                app._draw()
                await pilot.pause()

            for third in range(24):
                if third == 1:  # all that is made once has been made
                    tracemalloc.start()
                numbers = range(third * STREAMS, (third + 1) * STREAMS)
                await told([started(number, rng) for number in numbers])
                for step in range(1, 1201, 60):
                    await told(
                        [
                            TrialReported(number=number, step=step + each, value=0.5)
                            for each in range(60)
                            for number in numbers
                        ]
                    )
                await told([ended(number, 0.5, False, 1200) for number in numbers])
                if third in (2, 23):
                    forget()
                    marks.append(tracemalloc.get_traced_memory()[0] / 2**20)
            tracemalloc.stop()
    return marks[0], marks[1]


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or [100, 10_000]
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for trials in sizes:
            store = make(Path(folder) / str(trials), trials)
            found.append(asyncio.run(opened(Path(folder) / str(trials), store, trials)))
    print(f"{'':<28}" + "".join(f"{trials:>10,}" for trials in sizes) + f"{'ratio':>8}")
    for name in found[0]:
        print(
            f"{name:<28}" + "".join(f"{each[name]:>10.1f}" for each in found)
            + f"{found[-1][name] / found[0][name]:>8.2f}"
        )  # fmt: skip
    print(f"imports of a new process: {imports():.1f} s")
    one, eight = asyncio.run(memory())
    grown = 1024 * (eight - one) / (21 * STREAMS)
    print(f"memory MiB after 1 h {one:.2f}, after 8 h {eight:.2f}: {grown:.1f} KiB a trial")


if __name__ == "__main__":
    main()
