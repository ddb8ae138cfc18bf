"""LLAMBO's policy: how many trials it starts, what counts as running, and whom it answers."""

from __future__ import annotations

from dataclasses import replace

from fakes.histories import SPACE, Log, briefing, configured, history, proposal, trial
from tunesmith.agent.methods.llambo.policy import LlamboPolicy
from tunesmith.agent.methods.llambo.settings import PRESETS
from tunesmith.budget import Budget, ModelCaps
from tunesmith.events import Degraded, Thought
from tunesmith.interfaces import Strategy
from tunesmith.trial import Proposal


class Listening(Strategy):
    """Proposes new widths and remembers what it was told."""

    name = "listening"

    def __init__(self) -> None:
        self.told: list[tuple[int, list[int]]] = []

    def propose(self, past, n, candidates=()) -> list[Proposal]:
        running = [int(t.configuration["width"]) for t in past.pending]
        self.told.append((n, running))
        return [proposal(configured(width=200 + len(past) + i), SPACE) for i in range(n)]


def policy(strategy, log):
    return LlamboPolicy(strategy, "llambo-code", PRESETS["llambo-code"], log)


def decide(made, past, *triggers, queued=(), **task):
    return made.decide(replace(briefing(past, *triggers, **task), queued=queued), None)


def test_one_worker_gets_one_trial_and_the_policy_wakes_after_it():
    strategy = Listening()
    decision = decide(policy(strategy, Log()), history(trial(0, configured(), 0.5)))
    assert strategy.told == [(1, [])]
    assert len(decision.launch) == 1 and decision.wake_after == 1 and decision.stop is None
    assert decision.reason == decision.launch[0].reason


def test_running_and_queued_trials_take_workers_and_are_told_as_running():
    strategy = Listening()
    past = history(trial(0, configured(), 0.5), trial(1, configured(width=70)))
    decide(policy(strategy, Log()), past, queued=(proposal(configured(width=80)),), workers=4)
    assert strategy.told == [(2, [70, 80])]


def test_with_every_worker_busy_nothing_is_chosen():
    strategy = Listening()
    past = history(trial(0, configured(width=70)), trial(1, configured(width=71)))
    decision = decide(policy(strategy, Log()), past, workers=2)
    assert strategy.told == [] and decision.launch == () and decision.wake_after == 1


def test_no_more_is_chosen_than_the_budget_has_room_for():
    strategy = Listening()
    past = history(*[trial(i, configured(width=10 + i), 0.1 * i) for i in range(8)])
    decide(policy(strategy, Log()), past, workers=8, budget=Budget(trials=10))
    assert strategy.told == [(2, [])]


def test_caps_that_end_before_the_trials_do_are_told_once_at_the_start():
    log = Log()
    made = policy(Listening(), log)
    for _ in range(2):
        decide(made, history(), "start", budget=Budget(trials=30, model=ModelCaps(calls=60)))
    (warning,) = log.of(Degraded)
    assert "needs about 550 calls of the model, and 60 are left" in warning.cause
    log = Log()
    decide(policy(Listening(), log), history(), "start", budget=Budget(model=ModelCaps(calls=None)))
    assert log.of(Degraded) == []


def test_it_narrates_the_start_and_then_every_few_trials():
    log = Log()
    made = policy(Listening(), log)
    past = history()
    for number in range(10):
        decide(made, past, "start" if number == 0 else "trials_finished")
        past = past.with_trial(trial(number, configured(width=10 + number), 0.1 * number))
    said = [thought.text for thought in log.of(Thought)]
    assert len(said) == 3
    assert "A language model chooses the trials, by llambo-code" in said[0]
    assert "No language model" not in said[0]
