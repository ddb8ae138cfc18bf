"""Suites with limits and with two metrics: what is measured, stored, scored, and never taken for a winner."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.bench.contenders import contender
from tunesmith.bench.metrics import hypervolume
from tunesmith.bench.pages import to_html
from tunesmith.bench.plan import Plan, make_plan
from tunesmith.bench.show import show
from tunesmith.bench.store import Run, Store, made
from tunesmith.bench.suites import constrained, two_metric
from tunesmith.bench.summary import Summary, summarise
from tunesmith.bench.task import BenchTask, Suite
from tunesmith.bench.trace import Evaluator

TASKS = {task.name: task for task in (*constrained.tasks(), *two_metric.tasks())}


def plan_of(name: str, evaluations: int, seeds: int = 1) -> Plan:
    suite = constrained.SUITE if TASKS[name].goals.limits else two_metric.SUITE
    return make_plan(suite, contenders=["tpe"], tasks=[name], evaluations=evaluations, seeds=seeds)


def shown(summary: Summary) -> str:
    out = io.StringIO()
    show(summary, out)
    return out.getvalue()


@pytest.mark.parametrize("task", constrained.tasks(), ids=lambda task: task.name)
def test_the_bounds_of_a_constrained_task_are_its_optimum_and_its_middling_feasible_value(
    task: BenchTask,
) -> None:
    drawn = [dict(c) for c in task.space.sample(np.random.default_rng(0), 1500)]
    metrics = [task.measured(c) for c in drawn]
    values = [m["value"] for m in metrics if task.aims.feasible(m)]
    assert len(values) > 20 and task.bounds is not None
    best, worst = task.bounds
    assert best - 1e-4 <= min(values)
    assert np.quantile(values, 0.35) < worst < np.quantile(values, 0.65)


OPTIMA = {
    "ramp": (5.0, 1.0),
    "gardner": (4.71238898, 1.25323590),
    "gramacy": (0.19512270, 0.40466536),
    "hartmann-ball": (0.20168951, 0.15001069, 0.47687397, 0.27533242, 0.31165161, 0.65730053),
}


@pytest.mark.parametrize("name", OPTIMA)
def test_the_known_optimum_is_reached_at_the_border(name: str) -> None:
    task = TASKS[name]
    found = task.measured({f"x{i}": value for i, value in enumerate(OPTIMA[name])})
    assert found["value"] == pytest.approx(task.bounds[0], abs=1e-4)
    assert all(limit.excess(found[limit.metric]) < 1e-6 for limit in task.goals.limits)


@pytest.mark.parametrize("name", ["zdt1", "dtlz2"])
def test_the_known_front_has_all_of_the_hypervolume(name: str) -> None:
    task = TASKS[name]
    rest = 0.0 if name == "zdt1" else 0.5
    front = [
        task.measured({"x0": x, **{f"x{i}": rest for i in range(1, 4)}}) for x in np.linspace(0, 1, 2000)
    ]
    points = np.array([[m["f1"], m["f2"]] for m in front])
    share = hypervolume(points, np.array(task.aims.reference)) / task.aims.most
    assert share == pytest.approx(1, abs=2e-3)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 6)), max_size=8))
def test_the_hypervolume_is_the_number_of_dominated_unit_squares(points: list[tuple[int, int]]) -> None:
    squares = sum(
        any(x <= i and y <= j for x, y in points) for i in range(-1, 5) for j in range(-1, 4)
    )  # the square from (i, j) to (i + 1, j + 1), below the reference (5, 4)
    area = hypervolume(np.array(points, dtype=float).reshape(-1, 2), np.array([5.0, 4.0]))
    assert area == squares


@pytest.mark.parametrize("name", ["ramp", "dtlz2"])
@pytest.mark.parametrize("who", ["tunesmith", "tpe"])
def test_a_run_keeps_every_metric_and_its_winners_keep_every_limit(
    name: str, who: str, tmp_path: Path
) -> None:
    task, optimiser = TASKS[name], contender(who)
    trace = optimiser.run(task, 0, 12, Evaluator(task))
    store = Store(tmp_path)
    store.append([made(task, optimiser, 0, trace)])
    (run,) = store.load()
    assert set(run.metrics) == set(task.goals.names) and all(len(v) == 12 for v in run.metrics.values())
    assert run.winners and all(task.aims.feasible(run.at(i)) for i in run.winners)
    scores = task.aims.scores([run.at(i) for i in range(12)])
    np.testing.assert_allclose(run.array(12), scores)
    if task.goals.limits:
        infeasible = [not task.aims.feasible(run.at(i)) for i in range(12)]
        assert [v is None for v in run.values] == infeasible and any(infeasible)
        assert run.values[run.winners[0]] == min(v for v in run.values if v is not None)
    else:
        assert run.values == tuple(sorted(run.values))
        front = [run.at(i) for i in run.winners]
        assert not any(task.goals.dominates(run.at(i), f) for f in front for i in range(12))


def test_a_failed_evaluation_is_no_value_and_breaks_nothing() -> None:
    task = TASKS["ramp"]
    aims = replace(task.aims, measure=lambda c: {"value": math.nan, "shortfall": -1.0})
    broken = replace(task, aims=aims)
    trace = contender("tpe").run(broken, 0, 3, Evaluator(broken))
    assert np.isnan(trace.values).all() and trace.winners == ()


def run_with(values: list[float], margins: list[float], winners: tuple[int, ...], seed: int = 0) -> Run:
    """A run of TPE on `ramp`, made up."""
    task, optimiser = TASKS["ramp"], contender("tpe")
    return Run(
        task="ramp",
        contender="tpe",
        version=optimiser.version,
        setting=Run.key_of(task, optimiser, seed)[-1],
        seed=seed,
        values=task.aims.scores([{"value": v, "shortfall": m} for v, m in zip(values, margins, strict=True)]),
        cpu_s=1.0,
        proposal_s=0.1,
        proposals=len(values),
        metrics={"value": tuple(values), "shortfall": tuple(margins)},
        winners=winners,
    )


def test_a_winner_that_breaks_a_limit_is_counted_and_shown() -> None:
    honest = run_with([9.0, -3.0, 7.0], [-1.0, 8.0, 0.0], (2,))
    cheated = run_with([9.0, -3.0, 7.0], [-1.0, 8.0, 0.0], (1,), seed=1)
    summary = summarise(plan_of("ramp", 3, seeds=2), [honest, cheated])
    (figures,) = summary.by_task
    assert (figures.median, figures.broken, figures.without) == (7.0, 1, 0)
    assert any("the first is evaluation 2 of tpe on ramp, seed 1" in note for note in summary.notes)
    assert "1 winner of 2 runs break a limit" in shown(summary)
    assert '<span class="no">1</span>' in to_html(summary)
    clean = summarise(plan_of("ramp", 3), [honest])
    assert "No winner of 1 run breaks a limit." in clean.notes


def test_without_a_feasible_evaluation_regret_is_the_worst_and_the_median_is_none() -> None:
    runs = [run_with([1.0, 2.0], [4.0, 3.0], (), seed=seed) for seed in range(2)]
    summary = summarise(plan_of("ramp", 2, seeds=2), runs)
    (figures,) = summary.by_task
    assert figures.median == math.inf and figures.regret == 1.0 and figures.without == 2
    assert "none" in shown(summary) and "2 of 2" in shown(summary)
    assert json.loads(json.dumps(summary.rows[0].by_task)) == {"ramp": [1.0, 1.0]}


def test_a_run_of_one_metric_is_stored_as_before(tmp_path: Path) -> None:
    from bench.made_up import make_run, make_task

    store = Store(tmp_path)
    store.append([make_run(make_task(), "random", 0, (0.1, None))])
    line = json.loads(store.path.read_bytes())
    assert "metrics" not in line and "winners" not in line
    assert store.load()[0].metrics == {}


@pytest.mark.parametrize("suite", [constrained.SUITE, two_metric.SUITE], ids=lambda suite: suite.name)
def test_no_stored_run_took_an_evaluation_that_breaks_a_limit_for_its_best(suite: Suite) -> None:
    runs = Store(Path(__file__).resolve().parents[2] / "benchmarks" / suite.name).load()
    assert {run.contender for run in runs} >= {"tunesmith", "gp", "tpe", "random"}
    for run in runs:
        aims = TASKS[run.task].aims
        assert all(aims.feasible(run.at(i)) for i in run.winners)
        np.testing.assert_allclose(
            run.array(30), aims.scores([run.at(i) for i in range(30)]), rtol=1e-6, atol=1e-9
        )
