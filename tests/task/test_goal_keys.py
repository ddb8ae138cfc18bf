"""The keys `metrics`, `metric`, `direction` and `limits` of a task."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunesmith
from fakes.plugins import PLUGINS, make_findable
from tunesmith import Float, Int, Space
from tunesmith.errors import TaskError
from tunesmith.goals import Goal, Limit
from tunesmith.task import Task, load_task

SPACE = Space({"lr": Float(0.1, 1.0), "epochs": Int(1, 9)})
REST = """
objective: {command: "python t.py {options}"}
space: {lr: {type: float, low: 0.1, high: 1.0}, epochs: {type: int, low: 1, high: 9}}
"""
MANY = ", ".join(f"m{i}: maximize" for i in range(9))
CROWD = ", ".join(f'm{i}: "<= 1"' for i in range(60))


def load(tmp_path, text):
    path = tmp_path / "task.yaml"
    path.write_text(f"{text}\n{REST}")
    return load_task(path)


def test_several_metrics_and_limits_are_read_the_first_metric_or_the_one_named_being_the_primary_one(
    tmp_path,
):
    stated = "metrics: {acc: maximize, ms: {direction: minimize, take: best}, mib: {take: last}}\n"
    task = load(tmp_path, stated + 'limits: {ms: "<= 20", size: [">= 1", "<=5.5"]}')
    assert [goal.text for goal in task.goals.objectives] == ["maximize acc", "minimize ms"]
    assert [limit.text for limit in task.limits] == ["ms <= 20", "size >= 1", "size <= 5.5"]
    readings = dict(task.readings)
    assert list(readings) == ["acc", "ms", "size", "mib"]
    assert (readings["ms"].take, readings["ms"].maximize, readings["mib"].take) == ("best", False, "last")
    assert load(tmp_path, stated + "metric: ms").goals.primary == Goal(metric="ms", direction="minimize")
    assert load(tmp_path, "metrics: {acc: maximize}") == load(tmp_path, "metric: acc\ndirection: maximize")
    assert load(tmp_path, "metric: acc\ndirection: maximize\nlimits: {acc: '>= 0.9'}").limits[0].bound == 0.9


# what stands in the file, and for each fault, in order: key, a part of the message
FAULTS = [
    (
        "metrics: {acc: max, lat: lower, x: maximise, y: foo, w: 3}",
        [
            ("metrics.acc", "should be 'maximize' or 'minimize', got 'max'. Write `acc: maximize`."),
            ("metrics.lat", "got 'lower'. Write `lat: minimize`."),
            ("metrics.x", "got 'maximise'. Write `x: maximize`."),
            ("metrics.y", "got 'foo'. Write `y: maximize` or `y: minimize`."),
            ("metrics.w", "got 3. Write `w: maximize`"),
        ],
    ),
    ("metrics: {a: maximize, b: }", [("metrics.b", "Write `b: maximize` or `b: minimize`; `b: {}` only")]),
    (
        "metrics: [a, b]",
        [("metrics", "without which way is better, got ['a', 'b']. Write `metrics: {a: max")],
    ),
    ("metrics: a", [("metrics", "Write `metrics: {a: maximize}`, with `minimize` where less is better")]),
    ("metrics: {}", [("metrics", "Write `metrics: {val_accuracy: maximize, latency_ms: minimize}`")]),
    ("metrics: 3", [("metrics", "got 3. Write `metrics: {")]),
    ("metrics: {a: maximize}\ndirection: maximize", [("direction", "said by `metrics` already. Remove it")]),
    (
        "metrics: {aa: maximize, b: {}}\nmetric: aaa",
        [("metric", "got 'aaa'. Name the one to show and to stop by: did")],
    ),
    (
        "metrics: {a: maximize, b: {}}\nmetric: b",
        [("metric", "only measured by `metrics`, got 'b'. Name the one")],
    ),
    ("metrics: {a: maximize}\nmetric: {name: a, take: best}", [("metric", "`metrics` says how each")]),
    ("metrics: {a: maximize}\nmetric: [a]", [("metric", "got ['a']. Name the one to show and to stop by")]),
    (
        "metrics: {a: maximize, b: {tak: best, take: worst, limit: 3, regex: '('}}",
        [
            ("metrics.b.tak", "did you mean 'take'?"),
            ("metrics.b.limit", '`limits: {b: "<= 20"}`'),
            ("metrics.b.take", "'best' or 'last', got 'worst'"),
            ("metrics.b.regex", "should be a regular expression"),
        ],
    ),
    ("metrics: {a.b: maximize, c.d: {direction: up}}", [("metrics.c.d.direction", "`direction: maximize`")]),
    ("metrics: {a: {}, b: {}}", [("metrics", "none to optimise. Write `a: maximize`")]),
    ("metrics: {a: maximize, ' b': minimize}", [("metrics. b", "a short name")]),
    ("metrics: {a: maximize, lr: minimize}", [("metrics.lr", "a hyperparameter of the space as well")]),
    (f"metrics: {{{MANY}}}", [("metrics", "has 9 metrics to optimise, and at most 8 can be")]),
    ("metrics: {a: maximize, a: minimize}", [("metrics.a", "")]),
    ("metrics: {a: maximize, b: {file: r.json}}\nworkers: 2", [("metrics.b.file", "2 run at a time")]),
    ("metrics: {a: maximize}\nfurther: []", [("further", "Write `metrics`")]),
    ("metric: a\ndirection: maximize\nmetrcs: {a: maximize}", [("metrcs", "did you mean 'metrics'?")]),
    (
        "limits: {lat: 20}\nmetrics: {lat: minimize}",
        [("limits.lat", 'Write `lat: "<= 20"` for at most that, or `lat: ">=')],
    ),
    (
        "limits: {acc: 0.9}\nmetrics: {acc: maximize}",
        [("limits.acc", 'Write `acc: ">= 0.9"` for at least that, or')],
    ),
    ("limits: 3\nmetrics: {a: maximize}", [("limits", 'got 3. Write `limits: {latency_ms: "<= 20"}`')]),
    (
        "limits: ['b <= 3', 'c>=2']\nmetrics: {a: maximize}",
        [("limits", 'Write `limits: {b: "<= 3", c: ">=2"}`')],
    ),
    (
        "limits: {epochs: '<= 3'}\nmetrics: {a: maximize}",
        [("limits.epochs", "Narrow its range, or write a const")],
    ),
    (f"limits: {{{CROWD}}}\nmetrics: {{a: maximize}}", [("limits", "makes 61 metrics")]),
    ("limits: {' b': '<= 3'}\nmetrics: {a: maximize}", [("limits. b", "short name of a metric")]),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS, ids=[text[:40] for text, _ in FAULTS])
def test_every_fault_is_told_with_key_line_value_and_fix_and_nothing_is_called_missing(
    tmp_path, text, expected
):
    with pytest.raises(TaskError) as caught:
        load(tmp_path, text)
    found = [caught.value, *caught.value.also]
    assert [fault.key for fault in found] == [key for key, _ in expected]
    for fault, (key, said) in zip(found, expected, strict=True):
        assert said in f"{fault.problem} {fault.fix}"
        top = key.split(".")[0]
        assert fault.line == 1 + [line.split(":")[0] for line in text.splitlines()].index(top)


BOUNDS = [
    ("'<20'", "should have `<=`, since a value at the bound keeps a limit, got '<20'. Write `x: \"<= 20\"`."),
    ("'> -2.5'", 'Write `x: ">= -2.5"`.'),
    ("'<= 20ms'", "'ms' follows it). Write it in the units in which x is reported: `x: \"<= 20\"`."),
    ("'<= 5 M'", "'M' follows it"),
    ("'<= 90%'", "'%' follows it"),
    ("'20'", "does not say which side is bounded, got '20'. Write `x: \"<= 20\"` for at most that, or"),
    ("true", "got True. Write `x: \"<= 20\"`, or `\">= 20\"`, with the bound you mean."),
    ("null", "got None"),
    ("'<= nan'", "should have a finite bound, got '<= nan'."),
    ("'>= -inf'", "should have a finite bound"),
    ("'<= 1e999'", "should have a finite bound"),
    ("'== 3'", "asks for one exact value"),
    ("'10 <= x <= 20'", 'Write the two bounds as a list: `x: [">= 10", "<= 20"]`.'),
    ("10-20", '`x: [">= 10", "<= 20"]`'),
    ("0.1..0.2", '`x: [">= 0.1", "<= 0.2"]`'),
    ("'20 <='", "such as `<= 20`, got '20 <='"),
    ("'a <= 3'", "names a metric in its bound, got 'a <= 3'. Write `x: \"<= 3\"`."),
    ("'<= 1,000'", 'Write `x: "<= 1000"`.'),
    ("≤ 5", 'Write `x: "<= 5"`.'),
    ("'=> 5'", 'Write `x: ">= 5"`.'),
    ("{max: 3}", 'Write `x: "<= 3"`.'),
    ("{max: 2, min: 1}", 'Write `x: [">= 1", "<= 2"]`.'),
    ("{of: 2}", "should be a comparison, got {'of': 2}."),
    ("[]", "got []"),
    ("['>= 30', '<= 20']", 'no value is both >= 30 and <= 20. Write the range as `[">= 20", "<= 30"]`'),
    ("['<= 3', '<= 4']", "bounds the same side 2 times: <= 3 and <= 4. Keep one, such as `<= 3`."),
    ("__import__('os')", "should be a comparison with a number"),
]  # fmt: skip


@pytest.mark.parametrize(("bound", "said"), BOUNDS, ids=[bound for bound, _ in BOUNDS])
def test_a_bound_that_is_none_is_told_with_what_was_meant(tmp_path, bound, said):
    with pytest.raises(TaskError) as caught:
        load(tmp_path, f"metrics: {{a: maximize}}\nlimits:\n  y: '<= 3'\n  x: {bound}")
    assert (caught.value.line, caught.value.key, caught.value.also) == (4, "limits.x", ())
    assert said in f"{caught.value.problem} {caught.value.fix}"


@pytest.mark.parametrize(
    ("limits", "line", "fix"),
    [
        ("limits: {a: >= 20}", 1, '`a: ">= 20"`'),
        ("limits:\n  a: >= 20  # ms", 2, '`a: ">= 20"`'),
        ("limits: {a: [>= 20, <= 30]}", 1, '`">= 20"`'),
        ("limits:\n  a:\n    - >= 20", 3, '`- ">= 20"`'),
    ],
)
def test_a_bound_that_needs_quotes_in_yaml_is_told_so(tmp_path, limits, line, fix):
    with pytest.raises(TaskError) as caught:
        load(tmp_path, f"{limits}\nmetrics: {{a: maximize}}")
    assert caught.value.line == line and "begins with >, which YAML keeps" in str(caught.value)
    assert fix in caught.value.fix


NAMES = st.text("ab_/.@µ|*[]{}<>:#'\"-", min_size=1, max_size=6).filter(lambda text: text == text.strip())
ENTRY = st.sampled_from(
    ["maximize", "minimize", {}, {"take": "best"}, {"direction": "minimize", "take": "last"},
     {"direction": "maximize", "regex": "x (?P<value>.)"}]
)  # fmt: skip
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(
    metrics=st.dictionaries(NAMES, ENTRY, min_size=1, max_size=6),
    limits=st.dictionaries(NAMES, st.tuples(st.sampled_from(["<=", ">="]), NUMBER), max_size=3),
    ranges=st.dictionaries(NAMES, st.tuples(NUMBER, NUMBER), max_size=2),
    primary=st.booleans(),
)
def test_a_task_with_several_metrics_comes_back_from_its_file_and_from_its_dump(
    tmp_path_factory, metrics, limits, ranges, primary
):
    directed = [n for n, how in metrics.items() if isinstance(how, str) or "direction" in how]
    stated = {name: f"{operator} {bound!r}" for name, (operator, bound) in limits.items()}
    stated |= {name: [f">= {min(two)!r}", f"<= {max(two)!r}"] for name, two in ranges.items()}
    given_ = {"metrics": metrics, "limits": stated}
    given_ |= (
        {"metric": directed[-1], "cost": "1 + lr", "budget": {"cost": 7.5}} if primary and directed else {}
    )
    if not directed:
        with pytest.raises(TaskError, match="none to optimise"):
            Task(**given_, space=SPACE, objective="t.py:train")
        return
    task = Task(**given_, space=SPACE, objective="t.py:train", default={"lr": 0.5, "epochs": 3})
    assert {goal.metric for goal in task.goals.objectives} == set(directed)
    assert {limit.metric for limit in task.limits} == set(stated)
    dumps = [task.model_dump(), json.loads(task.model_dump_json()), task.model_dump(mode="json"), dict(task)]
    for dump in dumps:
        again = Task(**dump)
        assert (again, again.readings) == (task, task.readings)
    path = tmp_path_factory.mktemp("task") / f"{task.name}.yaml"
    path.write_text(task.to_yaml(), encoding="utf-8")
    again = load_task(path)
    assert (again.goals, again.further, again.metric_spec) == (task.goals, task.further, task.metric_spec)
    assert again.model_copy(update={"path": None}) == task and again.to_yaml() == task.to_yaml()


def test_limits_in_python_are_checked_as_those_of_a_file():
    basis = {
        "metric": "a",
        "direction": "maximize",
        "space": {"lr": {"type": "float", "low": 0.1, "high": 1.0}},
    }
    two = [Limit(metric="b", operator=">=", bound=3), Limit(metric="b", operator="<=", bound=2)]
    with pytest.raises(TaskError, match=r"limits.b: cannot be kept"):
        Task(**basis, limits=two)
    assert Task(**basis, limits=two[:1]).limits == tuple(two[:1])
    with pytest.raises(TaskError, match="further: is said by `metrics` already"):
        Task(**{**basis, "metric": "a", "metrics": {"a": "maximize"}, "further": ({"spec": {"name": "c"}},)})


@pytest.mark.parametrize(
    ("goals", "lacking"),
    [
        ({"metrics": {"a": "maximize", "b": "minimize"}}, "optimise several metrics"),
        ({"metrics": {"a": "maximize"}, "limits": {"b": "<= 3"}}, "keep limits on metrics"),
        (
            {"metrics": {"a": "maximize", "b": "minimize"}, "limits": {"b": "<= 3"}},
            "optimise several metrics or keep limits on metrics",
        ),
    ],
    ids=str,
)
def test_a_method_that_cannot_do_what_the_task_asks_for_is_refused_with_those_that_can(
    goals, lacking, tmp_path, monkeypatch
):
    make_findable(PLUGINS / "methods", tmp_path / "package", monkeypatch)
    basis = {"space": {"lr": {"type": "float", "low": 0.1, "high": 1.0}}}
    assert Task(**basis, metrics={"a": "maximize", "b": {}}, tuner="halton").tuner.name == "halton"
    for name in ("hybrid", "numeric", "llambo", "random"):
        assert Task(**basis, **goals, tuner=name).tuner.name == name
    with pytest.raises(TaskError) as caught:
        Task(**basis, **goals, tuner="halton")
    assert (caught.value.key, caught.value.also) == ("tuner", ())
    assert lacking in caught.value.problem and "`tuner: hybrid`: hybrid, numeric, " in caught.value.fix


def test_with_several_metrics_no_trial_is_stopped_early_unless_a_pruner_is_stated(tmp_path):
    several, limited = (
        "metrics: {a: maximize, b: minimize}",
        "metrics: {a: maximize, b: {}}\nlimits: {b: '<= 3'}",
    )
    kinds = {
        several: "none",
        limited: "forecast",
        f"{several}\npruner: forecast": "forecast",
        f"{several}\npruner: {{warmup_steps: 4}}": "forecast",
        f"{several}\npruner: median": "median",
    }
    for text, kind in kinds.items():
        task = load(tmp_path, text)
        assert task.pruner.kind == kind
        (tmp_path / "again.yaml").write_text(task.to_yaml())
        assert load_task(tmp_path / "again.yaml").pruner == Task(**task.model_dump()).pruner == task.pruner


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "metric: is missing"),
        ({"metric": "a"}, "direction: is missing"),
        ({"metrics": {"a": "max"}}, "Write `a: maximize`"),
        ({"metrics": {"a": "maximize"}, "direction": "maximize"}, "direction: is said by `metrics` already"),
        ({"metrics": {"a": "maximize"}, "limits": {"b": 20}}, "limits.b: does not say which side"),
        (
            {"metrics": {"a": "maximize"}, "cost": lambda config: 3},
            "cost: cannot be a function, which would be",
        ),
        ({"metrics": {"a": "maximize"}, "cost_budget": 3}, "budget.cost: has no meaning without a cost"),
    ],
    ids=range(7),
)
def test_tune_says_the_same_of_its_arguments(given_, said):
    with pytest.raises(TaskError, match=re.escape(said)):
        tunesmith.tune(lambda config, trial: 0.0, {"lr": Float(0.1, 1.0)}, **given_)


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["a", "b", "lr", "maximize", "max", "<= 20", ">= 1", "epochs * 2", "lr - 5", "best", 10**400]
    )
)
KEYS = (
    st.text(max_size=5)
    | st.integers()
    | st.sampled_from(["a", "b", "lr", "direction", "take", "name", "file"])
)
JUNK = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["metric", "metrics", "direction", "limits", "cost", "metric_spec", "further", "budget"]
        ),
        JUNK,
        max_size=4,
    )
)
def test_whatever_stands_at_these_keys_is_read_or_refused(fields):
    try:
        task = Task(**{"metric": "a", "direction": "maximize", **fields, "space": SPACE})
    except TaskError as error:
        assert all(fault.key for fault in [error, *error.also]) and len(str(error)) < 10_000
    else:
        assert Task(**task.model_dump()) == task
