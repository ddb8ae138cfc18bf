"""The table of trials: order, filter and actions, on the data and through keys."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fakes.tui_runs import TASK, Run, begun, ended, started, trials
from tunesmith.trial import Origin, TrialState
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.facts import Facts, read_facts
from tunesmith.tui.panes.trials import TrialsPane
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_filter import FilterError, matcher
from tunesmith.tui.trial_table_view import GROUPS, Order, ordered, plain_order, table, try_line
from tunesmith.tui.trial_view import TrialView
from tunesmith.tui.widgets.prompt import Prompt
from tunesmith.tui.widgets.trial_table import TrialTable

STATES = [TrialState.COMPLETED, TrialState.PRUNED, TrialState.CRASHED, TrialState.RUNNING]


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    (tmp_path / "task.yaml").write_text(TASK)
    return read_facts(tmp_path)


def some(seed: int, count: int = 60) -> RunView:
    rng = random.Random(seed)
    view = RunView(Facts())
    told = [begun()]
    for number in range(count):
        values = {"learning_rate": rng.choice([0.001, 0.01, 0.1]), "optimizer": rng.choice(["adamw", "sgd"])}
        if rng.random() < 0.2:
            del values["learning_rate"]
        told.append(started(number, values=values, origin=rng.choice([Origin.MODEL, Origin.RANDOM])))
        state = rng.choice(STATES)
        if state is TrialState.COMPLETED:
            told.append(ended(number, rng.choice([0.1, 0.5, 0.5, 0.9, float("nan")])))
        elif state is not TrialState.RUNNING:
            told.append(ended(number, None, state=state))
    view.fold(told)
    return view


@pytest.mark.parametrize("seed", range(8))
def test_sorting_is_stable_complete_and_leaves_the_nameless_last(facts: Facts, seed: int) -> None:
    view, shown = some(seed), table(facts)
    for column in shown.columns:
        for reverse in (False, True):
            for grouped in (False, True):
                order = Order(column.key, reverse, grouped=grouped)
                found = ordered(view.trials, shown, order)
                assert sorted(found) == sorted(view.trials)
                groups = [GROUPS.index(view.trials[n].state) if grouped else 0 for n in found]
                assert groups == sorted(groups)
                for group in set(groups):
                    members = [n for n, each in zip(found, groups, strict=True) if each == group]
                    keys = [column.sort(view.trials[n]) for n in members]
                    having = [k for k in keys if k is not None and k == k]
                    assert all(k is not None and k == k for k in keys[: len(having)]), "those without: last"
                    assert having == sorted(having, reverse=reverse)  # type: ignore[type-var]
                    if column.key != "#":
                        ties = zip(members, keys, members[1:], keys[1:], strict=False)
                        assert all(a < b for a, x, b, y in ties if x == y)
    assert plain_order(Order()) and not plain_order(Order(filter="x"))


def brute(trial: TrialView, text: str) -> bool:
    given = trial.proposal.configuration if trial.proposal else {}
    return {
        "state=pruned": trial.state is TrialState.PRUNED,
        "state!=pruned": trial.state is not TrialState.PRUNED,
        "state=failed": trial.state is TrialState.CRASHED,
        "who=model": trial.origin == "model",
        "lr<0.05": given.get("learning_rate", 9.0) < 0.05,
        "learning_rate=0.1": given.get("learning_rate") == 0.1,
        "learning_rate!=1e-1": given.get("learning_rate", 0.1) != 0.1,
        "opt~dam": given.get("optimizer") == "adamw",
        "value>=0.5": trial.value is not None and trial.value >= 0.5,
        "val_accuracy=0.5": trial.value == 0.5,
        "trial<=30": trial.number <= 30,
        "SGD": given.get("optimizer") == "sgd",
    }[text]


@pytest.mark.parametrize("seed", range(8))
def test_a_filter_shows_what_every_term_allows(facts: Facts, seed: int) -> None:
    view, shown, rng = some(seed), table(facts), random.Random(seed)
    single = ["state=pruned", "state!=pruned", "state=failed", "who=model", "lr<0.05", "learning_rate=0.1"]
    single += ["learning_rate!=1e-1", "opt~dam", "value>=0.5", "val_accuracy=0.5", "trial<=30", "SGD"]
    for terms in [[text] for text in single] + [rng.sample(single, 2) for _ in range(20)]:
        want = [n for n, t in view.trials.items() if all(brute(t, text) for text in terms)]
        assert ordered(view.trials, shown, Order(filter=" ".join(terms))) == want, terms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense=3", "there is no 'nonsense'; there are state, who, trial"),
        ("lr<abc", "'abc' is no number"),
        ("lr<nan", "'nan' is no number"),
        ("state=prunned", "there is no state 'prunned'; there are running, done"),
        ("<3", "no name before it"),
        ("lr=", "no value behind it"),
        ("\x1b[31m=3", "there is no"),
    ],
)
def test_a_filter_that_cannot_be_followed_says_why(facts: Facts, text: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        matcher(text, table(facts).names)
    assert says in str(caught.value) and "\x1b" not in str(caught.value)


def test_a_row_has_each_hyperparameter_the_difference_and_the_curve(facts: Facts) -> None:
    view = RunView(facts)
    view.fold([begun(), *trials([0.5, 0.75]), started(2, values={"learning_rate": 0.01, "odd": "x y"})])
    shown = table(facts, rest=True)
    headings = [column.heading for column in shown.columns]
    assert headings == [
        "#",
        "state",
        "val_accu…",
        " ",
        "to best",
        "curve",
        "who",
        "lr",
        "opt",
        "configuration",
    ]
    row = [text for text, _ in shown.row(view.trials[0], 0.75, {0})]
    assert row[:3] == ["0", "done", "0.5000"] and row[3:7] == ["●", "-0.25", "▄", "surrogate"]
    assert row[7:9] == ["0.003", "adamw"]
    assert [text for text, _ in shown.row(view.trials[2], 0.75)][7:] == ["0.01", "", "x y"]
    assert dict(shown.legend)["lr"] == "learning_rate"
    assert try_line(view.trials[2]) == '/try learning_rate=0.01 odd="x y"'
    assert try_line(view.trials[0]) == "/try learning_rate=0.003 optimizer=adamw"


async def test_keys_sort_filter_group_mark_and_copy(run: Run) -> None:
    run.tell(begun(), *trials([0.5, 0.9, 0.7]), started(3), ended(3, None, message="no"))
    app = TunesmithApp(run.folder)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.settled()
        await pilot.press("f2", "home")
        pane, shown = app.query_one(TrialsPane), app.query_one(TrialTable)
        assert app.selection.chosen == 0
        await pilot.press("right", "right", "s")
        assert shown.shown == [0, 2, 1, 3] and shown.order.column == "value"
        await pilot.press("S", "g")
        assert shown.shown == [1, 2, 0, 3] and "3 done, 1 crashed" in str(pane.border_title)
        await pilot.press("f", *"state=dun", "enter")
        await pilot.pause()
        assert "there is no state 'dun'" in str(pane.border_title) and shown.row_count == 4
        await pilot.press(*["backspace"] * 3, *"done", "enter")
        await pilot.pause()
        assert shown.shown == [1, 2, 0] and app.focused is shown
        assert "3 of 4: state=done" in str(pane.border_title)
        run.tell(*trials([0.8], first=4))
        while shown.row_count < 4:
            await pilot.pause(0.02)
        assert shown.shown == [1, 4, 2, 0], "sort and filter hold for what comes later"
        await pilot.press("home", "c", "y")
        await pilot.pause()
        assert app.selection.marked == (1,) and "●" in shown.row(1)[3]
        assert app.query_one(Prompt).value == "/try learning_rate=0.003 optimizer=adamw"
        assert run.commands() == []


def test_a_curve_without_end_stays_bounded_with_its_ends() -> None:
    trial = TrialView(0)
    for step in range(100_001):
        trial.report(step, step / 2)
    assert len(trial.curve) <= 2_000 and trial.curve[0] == (0, 0.0) and trial.curve[-1] == (100_000, 50_000.0)
    steps = [step for step, _ in trial.curve]
    assert steps == sorted(set(steps))
