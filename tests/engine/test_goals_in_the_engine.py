"""Limits and several metrics in the loop: what ends a run, what is stopped, kept and recommended."""

from __future__ import annotations

import random

import pytest

from fakes.inline_engine import EngineMaker, InlineExecutor
from tunesmith.api import run_task
from tunesmith.budget import Budget
from tunesmith.events import TrialFinished
from tunesmith.goals import Goal, Limit
from tunesmith.history import History
from tunesmith.progress import Progress
from tunesmith.recommendation import by_best_value
from tunesmith.runs import feasible_configurations
from tunesmith.space import Float, Int, Space
from tunesmith.stopping import doubtful, why_over
from tunesmith.task import Task
from tunesmith.tools.analysis.health import health
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.engine.triggers import plateau
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

WIDE = Space({"x": Int(0, 1000)})
MS, MIB = Limit.read("ms", "<= 20"), Limit.read("mib", ">= 3")
TWO = {"others": (Goal(metric="ms", direction="minimize"),)}


def trial(number: int, acc: float, ms: float = 1.0, *, x: int | None = None, **values: float) -> Trial:
    configuration = WIDE.validate({"x": number if x is None else x})
    proposal = Proposal(configuration=configuration, origin=Origin.SURROGATE, reason="")
    return Trial(
        number=number,
        proposal=proposal,
        state=TrialState.COMPLETED,
        value=acc,
        values={"acc": acc, "ms": ms, **values},
    )


def history(*trials: Trial, **more) -> History:
    return History(WIDE, "acc", "maximize", trials=trials, **{"limits": (MS,), **more})


def test_the_front_is_what_nothing_feasible_dominates_and_begins_with_the_incumbent():
    """By the definition, on random studies with ties."""
    chance = random.Random(1)
    for case in range(150):
        more = {"others": TWO["others"], "limits": chance.choice([(), (MIB,)])}
        made = [
            trial(n, chance.randint(0, 4) / 4, chance.randint(0, 4), mib=chance.randint(0, 6))
            for n in range(chance.randint(0, 14))
        ]
        seen = history(*made, **more)
        feasible = [t for t in made if not more["limits"] or t.values["mib"] >= 3]
        defined = {
            t.number
            for t in feasible
            if not any(seen.goals.dominates(o.values, t.values) for o in feasible)
            and not any(
                o.number < t.number and (o.value, o.values["ms"]) == (t.value, t.values["ms"])
                for o in feasible
            )
        }
        assert {t.number for t in seen.front} == defined, case
        assert seen.incumbent == (seen.front[0] if seen.front else None)
        # A step forward joins the front of the trials so far; before one is feasible, it comes closer.
        progress, so_far = Progress(seen.goals), seen.without_trials()
        for one in made:
            so_far = so_far.with_trial(one)
            if one in so_far.feasible:
                assert progress.add(one) is (one in so_far.front)
            else:
                before = [t.values["mib"] for t in so_far.completed[:-1]]
                closer = not before or (max(before) < 3 and one.values["mib"] > max(before))
                assert progress.add(one) is closer


def test_a_target_is_reached_by_what_keeps_the_limits_alone():
    budget = Budget(target=0.9)
    assert why_over(history(trial(0, 0.95, 30)), budget, "none") is None
    over = why_over(history(trial(0, 0.95, 30), trial(1, 0.91, 20)), budget, "none")
    assert over == "the target acc 0.9 is reached: trial 1 has 0.91"
    assert doubtful(history(trial(0, 0.91, 30)), budget, 0.02) is None
    assert doubtful(history(trial(0, 0.91, 19)), budget, 0.02).provenance.replicate_of == 0
    # A configuration that was run twice is judged by the means of both.
    assert why_over(history(trial(0, 0.95, 19), trial(1, 0.95, 25, x=0)), budget, "none") is None
    assert why_over(history(trial(0, 0.95, 12), trial(1, 0.95, 25, x=0)), budget, "none") is not None


def test_patience_counts_what_brings_the_search_forward():
    budget = Budget(patience=3)

    def over(*trials, **more):
        return why_over(history(*trials, **more), budget, "none")

    best = [trial(0, 0.5, 10)]
    worse = [trial(n, 0.9, 30) for n in (1, 2, 3)]
    assert over(*best, *worse) == "3 trials in a row did no better than trial 0 (`patience` is 3)"
    assert over(*best, *worse[:2], trial(3, 0.6, 20)) is None
    closer = [trial(n, 0.5, 50 - n) for n in range(6)]
    assert over(*closer) is None
    assert over(*closer, *(trial(n, 0.9, 45) for n in (6, 7, 8))) == (
        "no trial keeps ms <= 20 yet, and 3 trials in a row came no closer than trial 5 (`patience` is 3)"
    )
    front = [trial(0, 0.9, 9), trial(1, 0.5, 5), trial(2, 0.4, 4), trial(3, 0.3, 3), trial(4, 0.2, 2)]
    assert over(*front, limits=(), **TWO) is None
    assert over(*front, *(trial(n, 0.2, 2) for n in (5, 6, 7)), limits=(), **TWO) == (
        "3 trials in a row did not change the Pareto front since trial 4 (`patience` is 3)"
    )
    # The policy is asked again at a plateau of the same kind.
    assert plateau(history(*best, *worse), 3) == 0 and plateau(history(*closer), 3) is None
    assert plateau(history(*front, limits=(), **TWO), 3) is None


