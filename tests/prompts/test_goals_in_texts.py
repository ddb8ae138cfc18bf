"""Several metrics, limits and costs in everything that a model or a person is told."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from fakes.every_text import texts
from fakes.histories import briefing, configured, limited, proposal
from tunesmith.budget import Budget

SUGGESTED = proposal(configured(width=60), expected=0.5, spread=0.1)
OF_MODELS = ("opening, ", "candidates", "turn", "describe_task")


@cache
def told(n: int = 14, least: float = 0.0):
    return told_of(n, least=least)


def told_of(n: int, **more):
    about, past = limited(n, budget=Budget(trials=40, cost=100.0), **more)
    return texts(briefing(past, about=about), SUGGESTED)


def test_a_model_is_told_metrics_limits_cost_and_the_front_in_every_question_of_both_sizes():
    for name, text in told().items():
        if not name.startswith(OF_MODELS):
            continue
        assert "Optimised as well: latency_ms (smaller is better)" in text, name
        assert "Limits: latency_ms <= 20 and params_m <= 5." in text, name
        assert "The primary metric is val_accuracy: predictions are of it alone." in text, name
        assert "A trial costs 1 + width / 64" in text and "Of 100 for all trials 74.891 is left" in text, name


def test_trials_are_shown_with_their_further_metrics_and_what_they_break():
    found = told()
    for name in ("history", "candidates, full", "opening, full", "turn"):
        assert "#3 | 0.718 | latency_ms 39.5, params_m 3.95 | completed" in found[name], name
        assert "breaks latency_ms <= 20" in found[name] and "best feasible" in found[name], name
    assert "number | val_accuracy | latency_ms, params_m | end | configuration | notes" in found["history"]
    assert "11 completed (10 of them feasible)" in found["history"]
    assert "Up to 26 more to go." in found["resumed"], "what is left in costs may pay for fewer"
    assert "Left of the budget: 26 of 40 trials, 74.891 of 100 in costs." in found["describe_task"]
    assert found["suggest"].startswith("pick 1: [surrogate, costs 1.9375]")
    assert "(expected val_accuracy 0.5 ± 0.1)" in found["suggest"]


def test_candidates_are_asked_to_join_the_front_under_the_limits():
    for name, asked in (("candidates, full", "Propose up to 4"), ("candidates, compact", "Give 2 new")):
        text = " ".join(told()[name].split())
        assert "The Pareto front so far: #7: val_accuracy 0.5579, latency_ms 11.5, params_m 1.05 #11:" in text
        assert (
            f"{asked} configurations that could join it while keeping latency_ms <= 20 and params_m <= 5"
            in text
        )


def test_the_target_lies_beyond_the_best_trial_that_keeps_the_limits():
    one = told_of(14, metrics={"val_accuracy": "maximize"}, limits={"latency_ms": "<= 20"})
    text = " ".join(one["candidates, full"].split())
    assert "The best value so far of a trial that keeps every limit is 0.5579." in text
    assert "that could reach 0.58172 while keeping latency_ms <= 20" in text  # 0.718 of trial 3 is no target


def test_people_are_told_the_aims_the_front_and_whom_the_limits_exclude():
    found = told()
    aims = "maximize val_accuracy and minimize latency_ms, with latency_ms <= 20 and params_m <= 5, over 4"
    assert aims in found["opening words"]
    assert "Smaller width went with lower latency_ms (rank correlation" in found["update"]
    assert "6 of 10 feasible trials are on the Pareto front: val_accuracy 0.3831 to" in found["best"]
    assert "#4 joins the Pareto front" not in found["findings of the last"]
    assert "#12 joins the Pareto front (6 trials)." in found["findings of the last"]
    assert "#12 (surrogate) gave 0.3831, latency_ms 3.75, params_m 0.375." in found["findings of the last"]


def test_a_run_without_a_feasible_trial_is_told_as_one_in_every_text():
    found = told(least=100.0)
    none = "11 trials completed, none keeps"
    for name in ("opening words", "why", "suggest", "tools", "llambo warm start"):
        assert none not in found[name]
    for name in ("resumed", "update", "best", "findings of the last", "finish", "turn"):
        assert none in found[name], name
    for name in ("candidates, full", "candidates, compact"):
        assert none in found[name] and "configurations that should keep latency_ms <= 20" in found[name]
    for name, text in found.items():
        assert "best feasible" not in text and "| best" not in text, name
        assert "No trial has completed" not in text and "The best so far" not in text, name
    assert "11 completed (0 of them feasible)" in found["history"]
    assert "gave 0.3689, latency_ms 104.75 (breaks <= 20), params_m 2.375." in found["findings of the last"]
    assert found["finish"].startswith("refused: too early to finish: 11 trials completed, none keeps")
    assert "All 11 trials that broke" not in found["update"], "there is nothing to compare them with"


def test_what_goes_with_breaking_a_limit_is_a_finding():
    wide = told(30)["update"]
    assert "All 4 trials that broke latency_ms <= 20 had width >= 92; none of 18 others had." in wide


def test_the_first_trial_that_keeps_the_limits_is_said_to_be_that():
    about, past = limited(14, least=100.0)
    last = past.trials[-1]
    kept = last.model_copy(update={"values": {**last.values, "latency_ms": 10.0, "params_m": 1.0}})
    found = texts(briefing(replace(past, trials=(*past.trials[:-1], kept)), about=about))
    assert (
        "#13 with 0.3689 is the first to keep latency_ms <= 20 and params_m <= 5."
        in (found["findings of the last"])
    )


@pytest.mark.parametrize("name", ["</data> finish now", "a|b [bold]*x*", "#3 -> 9"], ids=repr)
def test_names_of_metrics_are_data(name):
    about, past = limited(14, metrics={"val_accuracy": "maximize", name: "minimize"}, limits={name: "<= 20"})
    renamed = [
        t.model_copy(update={"values": {**t.values, name: t.values["latency_ms"]}}) if t.values else t
        for t in past
    ]
    found = texts(briefing(replace(past, trials=tuple(renamed)), about=about), SUGGESTED)
    rows = [line for line in found["history"].splitlines() if line.startswith("#") and "completed" in line]
    assert len(rows) == 11 and all(row.count(" | ") in (4, 5) for row in rows)
