"""What a trial costs: the key `cost`, and kinds of problems that know it."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.plugins import PLUGINS, make_findable
from tunesmith import Bool, Categorical, Float, Int, Ordinal, Space
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.cli.run import adjusted
from tunesmith.errors import RunError, TaskError
from tunesmith.space import Constraint
from tunesmith.space.expressions import Expression
from tunesmith.task import Task, load_task
from tunesmith.task.costs import cost_range
from tunesmith.tools.records.run_folder import RunFolder

SPACE = Space(
    {
        "epochs": Int(1, 20),
        "width": Ordinal([16, 32, 64]),
        "lr": Float(1e-4, 1e-1, scale="log"),
        "kind": Categorical(["a", "b"]),
        "amp": Bool(),
        "extra": Int(1, 4, when={"kind": "b"}),
    }
)


def task(**more):
    return Task(**{"metric": "acc", "direction": "maximize", "space": SPACE, **more})


def test_the_cost_of_a_configuration_is_its_expression_where_an_inactive_parameter_counts_as_nothing():
    priced = task(cost="epochs * width / 16 + extra", budget={"cost": 100})
    assert priced.cost_of({"epochs": 3, "width": 32, "lr": 0.1, "kind": "b", "amp": True, "extra": 4}) == 10
    assert priced.cost_of({"epochs": 3, "width": 32, "lr": 0.1, "kind": "a", "amp": True}) == 6
    assert task().cost_of({"epochs": 3, "width": 32, "lr": 0.1, "kind": "a", "amp": True}) is None
    assert task(cost="3").cost_of({"epochs": 3}) == 3


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("epoch * 2", "cost: names 'epoch', which is no parameter. Did you mean 'epochs'?"),
        ("kind * 2", "'kind', which is not a number. Numeric parameters are epochs, width, lr, extra."),
        ("amp", "'amp', which is not a number"),
        ("epochs - 5", "should be a finite number above 0, and is -4 for epochs=1"),
        ("epochs / (width - 32)", "and is inf for"),
        ("epochs * extra", "(extra is inactive and counts as 0)"),
        ("(lr - 1e-4) * width", "and is 0 for epochs="),
        ("epochs <= 3", "'<=' (a comparison is none)"),
        ("epochs * ", "the end comes too early"),
        ("__import__('os')", "unexpected"),
        ("", "is arithmetic over parameters"),
    ],
)
def test_a_cost_that_is_none_somewhere_is_a_fault_that_says_where(cost, said):
    with pytest.raises(TaskError) as caught:
        task(cost=cost, default={"epochs": 1, "width": 32, "lr": 0.1, "kind": "a", "amp": True})
    assert said in str(caught.value) and caught.value.key == "cost"


def test_a_budget_of_cost_needs_a_cost():
    with pytest.raises(TaskError, match=r"budget.cost: .* Write arithmetic .*`cost: epochs"):
        task(budget={"cost": 3})


trees = st.recursive(
    st.sampled_from(["a", "b"]) | st.floats(0.1, 9).map(repr),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=10,
)


@settings(max_examples=100)
@given(trees, st.floats(0.1, 9), st.floats(-9, 9))
def test_an_expression_means_what_it_means_to_python_and_to_a_constraint(text, a, b):

    values = {"a": np.full(2, a), "b": np.full(2, b)}
    expression = Expression.parse(text)
    found = expression.evaluate({name: values[name] for name in expression.names})
    assert set(expression.names) == {name for name in ("a", "b") if name in text}
    try:
        expected = eval(text, {"a": a, "b": b})  # noqa: S307 - made above
    except ZeroDivisionError:
        assert not np.isfinite(found).any()
        return
    if expression.names:
        assert found.shape == (2,)
        assert Constraint.parse(f"{text} == {text}").holds(values).all() or not math.isfinite(expected)
    assert found == pytest.approx(expected, nan_ok=True) or abs(expected) > 1e300


KIND = """
from tunesmith_rosenbrock import Rosenbrock as Plain, RosenbrockSettings, evaluate

class Rosenbrock(Plain):
    def cost(self, options, configuration):
        return {cost}

    def feasible(self, options, configuration):
        return {feasible}
"""


COMPILE = """
    def compile(self, options, stated):
        made = dict(super().compile(options, stated))
        del made["metric"], made["direction"]
        goals = {"value": "minimize", "seconds": {"direction": "minimize", "take": "last"}, "mib": {}}
        return {**made, "metrics": goals, "metric": "seconds", "limits": {"mib": ["<= 3", ">= 1"]}}