def test_only_what_keeps_the_limits_by_its_means_is_recommended():
    seen = history(trial(0, 0.9, 10), trial(1, 0.97, 19), trial(2, 0.99, 40), trial(3, 0.93, 29, x=1))
    assert seen.incumbent.number == 1
    assert [runs.first.number for runs in feasible_configurations(seen)] == [0]
    found = by_best_value(seen)
    assert (found.trial, found.best_trial, found.expected) == (0, 1, 0.9)
    text = found.text(seen)
    assert text.startswith("best feasible acc seen: trial 1, 0.97; recommended: trial 0, expected 0.9")
    assert text.endswith("By the mean of its runs the configuration of trial 1 breaks a limit")
    assert by_best_value(history(trial(0, 0.9, 30))) is None
    two = history(trial(0, 0.9, 9), trial(1, 0.9, 5), trial(2, 0.8, 1), limits=(), **TWO)
    assert by_best_value(two).trial == 1 and [t.number for t in two.front] == [1, 2]


@pytest.mark.parametrize("kind", ["forecast", "median"])
def test_a_trial_that_breaks_a_limit_is_no_measure_for_others(kind):
    spec = Task(
        name="t",
        metric="acc",
        direction="maximize",
        space=WIDE,
        pruner={"kind": kind, "startup_trials": 2},
    ).pruner

    def stops(ms: float) -> bool:
        pruner = Pruner(spec, "maximize", (MS,))
        for n in range(6):
            curve = tuple((step, 0.9 + step / 1000 + n / 1e4) for step in range(10))
            pruner.observe(trial(n, 0.9 + n / 1e4, ms).model_copy(update={"curve": curve}))
        return any(
            pruner.should_stop(9, [(step, 0.3 + step / 1000) for step in range(n + 1)]) for n in range(1, 6)
        )

    assert stops(10) and not stops(30)


def test_with_several_metrics_nothing_is_stopped_unless_the_task_says_so():
    fields = {"name": "t", "metrics": {"acc": "maximize", "ms": "minimize"}, "space": WIDE, "tuner": "random"}
    assert Task(**fields).pruner.kind == "none"
    stated = Task(**fields, objective={"function": "t.py:train"}, pruner="forecast")
    assert stated.pruner.kind == "forecast" and "forecast" in stated.to_yaml()
    limited = {**fields, "metrics": {"acc": "maximize"}, "limits": {"ms": "<= 3"}}
    assert Task(**limited).pruner.kind == "forecast"


@pytest.mark.long
def test_checkpoints_of_the_front_stay_and_those_of_the_best_that_breaks_a_limit_go(tmp_path):
    def train(config, trial):
        (trial.checkpoint_dir / "weights").write_text("w")
        return {"acc": config["x"], "ms": 30 * abs(config["x"] - 0.2)}

    fields = {"space": Space({"x": Float(0, 1)}), "checkpoints": "best", "tuner": "random", "preload": ()}
    one = Task(
        name="one", metrics={"acc": "maximize"}, limits={"ms": "<= 10"}, budget={"trials": 7}, **fields
    )
    two = Task(name="two", metrics={"acc": "maximize", "ms": "minimize"}, budget={"trials": 7}, **fields)
    for task in (one, two):
        said = []
        result = run_task(task, runs=tmp_path, model=None, train=train, listen=said.append)
        kept = sorted(int(path.parent.name) for path in result.folder.glob("trials/*/checkpoints"))
        assert kept == sorted(t.number for t in result.history.front)
        ends = [e for e in said if isinstance(e, TrialFinished)]
        best = [result.history.get(e.number).value for e in ends if e.improved]
        assert best == sorted(set(best)) and best[-1] == result.best_value
        if task is one:
            assert (
                result.best_trial.values["ms"] <= 10 < max(t.values["ms"] for t in result.history.completed)
            )
        else:
            assert len(kept) > 1 and any(e.on_front and not e.improved for e in ends)


def test_a_run_in_which_nothing_is_feasible_ends_like_any_other_and_says_so(maker: EngineMaker):
    def train(job):
        x = float(job.configuration["x"])
        return Outcome(state=TrialState.COMPLETED, values={"score": x, "ms": 30 + x})

    engine = maker.engine(
        executor=InlineExecutor(train=train), limits={"ms": "<= 20"}, budget=Budget(trials=9)
    )
    ended = engine.run()
    closest = min(ended.history, key=lambda t: t.value)
    assert ended.status == "finished" and ended.by_budget and not ended.history.feasible
    assert ended.reason.startswith(
        "the budget of 9 trials is used; 9 trials completed, none keeps ms <= 20; "
    )
    assert f"the closest is trial {closest.number} with " in ended.reason
    assert not any(event.improved for event in maker.events(TrialFinished))
    doubts = health(ended.history, engine.task, maker.events())
    assert any("Every one of the 9 completed trials breaks ms <= 20" in doubt for doubt in doubts)
    # A looser limit on the next session judges the same trials anew.
    again = maker.engine(limits={"ms": "<= 31"}, budget=Budget(trials=9))
    assert len(again.history.feasible) == 9 and again.history.incumbent.number != closest.number


def test_doubts_of_limits():
    task = Task(name="t", metric="acc", direction="maximize", space=WIDE, limits={"ms": "<= 20"})
    late = [trial(n, 0.5, 30 + n) for n in range(9)] + [trial(9, 0.4, 19.5), trial(10, 0.3, 10)]
    doubts = health(history(*late), task, [])
    assert any(d.startswith("9 of 11 trials (82%) were spent while nothing was feasible") for d in doubts)
    assert any("the best trial, 9, lies within 5% of ms <= 20, where it has 19.5" in d for d in doubts)
    apart = history(trial(0, 1, 10, mib=1), trial(1, 1, 30, mib=4), limits=(MS, MIB))
    assert any("none keeps ms <= 20 and mib >= 3 together" in d for d in health(apart, task, []))
    fine = history(trial(0, 0.5, 3), trial(1, 0.6, 2))
    assert not any("limit" in doubt for doubt in health(fine, task, []))
