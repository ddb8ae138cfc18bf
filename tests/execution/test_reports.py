from __future__ import annotations

import pytest

from tunesmith.testing.executors import wait_for
from tunesmith.tools.execution.base import Finished
from tunesmith.trial import TrialState

LOOP = """
from tunesmith.training import Pruned
def train(config, trial):
    for step in range(10):
        trial.report(step / 10, step)
        if trial.should_prune():
            {stop}
    return 0.9
"""


@pytest.mark.parametrize(
    "stop",
    [
        "return 0.3",
        "return None",
        "return {'nothing': 'useful'}",
        "raise Pruned",
        "raise type('TrialPruned', (Exception,), {})('as Optuna has it')",
    ],
)
def test_a_verdict_to_stop_prunes_however_the_function_then_ends(bench, stop):
    outcome = bench.run(LOOP.format(stop=stop), prune=lambda report: report.step == 3)
    assert outcome.state is TrialState.PRUNED
    assert outcome.curve[-1] == (3, 0.3), "the verdict on a report is known before the next one"
    assert outcome.values == {}


def test_a_verdict_stays_true_and_a_crash_after_it_is_a_crash(bench):
    outcome = bench.run(
        LOOP.format(stop="assert trial.should_prune(); raise KeyError('cleaning up')"),
        prune=lambda report: True,
    )
    assert outcome.state is TrialState.CRASHED
    assert "cleaning up" in outcome.message


def test_a_function_that_does_not_ask_is_not_pruned(bench):
    outcome = bench.run(
        "def train(config, trial): trial.report(0.1, 0); return 0.5", prune=lambda report: True
    )
    assert outcome.state is TrialState.COMPLETED


def test_asking_before_the_first_report_does_not_wait(bench):
    outcome = bench.run("def train(config, trial): return float(trial.should_prune())")
    assert outcome.values == {"accuracy": 0.0}


def test_a_repeated_step_is_ignored_and_steps_may_come_in_any_order(bench):
    outcome = bench.run(
        """
        def train(config, trial):
            for step, value in [(5, 0.5), (2, 0.2), (5, 0.9), (7.0, 0.7)]:
                trial.report(value, step)
                assert not trial.should_prune()
            return 0.5
        """
    )
    assert outcome.curve == ((2, 0.2), (5, 0.5), (7, 0.7))
    assert [report.step for report in bench.reports] == [5, 2, 7]
    assert "step 5 was reported before" in bench.log()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("trial.report('0.5', 1)", "'0.5' (str), which is no number"),
        ("trial.report(None, 1)", "None (NoneType), which is no number"),
        ("trial.report([0.5], 1)", "[0.5] (list), which is no number"),
        ("trial.report(True, 1)", "True (bool), which is no number"),
        ("trial.report(1, 0.5)", "step = 0.5"),
        ("trial.report(0.5, -1)", "step = -1"),
        ("trial.report(0.5, 'one')", "step = 'one'"),
    ],
)
def test_a_wrong_report_crashes_with_what_was_given(bench, call, words):
    outcome = bench.run(f"def train(config, trial): {call}; return 0.5")
    assert outcome.state is TrialState.CRASHED
    assert words in outcome.message


def test_a_thousand_unread_verdicts_hold_nobody_up(bench):
    outcome = bench.run(
        """
        def train(config, trial):
            for step in range(5000):
                trial.report(0.5, step)
            return float(trial.should_prune())
        """
    )
    assert outcome.reports == 5000 and outcome.curve[-1] == (4999, 0.5)
    assert [report.step for report in bench.reports] == sorted({report.step for report in bench.reports})
    assert bench.reports[-1].step == 4999


def test_the_trial_knows_its_number_seed_folder_and_checkpoints(bench):
    job = bench.start(
        bench.script(
            """
            import os, random, sys
            from pathlib import Path
            def train(config, trial):
                assert trial.seed == 7 and trial.folder.is_absolute() and trial.checkpoint_dir.is_dir()
                assert Path.cwd() == Path(__file__).parent and sys.path[0] == str(Path(__file__).parent)
                return {"accuracy": trial.number, "draw": random.random()}
            """
        )
    )
    outcome = bench.outcome(job)
    assert outcome.state is TrialState.COMPLETED, outcome.traceback
    assert outcome.values["accuracy"] == job.number
    again = bench.start(job.objective)
    assert bench.outcome(again).values["draw"] == outcome.values["draw"], "global generators follow the seed"


def test_an_end_comes_after_all_reports_also_for_an_engine_that_looks_late(bench):
    job = bench.start("def train(c, t):\n for n in range(100): t.report(n, n)\n return 0.5")
    wait_for((job.folder / "result.json").exists)
    events = []
    wait_for(lambda: events.extend(bench.executor.events(1)) or any(isinstance(e, Finished) for e in events))
    assert [event.step for event in events[:-1]] == list(range(100))