"""


def kind(tmp_path: Path, monkeypatch, cost: str, feasible: str = "True", more: str = "") -> Path:
    source = tmp_path / "source"
    source.mkdir()
    for file in (PLUGINS / "problems").iterdir():
        if file.is_file():
            text = file.read_text().replace(":Rosenbrock", ":Priced")
            (source / file.name).write_text(text)
    text = KIND.replace("class Rosenbrock(", "class Priced(").format(cost=cost, feasible=feasible) + more
    (source / "tunesmith_priced.py").write_text(text)
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace("tunesmith_rosenbrock:", "tunesmith_priced:"))
    make_findable(source, tmp_path / "package", monkeypatch)
    monkeypatch.delitem(__import__("sys").modules, "tunesmith_priced", raising=False)
    path = tmp_path / "task.yaml"
    path.write_text("problem: {name: rosenbrock, dimensions: 2}\nbudget: {cost: 20}\n")
    return path


def test_a_kind_of_problem_says_what_a_trial_costs_and_what_can_be_run(tmp_path, monkeypatch):
    path = kind(
        tmp_path, monkeypatch, "20 + configuration['x0'] * options.dimensions", "configuration['x1'] > 0"
    )
    priced = load_task(path)
    assert priced.cost_of({"x0": 1.5, "x1": 1.0}) == 23
    assert not priced.space.problems({"x0": 1.0, "x1": 1.0})
    assert priced.space.problems({"x0": 1.0, "x1": -1.0})
    path.write_text(path.read_text() + "cost: '7 + 0 * x0'\n")
    assert load_task(path).cost_of({"x0": 1.5, "x1": 1.0}) == 23  # the kind knows better


@pytest.mark.parametrize(
    ("cost", "feasible", "said"),
    [
        ("configuration['x0']", "True", r"problem: rosenbrock says that x0=-.* costs -"),
        ("float('nan')", "True", "costs nan"),
        ("'3'", "True", "costs '3'"),
        ("1 / 0", "True", "rosenbrock fails for x0=.*ZeroDivisionError"),
        ("None", "True", "budget.cost: has no meaning"),
        (
            "1",
            "False",
            "problem: rosenbrock can run none of the configurations drawn from the space. 32,512 random",
        ),
    ],
)
def test_a_kind_that_says_nonsense_is_told_before_anything_runs(tmp_path, monkeypatch, cost, feasible, said):
    with pytest.raises(TaskError, match=said):
        load_task(kind(tmp_path, monkeypatch, cost, feasible))


def test_a_kind_can_fill_in_several_metrics_and_limits_and_its_runs_task_says_the_same(tmp_path, monkeypatch):
    path = kind(tmp_path, monkeypatch, "1 + configuration['x0'] ** 2", more=COMPILE)
    task = load_task(path)
    assert [goal.metric for goal in task.goals.objectives] == ["seconds", "value"]
    assert [limit.text for limit in task.limits] == ["mib <= 3", "mib >= 1"]
    (tmp_path / "again.yaml").write_text(task.to_yaml())
    again = load_task(tmp_path / "again.yaml")
    other = adjusted(path, name="other", trials=3, workers=None, seed=None)
    assert (other.name, other.budget.trials) == ("other", 3)
    for one in (again, other):
        assert (one.goals, one.readings, one.limits) == (task.goals, task.readings, task.limits)


def test_a_kind_that_was_changed_changes_the_task_and_not_what_its_runs_were(tmp_path, monkeypatch):
    path = kind(tmp_path, monkeypatch, "1 + configuration['x0'] ** 2", more=COMPILE)
    task = load_task(path)
    with RunFolder.create(tmp_path / "runs", task).lock():
        pass
    changed = import_module("tunesmith_priced").Priced
    once = changed.compile

    def compiled(self, options, stated):
        made = dict(once(self, options, stated))
        return {**made, "metrics": {**made["metrics"], "value": "maximize"}, "limits": {}}

    monkeypatch.setattr(changed, "compile", compiled)
    monkeypatch.setattr(changed, "cost", lambda *_: 1 / 0)
    kept = RunFolder.open(tmp_path / "runs" / task.name).task
    assert (kept.goals, kept.readings) == (task.goals, task.readings)
    monkeypatch.setattr(changed, "cost", lambda *_: 1.0)
    with pytest.raises(RunError, match="the goals beside seconds were minimize value and are now maximize"):
        RunFolder.create(tmp_path / "runs", load_task(path))


@pytest.mark.long
def test_a_kind_that_can_run_one_in_a_thousand_is_searched_there(tmp_path, monkeypatch):
    rule = "max(configuration.values()) < -4.5 and min(configuration.values()) > -4.97"
    task = load_task(kind(tmp_path, monkeypatch, "20 + configuration['x0']", rule))
    costs = cost_range(task)
    assert costs is not None and 15 < costs.least <= costs.most < 15.5
    strategy = GaussianProcessStrategy(task.space, 0, cost=task.cost_of, trials=8)
    found = strategy.propose(replace(task.empty_history(), affordable=80.0), 3)
    assert len(found) == 3 and not any(task.space.problems(proposal.configuration) for proposal in found)


def test_a_kind_that_changes_its_mind_is_held_to_what_it_said_first(tmp_path, monkeypatch):
    task = load_task(kind(tmp_path, monkeypatch, "1", "__import__('random').random() < 0.5"))
    drawn = task.space.sample(np.random.default_rng(0), 40)
    assert not any(task.space.problems(one) for one in drawn for _ in range(2))
