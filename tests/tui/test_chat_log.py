"""The talk: one entry is chosen and opened by keys; lines are made when they are in sight."""

from __future__ import annotations

from fakes.hostile_text import hostile_texts
from fakes.tui_runs import Run, begun
from tunesmith.events import Answered, Noted, ToolCalled, ToolReturned
from tunesmith.text.literal import literal
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.chat_view import ChatItem
from tunesmith.tui.widgets.chat_log import ChatLog


async def test_a_key_opens_the_chosen_entry_and_no_other(run: Run) -> None:
    run.tell(begun())
    for turn, result in ((1, "result one"), (2, "result two"), (3, "result three")):
        run.tell(
            ToolCalled(turn=turn, tool="search", arguments={}),
            ToolReturned(turn=turn, tool="search", ok=True, result=f"{result}\nmore of {result}"),
        )
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        log = app.query_one(ChatLog)
        log.focus()
        closed = log.text
        assert "more of result two" not in closed.replace("result two more", "")
        for key in ("end", "up", "up", "up", "up", "down", "enter"):
            await pilot.press(key)
        opened = log.text.splitlines()
        assert any(line.strip() == "more of result one" for line in opened)
        assert not any(line.strip() in ("more of result two", "more of result three") for line in opened)
        await pilot.press("down")
        await pilot.press("enter")
        assert any(line.strip() == "more of result two" for line in log.text.splitlines())
        await pilot.press("up")
        await pilot.press("enter")
        await pilot.press("down")
        await pilot.press("enter")
        assert log.text == closed
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert any(name.startswith("/export") for name in names)


async def test_all_of_a_long_entry_is_passed_on_the_way_to_the_next(run: Run) -> None:
    words = "\n".join(f"line {k}" for k in range(60))
    run.tell(begun(), Answered(command_id=1, text=words, final=True), Noted(text="last"))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        log = app.query_one(ChatLog)
        log.focus()
        await pilot.press("home")
        tops = []
        for _ in range(80):
            log.action_choose(1)
            tops.append(log.scroll_offset.y)
        assert all(0 <= after - before <= 2 for before, after in zip(tops, tops[1:], strict=False))
        assert log.is_vertical_scroll_end


async def test_lines_are_counted_as_they_are_wrapped_and_made_when_in_sight(run: Run) -> None:
    run.tell(begun())
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        log = app.query_one(ChatLog)
        texts = [literal(text) for text in hostile_texts().values() if len(text) < 5_000]
        items = [
            ChatItem(key, ">", "", ((text, ""),), body=text, one_line=key % 3 == 0, gap=key % 2 == 0)
            for key, text in enumerate(texts)
        ]
        log.show(items, frozenset(range(len(items))))
        await pilot.pause()
        made = sum(block.lines is not None for block in log._shown)
        assert made <= 40 < len(items)
        for width in (100, 37):
            await pilot.resize_terminal(width, 30)
            log.toggle_all()
            wrong = [
                texts[block.item.key]
                for block in log._shown
                if len(log._wrap(block.item, log._wrapped_at)) != block.height
            ]
            assert not wrong
