"""The prompt: completion, what a line would do, what waits, and what was typed before."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from fakes.hostile_text import acts, hostile_texts
from fakes.tui_runs import TASK, Run, begun, ended, started, trials
from tunesmith.commands import Approve, ChangeBudget, Freeze, Stop, Try
from tunesmith.events import ActionsProposed, Answered, Asked
from tunesmith.text.secrets import refresh
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.facts import read_facts
from tunesmith.tui.prompt_view import LastHistory, over_prompt
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.typed_history import FILE, LONGEST, MOST, keep_typed, read_typed
from tunesmith.tui.widgets.prompt import Prompt


def viewed(folder: Path) -> RunView:
    (folder / "task.yaml").write_text(TASK)
    view = RunView(read_facts(folder))
    view.fold([begun()])
    for number, value in enumerate([0.5, 0.7, 0.6]):
        view.fold([started(number), ended(number, value, values={"val_accuracy": value})])
        view.best = max(view.trials, key=lambda n: view.trials[n].value or 0)
    return view


def said(view: RunView, text: str) -> str:
    return "\n".join(plain(line) for line in over_prompt(view, text, LastHistory(view)))


def test_a_command_says_beforehand_what_it_will_do(tmp_path: Path) -> None:
    view = viewed(tmp_path)
    tried = said(view, "/try learning_rate=0.03")
    assert "learning_rate=0.03" in tried and "optimizer=adamw" in tried and "trial 1, the best" in tried
    assert "0.1" in said(view, "/try learning_rate=0.5"), "out of the range: what is legal"
    assert "3 of 3 completed trials stay in it" in said(view, "/narrow learning_rate 1e-3..1e-2")
    assert "0 of 3 completed trials stay in it" in said(view, "/narrow learning_rate 1e-2..1e-1")
    assert "16 is now 26" in said(view, "/trials +10")
    assert "adamw" in said(view, "/freeze optimizer")
    assert "did you mean /try learning_rate=1" in said(view, "/try learning_rat=1")
    assert "not running" in said(view, "/kill 1")
    assert "/try NAME=VALUE" in said(view, "/t") and "/trials +N" in said(view, "/t")
    assert said(view, "what matters?") == said(view, "") == ""


def test_what_waits_and_questions_in_turn_stand_over_the_prompt(tmp_path: Path) -> None:
    view = viewed(tmp_path)
    view.fold([Asked(command_id=1, text="why 3?"), Asked(command_id=2, text="[b]and now?")])
    assert "answering: why 3?" in said(view, "") and "[b]and now?" in said(view, "")
    view.fold([Answered(command_id=1, text="so", final=True), Answered(command_id=2, text="so", final=True)])
    assert said(view, "") == ""
    actions = (Stop(), Freeze(parameter="optimizer", value="sgd"))
    effects = ("ends the run", "optimizer: always sgd")
    view.fold([ActionsProposed(command_id=5, actions=actions, effects=effects, waiting=True)])
    shown = said(view, "")
    assert (
        "type y" in shown and "/stop" in shown and "/freeze optimizer=sgd" in shown and "always sgd" in shown
    )


def test_nothing_that_is_typed_draws_a_control_character(tmp_path: Path) -> None:
    view = viewed(tmp_path)
    past = LastHistory(view)
    for text in hostile_texts().values():
        for line in (text, f"/{text}", f"/try learning_rate={text}", f"/note {text}"):
            for drawn in over_prompt(view, line[:2000], past):
                assert not acts(plain(drawn)) and "\n" not in plain(drawn)


async def test_tab_completes_and_a_waiting_action_is_approved_by_y(run: Run) -> None:
    run.tell(begun(), *trials([0.5]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        prompt = app.query_one(Prompt)
        await pilot.press(*"/t", "tab")
        assert prompt.value == "/try "
        await pilot.press("tab")
        assert prompt.value == "/trials " and app.focused is prompt
        await pilot.press(*"+4", "enter")
        await pilot.press(*"/try o", "tab", "s", "tab", "enter")
        while len(found := run.commands()) < 2:
            await pilot.pause(0.02)
        assert found == [ChangeBudget(more_trials=4), Try(values={"optimizer": "sgd"}, fill=True)]
        run.tell(ActionsProposed(command_id=77, actions=(Stop(),), effects=("ends the run",), waiting=True))
        while app.view.proposed is None:
            await pilot.pause(0.02)
        await pilot.press("y", "enter")
        while Approve(request=77) not in run.commands():
            await pilot.pause(0.02)
    again = TunesmithApp(run.folder)
    async with again.run_test(size=(80, 24)) as pilot:
        await again.settled()
        await pilot.press("up", "up")
        assert again.query_one(Prompt).value == "/try optimizer=sgd", "typed before, in another terminal"


def test_what_was_typed_is_kept_bounded_clean_and_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-verysecretvalue1234")
    refresh()
    assert read_typed(tmp_path) == []
    for number in range(MOST + 20):
        keep_typed(tmp_path, f"line {number}\nsecond")
    keep_typed(tmp_path, "key sk-verysecretvalue1234 \x1b[31mred")
    keep_typed(tmp_path, "x" * (LONGEST + 1))
    found = read_typed(tmp_path)
    assert len(found) == MOST and found[-2] == "line 219\nsecond" and "sk-very" not in found[-1]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    (tmp_path / FILE).write_bytes(b"\xff\n[1]\nnot json\n" + json.dumps("kept\x1b[2J").encode() + b"\n")
    assert read_typed(tmp_path) == ["kept"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE).symlink_to(tmp_path / "elsewhere")
    with suppress(OSError):
        keep_typed(tmp_path / "other", "text")
    assert not (tmp_path / "elsewhere").exists()
