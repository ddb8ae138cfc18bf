"""How the terminal bears a long run: `python -P benchmarks/terminal/measure.py`.

Makes two run folders, of 100 and of 10,000 ended trials with ten reports each, and opens both at 200x60
without a terminal while four further trials report ten times a second. Printed for each, with their ratio:

- first paint: from making the app to the first screen, in ms, and until the whole log is read, in s;
- key to paint: median and largest of 30 `up` keys in the table of trials, from the key to the end of the
  drawing it caused, in ms, and the same for sorting by another column;
- plots: the same for every plot with eight trials marked, each time after a change of the run, so that its
  data are reduced again;
- memory: what Python holds after a simulated eight hours of four curves at a report a second each, in MiB,
  against the same after one hour (the view alone, without a screen).

Absolute numbers belong to a machine and to what else runs there; the ratios are what to compare.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from tunesmith.events import Event, RunStarted, TrialFinished, TrialReported, TrialStarted
from tunesmith.tools.records.event_store import EventStore
from tunesmith.trial import Configuration, Origin, Outcome, Proposal, TrialState
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.facts import Facts
from tunesmith.tui.panes.plots import PLOTS, PlotsPane
from tunesmith.tui.state import Changes, RunView
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
KEYS = 30
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


def ended(number: int, value: float, improved: bool) -> TrialFinished:
    curve = tuple((step, value * step / 10) for step in range(1, 11))
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


async def opened(folder: Path, store: EventStore, trials: int) -> dict[str, float]:
    begun_at = time.perf_counter()
    app = TunesmithApp(folder)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        found = {"first paint ms": 1000 * (time.perf_counter() - begun_at)}
        await app.settled()
        found["whole log read s"] = time.perf_counter() - begun_at
        streaming = asyncio.create_task(stream(store, trials))
        await pilot.press("f2")
        await pilot.pause(0.5)
        moved = sorted([await key(app, "up") for _ in range(KEYS)])
        sorts = sorted([await key(app, "s") for _ in range(6)])
        found |= {"key to paint ms, median": moved[KEYS // 2], "key to paint ms, largest": moved[-1]}
        found |= {"sort to paint ms, median": sorts[3]}
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


def memory() -> tuple[float, float]:
    """MiB after one hour and after eight: trials of 20 minutes, four at a time, a report a second."""
    view, rng = RunView(Facts()), random.Random(0)
    tracemalloc.start()
    view.fold([begun()])
    marks: list[float] = []
    for hour in range(8):
        for third in range(3):
            first = (hour * 3 + third) * STREAMS
            numbers = range(first, first + STREAMS)
            view.fold([started(number, rng) for number in numbers])
            for step in range(1, 1201):
                view.fold([TrialReported(number=number, step=step, value=0.5) for number in numbers])
            view.fold([ended(number, 0.5, False) for number in numbers])
            view.take_changes()
        if hour in (0, 7):
            gc.collect()
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
    one, eight = memory()
    print(f"memory MiB after 1 h {one:.2f}, after 8 h {eight:.2f}")


if __name__ == "__main__":
    main()
