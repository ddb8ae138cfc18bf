"""The rules policy: same tools, no model, words computed from the data."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from fakes.histories import Log, briefing, configured, grown, history, proposal, trial
from tunesmith.agent.methods.hybrid.suggester import HybridSuggester
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.agent.policy.findings import Watermark, findings, predictions
from tunesmith.agent.policy.rules import RulesPolicy
from tunesmith.budget import Budget
from tunesmith.events import Thought
from tunesmith.goals import Goal
from tunesmith.tools.analysis.excerpt import proposal_text
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import TrialState


def decide(policy, about):
    suggest = HybridSuggester(RandomStrategy(about.task.space, 0), None, Log())
    return policy.decide(about, StudyToolbox(about, suggest=suggest, launch=lambda p: list(range(len(p)))))


def test_the_first_words_say_what_is_tuned_and_that_no_model_is_in_use():
    log = Log()
    decision = decide(RulesPolicy(log), briefing(history(), "start"))
    (thought,) = log.of(Thought)
    assert thought.speaker == "narrator" and thought.final
    assert "maximize val_accuracy over 4 hyperparameters, 40 trials" in thought.text
    assert "No language model is in use" in thought.text and "lr=0.001" in thought.text
    assert decision.stop is None and decision.launch == () and decision.wake_after == 4


def test_a_stand_in_for_a_model_does_not_say_that_there_is_none():
    log = Log()
    decide(RulesPolicy(log, standing_in=True), briefing(history(), "start"))
    assert "No language model" not in log.events[0].text and "could not decide" in log.events[0].text


def test_a_resumed_run_does_not_tell_old_trials_as_news():
    log = Log()
    policy = RulesPolicy(log)
    decide(policy, briefing(grown(20), "resumed"))
    assert "Going on with digits: 20 trials" in log.events[0].text
    decide(policy, briefing(grown(22), "trials_finished"))
    assert "#20 (surrogate) gave" in log.events[1].text and "#19 (surrogate)" not in log.events[1].text


def test_every_wake_tells_what_was_learned_and_what_is_next_and_why():
    log = Log()
    policy = RulesPolicy(log)
    decide(policy, briefing(history(), "start"))
    start = trial(0, configured(), 0.5)
    decide(policy, briefing(history(start), "trials_finished"))
    better = trial(1, configured(width=128), 0.75, expected=0.74, spread=0.02)
    broken = trial(2, configured(lr=0.09), state=TrialState.DIVERGED, message="loss is nan")
    decide(policy, briefing(history(start, better, broken), "failures"))
    told = [e.text for e in log.of(Thought)]
    assert "#0 (surrogate) gave 0.5." in told[1] and "Next: " in told[1]
    assert "New best: #1 with 0.75, 0.25 better than #0" in told[2]
    assert "#1: predicted 0.74 ± 0.02, got 0.75: held." in told[2]
    assert "#2 (surrogate) diverged: loss is nan." in told[2]
    assert "#0 (surrogate)" not in told[2]


def test_it_never_stops_a_run_and_wakes_no_later_than_the_budget_ends():
    log = Log()
    policy = RulesPolicy(log)
    decision = decide(policy, briefing(grown(12), budget=Budget(trials=14)))
    assert decision.stop is None and decision.wake_after == 2
    decision = decide(policy, briefing(grown(14), budget=Budget(trials=14)))
    assert decision.stop is None and decision.wake_after == 1
    assert "The budget is used." in log.events[-1].text


@pytest.mark.parametrize(
    ("value", "direction", "verdict"),
    [
        (0.75, "maximize", "held"),
        (0.70, "maximize", "did not hold, worse than predicted"),
        (0.80, "maximize", "did not hold, better than predicted"),
        (0.70, "minimize", "did not hold, better than predicted"),
    ],
)
def test_a_prediction_held_when_it_was_within_two_standard_deviations(value, direction, verdict):
    done = trial(0, configured(), value, expected=0.75, spread=0.02)
    (sentence,) = predictions(history(done, direction=direction), [done])
    assert sentence.endswith(f": {verdict}.")


def test_findings_name_what_matters_and_what_failures_share():
    text = " ".join(findings(grown(60), ()))
    assert "Larger width went with higher val_accuracy (rank correlation 0.9" in text
    assert "trials that diverged had lr >= 0.0" in text
    lower = " ".join(findings(grown(60, direction="minimize"), ()))
    assert "Larger width went with lower val_accuracy" in lower


def test_an_equal_value_that_is_better_in_another_metric_is_no_gain_of_nothing():
    acc, ms = Goal(metric="val_accuracy", direction="maximize"), Goal(metric="ms", direction="minimize")
    done = [
        trial(n, configured(), 0.75).model_copy(update={"values": {acc.metric: 0.75, ms.metric: 9.0 - n}})
        for n in range(2)
    ]
    past = dataclasses.replace(history(*done), others=(ms,))
    text = " ".join(findings(past, (done[1],)))
    assert "#1 with 0.75, as good as #0 and better in another metric" in text and "0 better" not in text


def test_findings_stay_short_whatever_happened():
    past = grown(3000)
    sentences = findings(past, past.finished)
    assert len(sentences) <= 12 and len(" ".join(sentences)) < 1500


def test_a_watermark_tells_each_trial_once():
    mark = Watermark()
    assert [t.number for t in mark.advance(grown(3), resumed=False)] == [0, 1, 2]
    assert [t.number for t in mark.advance(grown(5), resumed=False)] == [3, 4]
    assert Watermark().advance(grown(5), resumed=True) == ()


def test_the_rules_need_no_heavy_library():
    code = (
        "import sys, tunesmith.agent.policy.rules\n"
        "heavy = {'langchain', 'langchain_core', 'openai', 'torch', 'optuna', 'scipy', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_suggestion_is_told_with_expectation_and_reason():
    told = proposal_text(grown(12), proposal(configured(width=200), expected=0.7654321, spread=0.0123))
    assert told == "lr=0.001, width=200, optimizer=adam (expected 0.7654 ± 0.012). It looked good."
