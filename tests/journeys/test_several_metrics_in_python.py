"""The result of a run with several metrics, limits and costs, in Python."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from fakes.histories import trial
from tunesmith.api import Result
from tunesmith.api.recommending import recommend
from tunesmith.budget import Spend
from tunesmith.events import Recommended
from tunesmith.history import History
from tunesmith.recommendation import Recommendation, by_best_value
from tunesmith.space import Float, Space
from tunesmith.task import Task
from tunesmith.tools.records.log_reading import recommended

SPACE = Space({"x": Float(0, 1)})
HOSTILE = "<b>ms</b>[red]"


def result(*rows: tuple[float, float], limit: str | None = "<= 20", cost: float | None = 2.5) -> Result:
    """A result with a trial for each (acc, ms)."""
    limits = {} if limit is None else {HOSTILE: limit}
    task = Task(metrics={"acc": "maximize", HOSTILE: "minimize"}, limits=limits, space=SPACE)
    history = task.empty_history()
    for number, (acc, ms) in enumerate(rows):
        done = trial(number, {"x": number / 10}, acc, space=SPACE)
        history = history.with_trial(
            done.model_copy(update={"values": {"acc": acc, HOSTILE: ms}, "cost": cost})
        )
    return Result("finished", "done", history, Path("runs/t"), Spend())


def test_best_is_the_best_feasible_trial_with_all_its_metrics_and_front() -> None:
    found = result((0.9, 30), (0.7, 12), (0.8, 19), (0.6, 13), (0.5, 5))
    assert (dict(found.best or {}), found.best_value) == ({"x": 0.2}, 0.8)
    assert found.best_values == {"acc": 0.8, HOSTILE: 19}
    assert [t.number for t in found.front] == [2, 1, 4]
    assert [found.feasible(t) for t in found.history] == [False, True, True, True, True]
    assert found.closest is None and found.recommended == found.best
    assert "best feasible 0.8000 (trial 2), 3 trials on the Pareto front" in repr(found)
    rows = found.trial_rows()
    assert [row["feasible"] for row in rows] == [False, True, True, True, True]
    assert {row["cost"] for row in rows} == {2.5} and list(rows[0])[-3:] == [
        f"metrics.{HOSTILE}",
        "feasible",
        "cost",
    ]


def test_without_a_feasible_trial_there_is_no_best_and_the_closest_is_named() -> None:
    found = result((0.9, 30), (0.7, 22))
    assert (found.best, found.best_trial, found.best_value, found.best_values) == (None, None, None, {})
    assert (found.recommended, found.front) == (None, [])
    assert found.closest is not None and found.closest.number == 1
    assert "2 trials completed, none keeps" in repr(found) and len(repr(found)) < 250


def test_a_notebook_shows_every_metric_feasible_trials_first_and_no_markup() -> None:
    shown = result((0.9, 30), (0.7, 12), (0.8, 19))._repr_html_()
    assert "<b>" not in shown and shown.count("&lt;b&gt;ms") >= 2
    rows = shown.split("<tr>")[2:]
    assert [row.split("<td>")[1][0] for row in rows] == ["2", "1", "0"]
    assert "on the front" in rows[0] and "breaks &lt;= 20" in rows[2]


def test_without_limits_or_costs_rows_have_no_keys_for_them() -> None:
    rows = result((0.9, 30), limit=None, cost=None).trial_rows()
    assert not {"feasible", "cost"} & set(rows[0])


def test_the_program_in_the_documentation_finds_feasible_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "several-metrics.md").read_text()
    program = (
        text.split("```python\n")[1]
        .split("```")[0]
        .replace("trials=20", "trials=6, model=None, tuner='random'")
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(program)
    found = runpy.run_path(str(tmp_path / "program.py"))["result"]
    assert found.best_trial in found.front and found.feasible(found.best_trial)
    assert str(found.best_trial.number) in capsys.readouterr().out
    assert found.history.cost <= 15 and any("cost" in row for row in found.trial_rows())


def test_what_a_strategy_recommends_is_feasible_or_not_recommended() -> None:
    class Careless:
        name = "careless"

        def recommend(self, history: History) -> Recommendation:
            worst = history.completed[0]
            return Recommendation(
                trial=0, configuration=worst.configuration, expected=1.0, best_trial=0, best_value=0.9
            )

    told: list[Any] = []
    found = recommend(Careless(), result((0.9, 30), (0.7, 12)).history, told.append)  # type: ignore[arg-type]
    assert found is not None and found.trial == 1
    assert [event.kind for event in told] == ["degraded", "recommended"]
    assert recommend(Careless(), result((0.9, 30)).history, told.append) is None  # type: ignore[arg-type]


def test_a_recommendation_of_looser_limits_stands_no_longer() -> None:
    loose = result((0.9, 30), (0.7, 12), limit="<= 40").history
    log = [Recommended(recommendation=by_best_value(loose), text="")]  # type: ignore[arg-type]
    assert recommended(log, loose) is not None
    assert recommended(log, result((0.9, 30), (0.7, 12)).history) is None


def test_a_count_as_the_primary_metric_is_shown_whole() -> None:
    assert "best feasible 1285 (trial 0)" in repr(result((1285.0, 12.0)))
    assert "best 1285 (trial 0)" in repr(result((1285.0, 12.0), limit=None))
