"""The first screen: what a folder holds, and what is chosen there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from fakes.hostile_text import hostile_texts
from fakes.tui_runs import TASK, Run, begun, trials
from tunesmith.events import Progress, RunFinished
from tunesmith.task import load_task
from tunesmith.tools.records.run_list import ListedRun
from tunesmith.tui.spans import plain
from tunesmith.tui.start.app import AskScreen, Chosen, StartApp
from tunesmith.tui.start.example import write_example
from tunesmith.tui.start.listing import sections


def write_run(folder: Path, *, ends: bool, created: float = 1.0) -> Run:
    run = Run(folder)
    (folder / "task.yaml").write_text(TASK)
    (folder / "run.json").write_text(f'{{"created_at": {created}}}')
    run.tell(
        begun(),
        *trials([0.5, 0.75]),
        Progress(done=2, total=16, running=0, workers=1, seconds=1.0, left_s=None),
    )
    if ends:
        run.tell(RunFinished(reason="all done", status="finished"))
    return run


async def until(pilot: Pilot[Chosen], true: Callable[[], bool]) -> None:
    while not true():
        await pilot.pause(0.02)


def lines(app: StartApp) -> list[str]:
    listing = app.query_one(OptionList)
    return [str(option.prompt).strip() for option in listing.options]


async def test_runs_that_can_go_on_come_first_and_each_is_opened_as_fits_its_state(tmp_path: Path) -> None:
    done, broken = (
        write_run(tmp_path / "runs/done", ends=True, created=2.0),
        write_run(tmp_path / "runs/[red]broken", ends=False),
    )
    (tmp_path / "job").mkdir()
    (tmp_path / "job/task.yaml").write_text(TASK)
    app = StartApp(tmp_path)
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(lines(app)) == 7)
        shown = lines(app)
        assert shown[0] == "Runs" and shown[1].startswith("[red]broken  interrupted")
        assert "best 0.7500  2 of 16 trials" in shown[1] and shown[2].startswith("done")
        assert shown[4] == "job/task.yaml" and shown[6].startswith("the example")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("escape")
        await pilot.pause()
        broken.hold()  # it goes on, in another terminal: told within a second
        await until(pilot, lambda: "running" in lines(app)[1])
        broken.let_go()
        await until(pilot, lambda: "interrupted" in lines(app)[1])
        await pilot.press("r")
    assert app.return_value == Chosen("go on", tmp_path / "runs/[red]broken")
    app = StartApp(tmp_path)
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(lines(app)) == 7)
        await pilot.press("down", "down", "enter")
    assert app.return_value == Chosen("start", tmp_path / "job/task.yaml")
    for run in (done, broken):
        run.store.close()


async def test_an_empty_folder_says_what_to_do_and_offers_the_example(tmp_path: Path) -> None:
    app = StartApp(tmp_path)
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(lines(app)) == 2)
        assert "tunesmith init train.py" in str(app.query_one("#start-note", Static).content)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "tunesmith-example/task.yaml" in str(app.screen.query_one(Static).content)
        await pilot.press("s")
    assert app.return_value == Chosen("start", tmp_path / "tunesmith-example/task.yaml")
    assert load_task(tmp_path / "tunesmith-example/task.yaml").name == "spirals"


def test_the_example_overwrites_nothing(tmp_path: Path) -> None:
    first = write_example(tmp_path)
    assert write_example(tmp_path) == first, "unchanged, it is used again"
    first.write_text("mine")
    second = write_example(tmp_path)
    assert second == tmp_path / "tunesmith-example-2/task.yaml" and first.read_text() == "mine"
    (tmp_path / "tunesmith-example-3").symlink_to(tmp_path / "elsewhere")
    second.write_text("mine")
    assert write_example(tmp_path) == tmp_path / "tunesmith-example-4/task.yaml"


def test_names_of_any_kind_are_one_literal_line() -> None:
    runs = [
        ListedRun(name=text, path=Path(f"runs/{i}"), state="stopped")
        for i, text in enumerate(hostile_texts().values())
    ]
    tasks = [Path(text.replace("\0", "")) for text in hostile_texts().values()]
    for section in sections(runs, tasks, 0.0, most=10_000):
        for row in section.rows:
            text = plain(row.spans)
            assert text.isprintable() or all(c in "\u200c\u200d" for c in text if not c.isprintable()), text
