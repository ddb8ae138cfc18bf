"""Contenders on a task with conditions, integers, categories and failures; real samplers throughout."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.made_up import DEFAULT, make_task
from tunesmith.bench.contenders import NAMES, contender
from tunesmith.bench.task import Values
from tunesmith.bench.trace import Evaluator, Trace
from tunesmith.errors import UsageError
from tunesmith.space import Float, Space


def play(name: str, evaluations: int = 13, seed: int = 0) -> tuple[Trace, list[Values]]:
    seen: list[Values] = []
    task = make_task()

    def watched(configuration: Values) -> float:
        task.space.validate(configuration)  # raises for what is not legal
        seen.append(dict(configuration))
        return task.evaluate(configuration)

    watching = replace(task, evaluate=watched)
    evaluate = Evaluator(watching)
    return contender(name).run(watching, seed, evaluations, evaluate), seen


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("hyperband")])
def test_a_contender_plays_to_the_end_with_legal_configurations(name: str) -> None:
    trace, seen = play(name)
    assert len(trace.values) == 13
    assert trace.fault == ""
    assert all(math.isnan(v) or v <= 1 for v in trace.values)
    if name.endswith("+default") or name.startswith("gp+default") or name in NAMES[:4]:
        assert seen[0] == DEFAULT


@pytest.mark.long
@pytest.mark.parametrize("name", ["tunesmith", "gp+default", "tpe", "cmaes+default", "random"])
def test_the_same_seed_gives_the_same_run_and_another_seed_another(name: str) -> None:
    def text(seed: int) -> str:
        return repr(play(name, seed=seed)[0].values)  # NaN is not equal to itself, its text is

    assert text(3) == text(3)
    assert text(3) != text(4)


def test_shared_starting_points_come_first_and_the_default_after_them() -> None:
    given: list[Values] = [
        {"kind": "round", "x": 0.5, "n": 3},
        {"kind": "flat", "x": 0.2, "n": 8, "slope": 0.1},
    ]
    for name in ("tunesmith", "tpe+default", "cmaes+default"):
        order: list[Values] = []

        def watched(configuration: Values, order: list[Values] = order) -> float:
            order.append(dict(configuration))
            return 0.5

        task = replace(make_task(), initial=lambda seed: given, evaluate=watched)
        contender(name).run(task, 0, 4, Evaluator(task))
        assert order[:3] == [*given, DEFAULT], name


@pytest.mark.parametrize("name", ["hyperband", "hyperband+default"])
def test_hyperband_is_judged_by_whole_trainings_within_the_same_steps(name: str) -> None:
    steps = 0
    task = make_task()
    assert task.fidelities is not None
    inner = task.fidelities.curve

    def counted(c: Values):  # type: ignore[no-untyped-def]
        nonlocal steps
        for value in inner(c):
            steps += 1
            yield value

    task = replace(task, fidelities=replace(task.fidelities, curve=counted))
    trace = contender(name).run(task, 1, 6, Evaluator(task))
    assert steps == 6 * 9
    assert len(trace.values) == 6
    assert trace.proposals > 6  # some were stopped early
    whole = [v for v in trace.values if not math.isnan(v)]
    assert whole and max(whole) <= 1
    again = contender(name).run(task, 1, 6, Evaluator(task))
    assert repr(again.values) == repr(trace.values)


def test_hyperband_ends_on_a_task_that_always_fails() -> None:
    def broken(c: Values):  # type: ignore[no-untyped-def]
        raise RuntimeError("no data")
        yield 0.0

    task = make_task()
    assert task.fidelities is not None
    task = replace(task, fidelities=replace(task.fidelities, curve=broken))
    trace = contender("hyperband").run(task, 0, 2, Evaluator(task))
    assert all(map(math.isnan, trace.values))
    assert trace.fault == "RuntimeError: no data"


def test_an_objective_that_raises_is_a_failed_evaluation_with_its_cause() -> None:
    def sometimes(c: Values) -> float:
        if c["kind"] == "flat":
            raise ValueError("flat\nis not supported")
        return 1.0

    task = replace(make_task(), evaluate=sometimes)
    trace = contender("random").run(task, 0, 10, Evaluator(task))
    assert trace.fault == "ValueError: flat is not supported"
    assert 0 < sum(map(math.isnan, trace.values)) < 10


def test_a_broken_constraint_is_a_failed_evaluation_that_is_not_made() -> None:
    def score(c: Values) -> float:
        assert float(c["a"]) < float(c["b"])
        return float(c["a"])

    space = Space({"a": Float(0, 1), "b": Float(0, 1)}, ["a < b"])
    task = replace(make_task(), space=space, default={"a": 0.1, "b": 0.2}, evaluate=score)
    trace = contender("tpe").run(task, 0, 12, Evaluator(task))
    assert any(map(math.isnan, trace.values))
    assert "AssertionError" not in trace.fault
    ours = contender("tunesmith").run(task, 0, 12, Evaluator(task))
    assert not any(map(math.isnan, ours.values))


def test_what_was_evaluated_before_is_charged_again_but_not_made_again() -> None:
    calls = 0

    def slow(c: Values) -> float:
        nonlocal calls
        calls += 1
        return float(sum(range(20_000)) % 7)

    evaluate = Evaluator(replace(make_task(), evaluate=slow))
    evaluate(DEFAULT)
    first = evaluate.seconds
    evaluate.begin()
    evaluate(DEFAULT)
    assert calls == 1
    assert evaluate.seconds == first > 0


SAMPLER = """
import optuna

class Mine(optuna.samplers.RandomSampler):
    pass

def factory(seed):
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=2)
"""


def test_any_optuna_sampler_takes_part_by_module_and_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_sampler_of_mine.py").write_text(SAMPLER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"] + __import__("sys").path)
    for name in ("a_sampler_of_mine:Mine", "a_sampler_of_mine:factory+default"):
        trace, seen = play(name, evaluations=5)
        assert len(trace.values) == 5
        assert (seen[0] == DEFAULT) == name.endswith("+default")
    before = contender("a_sampler_of_mine:Mine").version
    (tmp_path / "a_sampler_of_mine.py").write_text(SAMPLER + "\n# another build\n")
    assert contender("a_sampler_of_mine:Mine").version != before


@pytest.mark.parametrize(
    "name", ["nobody", "tunesmith-", "no_such_module:Sampler", "os:1", "../x:y", ":", ""]
)
def test_an_unknown_contender_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError):
        contender(name)
