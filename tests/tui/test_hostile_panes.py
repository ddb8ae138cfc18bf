"""Hundreds of hostile texts in every pane: drawn as text, and no control sequence of theirs goes out."""

from __future__ import annotations

import re

import pytest
import yaml

from fakes.drawn_beliefs import belief, beliefs
from fakes.hostile_text import acts, hostile_texts
from fakes.tui_runs import TASK, Run, begun, ended, started
from tunesmith.beliefs import Beliefs, Next, Source
from tunesmith.budget import ModelSpend
from tunesmith.commands import Note, Try
from tunesmith.events import (
    ActionsProposed,
    Answered,
    Asked,
    CommandDone,
    Degraded,
    Event,
    ModelCalled,
    Noted,
    TrialWaits,
)
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.panes.all import PANES
from tunesmith.tui.panes.plots import PLOTS
from tunesmith.tui.widgets.prompt import Prompt

OURS = re.compile(r"\x1b\[(?:\d+;)*\d*m")
"""Colours, which the terminal draws with."""
FEWEST = 400


def storable(text: str) -> bool:
    """Whether a log can hold it: half a character cannot be stored."""
    return text.encode("utf-8", "replace").decode() == text


def a_run_of(texts: list[str], first: int = 0) -> list[Event]:
    """One trial, note, answer, incident and request per text."""
    events: list[Event] = [] if first else [begun()]
    for number, text in enumerate(texts, first):
        values = {"learning_rate": 0.003, "optimizer": text, (text or "p")[:200]: text}
        good = number % 3 > 0
        events += [
            started(number, values=values, reason=text),
            ended(
                number, 0.1 if good else None, message=text, traceback=text, curve=((1, 0.1),),
                values={"val_accuracy": 0.1, (text or "m")[:200]: 0.5} if good else {},
            ),
            Noted(text=text, by="person"),
            TrialWaits(text=text, why="resources", number=number),
            ModelCalled(
                purpose=text, model=text, ok=False, seconds=1.0, prompt_tokens=1, completion_tokens=1,
                dollars=None, error=text, spend=ModelSpend(),
            ),
            Degraded(what="fallback", where=text[:500], cause=text, continuation=text),
            Asked(command_id=number, text=text),
            Answered(command_id=number, text=text, final=True),
            CommandDone(command_id=number, command="note", ok=False, reply=text),
        ]  # fmt: skip
        if number % 10 == 0:
            actions = (Try(values={text or "p": text}), Note(text=text))
            events.append(
                ActionsProposed(command_id=number, actions=actions, effects=(text, text), waiting=True)
            )
    return events


def drawn(app: TunesmithApp) -> str:
    """Every character on the screen."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    lines = [strip.crop(0, width) for strip in strips]
    sent = "".join(OURS.sub("", line.render(app.console)) for line in lines)
    assert not acts(sent), [sent[max(i - 20, 0) : i + 60] for i, c in enumerate(sent) if c == "\x1b"]
    return "\n".join(line.text for line in lines)


def test_there_are_enough_of_them_and_they_differ() -> None:
    texts = hostile_texts()
    assert len(texts) >= FEWEST and len(set(texts.values())) == len(texts)
    assert sum(bool(acts(text)) for text in texts.values()) > FEWEST / 3


@pytest.mark.long
async def test_every_pane_draws_hostile_text_as_text(run: Run) -> None:
    texts = list(hostile_texts().values())
    stored = [text for text in texts if storable(text)]
    broken = [text for text in texts if not storable(text)]
    assert broken and len(stored) > FEWEST
    run.tell(*a_run_of(stored))
    log = "\n".join(texts).encode("utf-8", "surrogatepass")[-60_000:]
    for number in range(len(texts)):
        folder = run.folder / "trials" / f"{number:05d}"
        folder.mkdir(parents=True)
        (folder / "log.txt").write_bytes(log)
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.settled()
        app.view.fold(a_run_of(broken, first=len(stored)))
        app.view.fold([started(len(texts), reason="runs")])
        seen = set()
        for pane in PANES:
            if pane.NAME not in app._body.offered:
                continue
            seen.add(pane.NAME)
            app.open_pane(pane.NAME)
            await pilot.pause()
            for key in ("o", "home", "end") if pane.NAME == "talk" else ("home", "down", "end"):
                await pilot.press(key)
                shown = drawn(app)
                assert not acts(shown.replace("\n", "")), (pane.NAME, key, acts(shown.replace("\n", "")))
            await pilot.press("escape")
        assert seen == {pane.NAME for pane in PANES} - {"front"}, seen
        prompt = app.query_one(Prompt)
        for text in texts[::6]:
            prompt.value = f"/try optimizer={text[:500]}"
            app.draw_strip()
        await pilot.pause()
        assert not acts(drawn(app).replace("\n", ""))
        assert app.is_running and app.return_value is None and not run.commands()


def believed(texts: list[str]) -> Beliefs:
    """A hyperparameter per text, each of whose words is hostile."""
    named = [
        belief(
            text, 0.1 + 0.8 * place / len(texts), expected=text, low=text, high=text, moved=text,
            ticks=(text, text, text), sources=(Source(name=text, weight=1.0, text=text),),
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip
    text = texts[0]
    listed = belief(texts[-1] + "2", 0.05, "categorical", ticks=(text, text + "b"), prior=(0.5, 0.5),
                    posterior=(0.9, 0.1), slice=None)  # fmt: skip
    told = {"basis": text, "metric": text, "next": (Next(number=1, text=text),), "faults": (text,)}
    return beliefs(*named, listed).model_copy(update=told)


@pytest.mark.long
async def test_beliefs_and_every_plot_of_several_hostile_metrics(run: Run) -> None:
    texts = [text for text in hostile_texts().values() if storable(text)]
    names = ["val_accuracy", *(text for text in texts[3:200:9] if text.strip() and len(text) < 40)][:6]
    task = yaml.safe_load(TASK) | {
        "metrics": {name: ["maximize", "minimize"][k % 2] for k, name in enumerate(names)}
    }
    del task["metric"], task["direction"]
    (run.folder / "task.yaml").write_text(yaml.safe_dump(task))
    events: list[Event] = [begun()]
    for number, text in enumerate(texts[:120]):
        values = {name: (number * (k + 3) % 11) / 10 for k, name in enumerate(names)}
        events += [
            started(number, reason=text, expected=0.5, spread=0.1),
            ended(number, values["val_accuracy"], values=values, message=text, curve=((1, 0.1), (2, 0.2))),
        ]
    run.tell(*events)
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.settled()
        assert not app.view.facts.problem, app.view.facts.problem
        assert "front" in app._body.offered and len(app.view.front) > 1
        app.open_pane("front")
        for key in ("home", "down", "end"):
            await pilot.press(key)
            assert not acts(drawn(app).replace("\n", ""))
        first = believed(texts[:30])
        for start in range(0, len(texts), 30):
            app.view.believe(believed(texts[start : start + 30]) if start else first)
            app._draw()
            app.open_pane("beliefs")
            for key in ("down", "enter", "left"):
                await pilot.press(key)
                assert not acts(drawn(app).replace("\n", "")), (start, key)
        app.open_pane("plots")
        for place in range(len(PLOTS)):
            await pilot.press(str(place + 1))
            assert not acts(drawn(app).replace("\n", "")), PLOTS[place]
        assert app.is_running and not run.commands()
