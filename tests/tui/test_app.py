"""The app in a terminal of its own, over a real event log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from fakes.tui_runs import Run, begun, ended, started, trials
from tunesmith.commands import Ask, Pause, Stop
from tunesmith.events import Answered, CommandDone, RunFinished, TrialReported
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.panes.base import Pane
from tunesmith.tui.picture import write_picture
from tunesmith.tui.spans import plain
from tunesmith.tui.status import fit, segments
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.help_screen import PaneHelp
from tunesmith.tui.widgets.leave_screen import LeaveScreen
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.trial_details import TrialDetails
from tunesmith.tui.widgets.trial_table import TrialTable

WIDE, SMALL = (120, 36), (80, 24)


async def until(pilot: Pilot[str], true: Callable[[], bool]) -> None:
    """Wait for something to come true, however long that takes."""
    while not true():
        await pilot.pause(0.02)


async def type_line(pilot: Pilot[str], line: str) -> None:
    pilot.app.query_one(Prompt).value = line
    await pilot.press("enter")
    await pilot.pause()


def log(app: TunesmithApp) -> str:
    return app.query_one(ChatLog).text


def table_row(app: TunesmithApp, number: int) -> list[str]:
    return app.query_one(TrialTable).row(number)


def status(app: TunesmithApp) -> str:
    return plain(fit(segments(app.view, time.time()), 200))


async def test_it_waits_for_a_run_and_then_follows_it(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    app = TunesmithApp(folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        assert "waiting for the run to start" in status(app)
        assert not folder.exists()  # looking leaves no trace
        await type_line(pilot, "/pause")
        assert "has not started" in log(app)
        run = Run(folder)
        run.hold()
        run.tell(begun(), started(0), TrialReported(number=0, step=1, value=0.25))
        await until(pilot, lambda: app.view.last_seq == 3)
        assert table_row(app, 0)[:3] == ["0", "running", "0.2500"]
        run.tell(ended(0, 0.75, improved=True))
        await until(pilot, lambda: app.view.last_seq == 4)
        assert table_row(app, 0)[1:4] == ["done", "0.7500", "★"]
        run.let_go()


async def test_choosing_a_row_shows_that_trial_and_escape_goes_back(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7, 0.6]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await pilot.press("f5", "f5")
        details = app.query_one(TrialDetails)
        assert "trial 1 ✓ done  0.7000 ★ best" in str(details.query_one("#details-text").render())
        await pilot.press("f2")
        await pilot.pause()
        await pilot.press("up", "up", "enter")
        await pilot.pause()
        assert "because of 0" in str(details.query_one("#details-text").render())
        await pilot.press("escape")
        assert app.focused is app.query_one(Prompt)


async def test_a_small_window_shows_one_pane_at_a_time(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=SMALL) as pilot:
        await app.settled()
        await pilot.pause()
        talk, table = app.query_one("#talk"), app.query_one("#trials")
        assert talk.region.width == 80 and not table.display
        await pilot.press("f2")
        await pilot.pause()
        assert table.region.width == 80 and not talk.display
        await pilot.press("escape")
        await pilot.pause()
        assert "#1 0.7000 ★ new best" in log(app)
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert talk.region.width > 50 and table.region.width > 50


@pytest.mark.long
async def test_keys_and_letters_reach_every_pane_zoom_and_hide_it(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(200, 60)) as pilot:
        await app.settled()
        await pilot.pause()

        def shown() -> list[str]:
            return [pane.NAME for pane in app.query(Pane) if pane.display]

        everything = shown()
        assert {"talk", "trials", "plots", "details"} <= set(everything) and "front" not in everything
        stops = []
        for _ in range(len(everything) + 1):
            await pilot.press("tab")
            stops.append(app.focused_pane.NAME if app.focused_pane else "prompt")
        assert stops == [*everything, "prompt"]
        await pilot.press("shift+tab")
        assert app.focused_pane is not None and app.focused_pane.NAME == everything[-1]
        await pilot.press("ctrl+o")
        letters = app._body.letters
        assert sorted(letters) == sorted(everything) and len(set(letters.values())) == len(letters)
        await pilot.press(letters["trials"])
        assert app.focused_pane is not None and app.focused_pane.NAME == "trials" and not app._body.letters
        await pilot.press("z")
        await pilot.pause()
        assert shown() == ["trials"]
        await pilot.press("z", "x")
        await pilot.pause()
        assert "trials" not in shown() and app.focused is app.query_one(Prompt)
        await pilot.press("f2")
        await pilot.pause()
        assert shown() == everything and app.focused_pane is not None
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, PaneHelp)
        await pilot.press("escape", "f2")
        assert app.focused is app.query_one(Prompt)


@pytest.mark.long
async def test_commands_go_to_the_run_and_local_questions_do_not(run: Run) -> None:
    run.tell(begun(model="gpt-5-mini"), *trials([0.5]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        for line in ("/why 0", "/best", "/help", "/nonsense"):
            await type_line(pilot, line)
        assert "because of 0" in log(app) and "there is no /nonsense" in log(app)
        assert run.commands() == []
        await type_line(pilot, "what [/] matters?")
        await type_line(pilot, "/pause")
        await until(pilot, lambda: len(run.commands()) == 2)
        assert run.commands() == [Ask(text="what [/] matters?"), Pause()]
        run.tell(
            Answered(command_id=1, text="The learning ", final=False),
            Answered(command_id=1, text="rate.", final=True),
            CommandDone(command_id=2, command="pause", ok=True, reply="Paused."),
        )
        await until(pilot, lambda: app.view.state == "paused")
        assert "The learning rate." in log(app) and "❯ what [/] matters?" in log(app)


async def test_earlier_lines_come_back_and_so_does_the_draft(run: Run) -> None:
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await type_line(pilot, "/best")
        await type_line(pilot, "/help")
        prompt = app.query_one(Prompt)
        prompt.value = "dra"
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(prompt.value)
        assert seen == ["/help", "/best", "/best", "/help", "dra", "dra"]


async def test_keys_that_arrive_in_one_piece_are_taken_in_their_order(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=SMALL) as pilot:
        await app.settled()
        for line in ("/best", "/why 0"):  # as tmux, a slow connection or a script sends them
            for character in line:
                app.post_message(events.Key("slash" if character == "/" else character, character))
            app.post_message(events.Key("enter", "\r"))
        await until(pilot, lambda: "because of 0" in log(app))
        assert "❯ /best" in log(app) and "❯ /why 0" in log(app) and app.query_one(Prompt).value == ""


async def test_what_is_typed_over_a_table_goes_to_the_line(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.7]))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=SMALL) as pilot:
        await app.settled()
        await pilot.press("f2", "up")
        for key in ("slash", *"best", "enter"):  # in one piece
            app.post_message(events.Key(key, {"slash": "/", "enter": "\r"}.get(key, key)))
        await until(pilot, lambda: "❯ /best" in log(app))
        assert app.focused is app.query_one(Prompt) and app.query_one("#talk").region.width == 80


async def test_pasted_lines_stay_one_text(run: Run) -> None:
    run.tell(begun(model="gpt-5-mini"))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        app.query_one(Prompt).post_message(events.Paste("keep lr low\n\x1b[31mand\r\nwhy?\n"))
        await pilot.pause()
        assert run.commands() == [], "nothing is sent before enter is pressed"
        await pilot.press("enter")
        await until(pilot, lambda: run.commands() != [])
        assert run.commands() == [Ask(text="keep lr low\nand\nwhy?")]
        await pilot.press(*"ab", "ctrl+j", *"cd", "enter")
        await until(pilot, lambda: len(run.commands()) == 2)
        assert run.commands()[1] == Ask(text="ab\ncd")
        await pilot.press("/", "w", "h", "right")
        assert app.query_one(Prompt).value == "/why "


async def test_quitting_asks_once_and_stops_the_run_where_that_is_chosen(run: Run) -> None:
    run.tell(begun(), *trials([0.5]), started(1))
    app = TunesmithApp(run.folder, owns_run=True)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("s")
        await until(pilot, lambda: run.commands() != [])
        assert isinstance(run.commands()[0], Stop)
        assert app.is_running and "stopping workers…" in log(app)
        run.tell(RunFinished(reason="a person asked to stop", status="stopped"))
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None and app.left == "stop"
    assert "digits: stopped, 1 of 16 trials done." in app.return_value
    assert "the command that started it continues it" in app.return_value


@pytest.mark.parametrize("keys", [["b"], ["enter"], ["ctrl+q"]], ids=str)
async def test_quitting_leaves_the_run_in_the_background_where_that_is_chosen(
    run: Run, keys: list[str]
) -> None:
    run.tell(begun(), *trials([0.5]), started(1))
    app = TunesmithApp(run.folder, owns_run=True)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LeaveScreen))
        assert app.left is None and app.is_running
        await pilot.press("ctrl+q", *keys)
        await until(pilot, lambda: app.return_value is not None)
    assert run.commands() == [] and app.left == "keep"
    assert app.return_value is not None
    assert f"Come back with: tunesmith attach {run.folder}" in app.return_value


async def test_a_second_ctrl_q_does_not_wait_for_the_end(run: Run) -> None:
    run.tell(begun(), started(0))
    app = TunesmithApp(run.folder, owns_run=True)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await pilot.press("ctrl+q", "s")
        await until(pilot, lambda: "stopping workers…" in log(app))
        assert app.return_value is None
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None and "still ending" in app.return_value


async def test_a_run_of_others_goes_on_when_one_leaves(run: Run) -> None:
    run.tell(begun(), started(0))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await type_line(pilot, "/quit")
    assert run.commands() == []
    assert app.return_value is not None and "goes on in the background" in app.return_value


async def test_a_killed_run_is_shown_as_interrupted(run: Run) -> None:
    run.tell(begun(), *trials([0.5]), started(1))
    run.let_go()
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.view.state == "interrupted")
        assert table_row(app, 1)[1] == "lost"
        run.hold()
        run.tell(begun(resumed=True, trials_before=2))
        await until(pilot, lambda: app.view.state == "running")


async def test_a_log_that_cannot_be_read_is_said_once_and_read_later(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "run.db").write_text("this is no database, whatever its name says" * 100)
    app = TunesmithApp(folder)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "cannot be read" in log(app))
        run.tell(begun())
        (folder / "run.db").unlink()
        with_events = Run(folder)
        with_events.hold()
        with_events.tell(begun())
        await until(pilot, lambda: app.view.state == "running")
        assert log(app).count("trying again") == 1
        with_events.let_go()


async def test_a_fault_in_a_worker_is_shown_and_following_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.tell(begun())
    app = TunesmithApp(run.folder)
    broken = [True]
    read = app._feed.read

    def read_once_broken(after_seq: int) -> object:
        if broken.pop() if broken else False:
            raise RuntimeError("[/] surprise\x1b]0;owned\x07\u202e" + "x" * 9_000)
        return read(after_seq)

    monkeypatch.setattr(app._feed, "read", read_once_broken)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.view.state == "running")
        shown = log(app)
        assert "RuntimeError: [/]" in shown
        assert not {"\x1b", "\u202e", "\x07"} & set(shown)
        assert "owned" not in shown and shown.count("x") < 400


async def test_a_long_run_is_shown_from_its_newest_trials_on(run: Run) -> None:
    events = trials([0.5 + (i * 7919 % 1000) / 2500 for i in range(3000)])
    run.tell(begun(), *events, *(TrialReported(number=2999, step=s, value=0.5) for s in range(2, 1002)))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await pilot.pause()
        table = app.query_one(TrialTable)
        assert table.row_count == 3000
        assert table_row(app, 2999)[0] == "2999"
        assert table.scroll_offset.y > 0 and "#2999" in log(app)
        run.tell(started(3000))
        await until(pilot, lambda: app.view.last_seq == 10_002)
        assert table_row(app, 3000)[1] == "running"


def test_the_picture_is_an_svg_of_the_run(run: Run, tmp_path: Path) -> None:
    run.tell(begun(), *trials([0.5, 0.7]), RunFinished(reason="done", status="finished"))
    write_picture(run.folder, tmp_path / "tui.svg", (120, 36), beliefs=False)
    svg = (tmp_path / "tui.svg").read_text().replace("&#160;", " ")
    assert svg.startswith("<svg")
    for words in ("Plots", "val_accuracy", "0.7000", "2/16", "#1"):
        assert words in svg


async def test_without_a_model_plain_words_go_to_the_run_which_answers_from_its_records(run: Run) -> None:
    run.tell(begun())
    app = TunesmithApp(run.folder)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await type_line(pilot, "what matters?")
        await until(pilot, lambda: bool(run.commands()))
    assert run.commands() == [Ask(text="what matters?")]


class Started:
    """An engine that was started from the terminal, and has ended or not."""

    def __init__(self, code: int | None, said: str = "") -> None:
        self.began, self.code, self._said = time.time(), code, said

    def log_tail(self) -> str:
        return self._said


async def test_an_ended_run_says_how_it_ended_and_goes_on_from_inside(run: Run) -> None:
    run.tell(begun(), *trials([0.5]), RunFinished(reason="all 1 trials are done", status="finished"))
    run.let_go()
    engines = [
        Started(0, "Nothing is left to run."),
        Started(2, "cannot read [red]it[/red]"),
        Started(None),
    ]
    app = TunesmithApp(run.folder)
    app.go_on = lambda: engines.pop(0)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        assert "finished: all 1 trials are done" in log(app) and "/trials +10 and then /resume" in log(app)
        await type_line(pilot, "/resume")
        await until(pilot, lambda: "Nothing is left to run." in log(app))
        await type_line(pilot, "/resume")
        await until(pilot, lambda: "cannot read [red]it[/red]" in log(app))
        await type_line(pilot, "/resume")
        run.hold()
        run.tell(begun(resumed=True, trials_before=1))
        await until(pilot, lambda: app.view.state == "running")
        await pilot.press("ctrl+q")  # the run is this terminal's now, and so it asks
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))


async def test_a_line_typed_before_the_run_has_begun_is_sent_once_it_has(run: Run) -> None:
    app = TunesmithApp(run.folder, owns_run=True)
    app.engine = Started(None)
    async with app.run_test(size=WIDE) as pilot:
        await app.settled()
        await type_line(pilot, "/pause")
        await type_line(pilot, "/help pause")
        assert "this waits until the run has started" in log(app)
        assert run.commands() == []
        run.tell(begun())
        await until(pilot, lambda: [Pause()] == run.commands())
