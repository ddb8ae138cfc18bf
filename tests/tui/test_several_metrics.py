"""Several metrics, limits and costs in the terminal: the reducer, what is typed, and the front's pane."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fakes.tui_runs import TASK, Run, begun, ended, started
from tunesmith.events import Event, TaskChanged
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.spans import plain
from tunesmith.tui.state import RunView
from tunesmith.tui.status import closing_text, segments
from tunesmith.tui.trial_view import cells
from tunesmith.tui.typed_lines import Reply, respond
from tunesmith.tui.widgets.chat_log import ChatLog
from tunesmith.tui.widgets.front_table import FrontTable
from tunesmith.tui.widgets.trial_table import TrialTable

HOSTILE = "[red]m[/red]|*"
SEVERAL = TASK.replace(
    "metric: val_accuracy\ndirection: maximize\n",
    f'metrics: {{val_accuracy: maximize, ms: minimize, "{HOSTILE}": {{}}}}\n'
    f'limits: {{ms: "<= 20", "{HOSTILE}": "<= 5"}}\n'
    "cost: learning_rate * 1000\n",
).replace("trials: 16,", "trials: 16, cost: 90,")
ROWS = [
    (0.9, 30.0, 1.0),
    (0.7, 12.0, 2.0),
    (0.8, 19.0, 3.0),
    (0.75, 19.5, 1.0),
    (0.5, 5.0, 1.0),
    (0.95, 9.0, 9.0),
]
"""val_accuracy, ms and the other one: trials 0 and 5 are not feasible, 2, 1 and 4 are the front."""


def events(rows: list[tuple[float, ...]], *, engine_says: bool = True) -> list[Event]:
    told: list[Event] = [begun()]
    best = None
    for number, (acc, ms, other) in enumerate(rows):
        improved = ms <= 20 and other <= 5 and (best is None or acc > best)
        best = acc if improved else best
        values = {"val_accuracy": acc, "ms": ms, HOSTILE: other, "peak": 7.0}
        start = started(number).model_copy(update={"cost": 3.0})
        told += [start, ended(number, acc, improved=improved and engine_says, values=values)]
    return [e.model_copy(update={"seq": i, "at": 100.0 + i}) for i, e in enumerate(told, 1)]


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    (tmp_path / "task.yaml").write_text(SEVERAL)
    found = read_facts(tmp_path)
    assert not found.problem
    return found


def seen(facts: Facts, rows: list[tuple[float, ...]] = ROWS) -> RunView:
    view = RunView(Facts())
    view.know(facts)
    view.fold(events(rows))
    return view


def said(view: RunView, line: str) -> str:
    reply = respond(view, line)
    assert isinstance(reply, Reply)
    return plain(reply.spans)


def test_the_best_is_feasible_and_the_front_is_that_of_feasible_trials(facts: Facts) -> None:
    view = seen(facts)
    assert view.best == 2 and [t.number for t in view.front_trials] == [2, 1, 4]
    assert [n for n, t in view.trials.items() if t.infeasible] == [0, 5]
    assert view.plot.infeasible == ((0, 0.9), (5, 0.95)) and (2, 0.8) in view.plot.points
    assert view.plot.steps[-1] == (5, 0.8) and (view.completed, view.feasible, view.cost) == (6, 4, 18.0)


@pytest.mark.parametrize("seed", range(15))
def test_whenever_the_task_becomes_known_the_view_is_that_of_the_history(facts: Facts, seed: int) -> None:
    rng = random.Random(seed)
    rows = [tuple(rng.choice([0.5, 5.0, 20.0, rng.uniform(0, 25)]) for _ in range(3)) for _ in range(25)]
    early, late = seen(facts, rows), RunView(Facts())
    late.fold(events(rows, engine_says=False))
    late.know(facts)
    past = early.history
    assert past is not None
    for view in (early, late):
        assert view.best == (None if past.incumbent is None else past.incumbent.number)
        assert [t.number for t in view.front_trials] == [t.number for t in past.front]
        assert {n for n, t in view.trials.items() if not t.infeasible} == {t.number for t in past.feasible}
        assert view.best is None or view.trials[view.best].best
        assert sum(t.best for t in view.trials.values()) == (view.best is not None)


def test_rows_mark_what_breaks_a_limit_and_what_is_on_the_front(facts: Facts) -> None:
    view = seen(facts)
    rows = [[text for text, _ in cells(t, facts.short, facts.goals, 2)] for t in view.trials.values()]
    assert rows[0][1:6] == ["infeas.", "0.9000", "", "30.0000!", "1.0000"]
    assert rows[1][1:6] == ["done", "0.7000", "◇", "12.0000", "2.0000"]
    assert rows[2][3] == "★" and rows[5][4:6] == ["9.0000", "9.0000!"]


def test_words_name_limits_kept_and_broken_and_what_they_cost(facts: Facts) -> None:
    view = seen(facts)
    why = said(view, "/why 0")
    assert "not feasible" in why and "ms 30  breaks <= 20" in why and f"{HOSTILE} 1  keeps <= 5" in why
    assert "also peak 7" in why
    assert "trial 2" in said(view, "/best") and "on the Pareto front" in said(view, "/best")
    front = said(view, "/front").splitlines()
    assert [line.split()[0] for line in front[1:4]] == ["#2", "#1", "#4"]
    assert "without ms <= 20 the best would be trial 0" in front[4]
    log = [plain(item.spans) for item in view.chat.items]
    assert any("ms 30 (breaks <= 20)" in line for line in log) and any("new best feasible" in s for s in log)
    status = "".join(plain(segment.spans) + " " for segment in segments(view, 200.0))
    assert "feasible 4/6" in status and "front 3" in status and "cost 18/90" in status


def test_without_a_feasible_trial_the_closest_is_named(facts: Facts, tmp_path: Path) -> None:
    view = seen(facts, [(0.9, 30.0, 1.0), (0.7, 22.0, 2.0)])
    for text in (
        said(view, "/best"),
        said(view, "/front"),
        closing_text(view, tmp_path, "tunesmith attach r"),
    ):
        assert "2 trials completed, none keeps every limit" in text and "closest is trial 1" in text
    assert view.plot.steps == () and len(view.plot.infeasible) == 2


def test_with_one_metric_there_is_no_front() -> None:
    assert "one metric" in said(RunView(Facts()), "/front")


async def test_the_front_stands_in_the_place_of_the_trials_and_grows_with_them(run: Run) -> None:
    (run.folder / "task.yaml").write_text(SEVERAL)
    told = events(ROWS)
    run.tell(*told[:7])
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("f4", "f4")
        front = app.query_one(FrontTable)
        assert app.focused is front and front.region.width == 80
        rows = [[str(cell) for cell in front.get_row_at(i)] for i in range(front.row_count)]
        assert [row[:3] for row in rows] == [["2", "0.8000", "19"], ["1", "0.7000", "12"]]
        labels = [str(column.label) for column in front.ordered_columns]
        assert labels == ["#", "val_accu…", "ms", "[red]m[/…", "configuration"]
        run.tell(*told[7:])
        while front.row_count < 3:
            await pilot.pause(0.05)
        await pilot.press("f2")
        await pilot.pause()
        column = [app.query_one(TrialTable).row(n)[6] for n in range(6)]
        assert column == ["30.0000!", "12.0000", "19.0000", "19.5000", "5.0000", "9.0000"], "19.5 is in it"
        await pilot.press("f4", "f4", "down")
        await pilot.pause()
        assert app.selection.chosen == 1
        await pilot.press("escape")
        assert app.query_one("#talk").display and not app.query_one("#front").display


@pytest.mark.long
async def test_the_front_stays_when_the_task_changes_and_its_lines_are_not_wrapped(run: Run) -> None:
    (run.folder / "task.yaml").write_text(SEVERAL)
    run.tell(*events(ROWS))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        (run.folder / "task.yaml").write_text(SEVERAL.replace("cost: 90", "cost: 95"))
        run.tell(TaskChanged(changes=("budget cost was 90 and is now 95",)))
        while app.view.facts.cost != 95:
            await pilot.pause(0.05)
        await pilot.press("f4", "f4")
        assert app.query_one(FrontTable).row_count == 3
        await pilot.press("escape", *["slash", *"front"], "enter")
        for width in (80, 120):
            await pilot.resize_terminal(width, 30)
            await pilot.press(*["slash", *"front"], "enter")
            await pilot.pause()
            lines = app.query_one(ChatLog).text.splitlines()
            last = len(lines) - 1 - next(i for i, line in enumerate(reversed(lines)) if "❯ /front" in line)
            assert [line.split()[0] for line in lines[last + 2 : last + 5]] == ["#2", "#1", "#4"]


def test_a_prediction_names_its_metric_where_a_trial_has_several(facts: Facts) -> None:
    """It stands behind the other metrics, and would be read as one of theirs."""
    view = RunView(facts)
    values = {"val_accuracy": 0.8, "ms": 19.0, HOSTILE: 3.0}
    view.fold([begun(), started(0, expected=0.7, spread=0.05), ended(0, 0.8, values=values)])
    lines = [plain(line.spans) for line in view.chat.items]
    assert any("ms 19" in line and " · expected val_accuracy 0.7000 ± 0.0500" in line for line in lines)
    told = said(view, "/why 0")
    assert "★ best feasible" in told and "expected val_accuracy 0.7000 ± 0.0500, got 0.8000" in told
    assert "Best feasible so far: trial 0, " in closing_text(view, Path("r"), "tunesmith attach r")
