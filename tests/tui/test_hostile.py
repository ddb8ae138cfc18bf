"""Text from logs, models, people and task files, in every place where any is drawn."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from fakes.tui_runs import Run, begun, ended, started
from tunesmith.budget import ModelSpend
from tunesmith.events import (
    Answered,
    CommandDone,
    Confirmed,
    Decided,
    Degraded,
    Event,
    ModelCalled,
    Noted,
    RunFinished,
    Thought,
    ToolCalled,
    ToolReturned,
    TrialWaits,
    Woken,
)
from tunesmith.interfaces import Decision
from tunesmith.text.literal import one_line
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.trial_table import TrialTable

HOSTILE = {
    "closing tag": "[/]",
    "path in brackets": "[/some/path] [bold",
    "action link": "[@click=app.quit]x[/]",
    "action link, quoted": '[@click="app.action_quit"]x',
    "style": "[red on blue]x[/red on blue] [$primary]y",
    "colours": "\x1b[31;1mred\x1b[0m\x1b[2J\x1b[10;10H",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07after",
    "window title": "\x1b]0;owned\x1b\\after",
    "eight-bit escapes": "\x9b31mred\x9d52;c;eA==\x9c",
    "hyperlink": "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "right to left": "\u202eevil\u202c שלום \u2066x\u2069",
    "huge line": "A" * 100_000,
    "many lines": "line\n" * 5_000,
    "line endings": "a\r\nb\rc\x0bd\x85e\u2028f",
    "wide and combining": "日本語" * 200 + "e" + "\u0301" * 50 + "👨\u200d👩\u200d👧",
    "nul and friends": "a\x00b\x07c\x08\x08d\x7fe",
    "rich emoji": ":warning: :x:",
    "template": "{{ 7*7 }} %s {0} $HOME `x`",
    "empty": "",
    "blank": " \n\t ",
}


def everything_says(text: str) -> list[Event]:
    """A run in which every word is `text`."""
    configuration = {text or "p": text, "[/]": 0.5}
    proposal = {"values": configuration, "reason": text, "prompt_id": text, "expected": 0.5, "spread": 0.1}
    return [
        begun(name=text, folder=text, strategy=text, policy=text, model=text, version=text),
        Woken(triggers=(text, text)),
        Thought(turn=0, speaker="model", text=text, final=False),
        Thought(turn=0, speaker="model", text=text, final=True),
        Thought(turn=1, speaker="narrator", text=text),
        ToolCalled(turn=1, tool=text, arguments={text: text, "n": [text]}),
        ToolReturned(turn=1, tool=text, result=text, ok=False),
        ToolReturned(turn=9, tool=text, result=text),
        Decided(policy=text, decision=Decision(reason=text, stop=text or None)),
        started(0, **proposal),
        ended(0, 0.5, improved=True, curve=((1, 0.5),)),
        started(1, **proposal),
        ended(1, None, message=text, traceback=text),
        ModelCalled(
            purpose=text, model=text, ok=False, seconds=1, prompt_tokens=1, completion_tokens=1, dollars=None,
            error=text, spend=ModelSpend(calls=1, dollars=None),
        ),
        Degraded(what="fallback", where=text, cause=text, continuation=text),
        CommandDone(command_id=1, command=text, ok=False, reply=text),
        CommandDone(command_id=2, command="pause", ok=True, reply=text),
        Answered(command_id=3, text=text, final=False),
        Answered(command_id=3, text=text, final=True),
        Confirmed(done=1, total=2, text=text),
        Noted(text=text),
        TrialWaits(text=text, why="resources"),
        RunFinished(reason=text, status="failed"),
    ]  # fmt: skip


def screen_words(app: TunesmithApp) -> str:
    """What the terminal shows, every character of it."""
    svg = app.export_screenshot()
    return html.unescape(re.sub(r"<[^>]*>", "", svg[svg.index("</defs>") :])).replace("\xa0", " ")


@pytest.mark.long
@pytest.mark.parametrize("group", range(4), ids=lambda group: f"quarter {group + 1}")
async def test_hostile_words_are_shown_as_they_are_and_do_nothing(run: Run, group: int) -> None:
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        chat, table, prompt = app.query_one(ChatLog), app.query_one(TrialTable), app.query_one(Prompt)
        await app.settled()
        for name, text in list(HOSTILE.items())[group::4]:
            run.tell(*everything_says(text))
            while app.view.last_seq < run.store.last_seq():
                await pilot.pause(0.02)
            short = one_line(text.replace("\0", " "))[:24].strip()
            assert short in " ".join(chat.text.split()), name
            seen = one_line(text.replace("\0", " "))  # no store holds it: events have a blank in its place
            assert seen[:8] in table.row(0)[-1], name
            chat.toggle_all()
            prompt.value = f"/{text}"
            await pilot.press("enter", "f2", "up")
            await pilot.pause()
            chat.scroll_relative(y=-20, animate=False)
            await pilot.pause()
            for row in range(0, 30, 6) if "@click" in text else ():
                await pilot.click(ChatLog, offset=(5, row))
            shown = screen_words(app)
            assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], name
            assert not any(c in shown for c in "\u202e\u202c\u2066\u2069\u2028"), name
            assert app.is_running and app.return_value is None and not run.commands(), name
            await pilot.press("escape")
            chat.toggle_all()
            chat.follow()


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (20, 6), (3, 3)], ids=str)
async def test_all_of_them_together_in_a_small_window(run: Run, size: tuple[int, int]) -> None:
    for text in HOSTILE.values():
        run.tell(*everything_says(text))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await pilot.press("f2", "escape", "pageup", "f1", "escape")
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert app.is_running and "failed" in screen_words(app)


async def test_a_hostile_task_file_and_folder_name(tmp_path: Path) -> None:
    run = Run(tmp_path / "[@click=app.quit]x\x1b[31m")
    (run.folder / "task.yaml").write_text("metric: '[/]'\n\x1b]52;c;eA==\x07")
    run.tell(begun())
    run.hold()
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.click("#title-name", offset=(14, 0))
        await pilot.pause()
        assert app.is_running and app.return_value is None
        assert "tunesmith  [@click=app.quit]x" in screen_words(app)
        assert "cannot be read" in app.query_one(ChatLog).text
    run.let_go()
